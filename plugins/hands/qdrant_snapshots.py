"""Snapshots of Qdrant collections: made, fetched, put back, deleted.

Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from plugins.hands.files import keep_owner
from plugins.hands.qdrant_wire import Asked, No, counted, place_of, result, taken_in, told
from plugins.hands.tree import CHUNK, READING, at, is_left, status_of, sync, temporary_name

Done = dict[str, Any]
_MAKING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_SLOWEST = 256 << 10  # bytes a second, below which a transfer is given up
_SETTLING = 600.0  # seconds that a server may take to write a snapshot down, or to take one in
_BORDER = "healthchecks-7c1f2d64b0a94e0f"


def create(server: list[str], collection: str) -> Done:
    """Have the server make a snapshot; return its name, size and checksum ("" for none)."""
    path = f"{place_of(collection)}/snapshots"
    said = told(server, "POST", f"{path}?wait=true", None, _SETTLING)
    return _described(said, collection)


def _described(said: Any, collection: str) -> Done:
    if not isinstance(said, dict) or not isinstance(said.get("name"), str):
        raise No(f"{collection}: no snapshot of it was made")
    size, checksum = said.get("size"), said.get("checksum")
    return {
        "name": said["name"],
        "size": size if type(size) is int else -1,
        "checksum": checksum.lower() if isinstance(checksum, str) else "",
    }


def fetch(
    server: list[str], collection: str, name: str, size: int, path: str, roots: list[str]
) -> Done:
    """Bring a snapshot of the server into a temporary beside a path, for its owner's eyes alone.

    Returns:
        temporary: its path; size, sha256: of what came.
    """
    where = f"{place_of(collection)}/snapshots/{quote(name, safe='')}"
    with at(path, roots) as (folder, last):
        if status_of(last, folder) is not None:
            return {"refused": f"{path} is there already"}
        for left in filter(is_left, os.listdir(folder)):
            os.unlink(left, dir_fd=folder)
        fresh = temporary_name()
        descriptor = os.open(fresh, _MAKING, 0o600, dir_fd=folder)
        try:
            with open(descriptor, "wb") as file:
                keep_owner(file.fileno(), folder, None)
                os.fchmod(file.fileno(), 0o600)
                digest = hashlib.sha256()
                asked = Asked(server, "GET", where, 120.0 + max(size, 0) / _SLOWEST)
                with asked.answered() as response:
                    if response.status != 200:
                        result(taken_in(response, 1 << 20), response.status, f"GET {where}")
                    while block := response.read(CHUNK):
                        digest.update(block)
                        file.write(block)
                    if response.length:
                        raise No(f"{name}: it was cut on the way")
                file.flush()
                os.fsync(file.fileno())
                came = file.tell()
        except BaseException:
            os.unlink(fresh, dir_fd=folder)
            raise
    beside = os.path.join(os.path.dirname(path), fresh)
    return {"temporary": beside, "size": came, "sha256": digest.hexdigest()}


def settle(temporary: str, path: str, sha256: str, roots: list[str]) -> Done:
    """Give a fetched snapshot its name, and write its checksum down beside it."""
    with at(path, roots) as (folder, last), at(temporary, roots) as (_, fresh):
        if status_of(last, folder) is not None:
            return {"refused": f"{path} is there already"}
        noted = f"{last}.checksums"
        descriptor = os.open(noted, _MAKING, 0o600, dir_fd=folder)
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            keep_owner(file.fileno(), folder, None)
            file.write(f"SHA256:{sha256}:{last}\n")
            file.flush()
            os.fsync(file.fileno())
        os.rename(fresh, last, src_dir_fd=folder, dst_dir_fd=folder)
        sync(folder)
    return {}


def let_go(temporary: str, roots: list[str]) -> Done:
    """Remove a fetched snapshot that is not to be kept; one that is gone is done."""
    with at(temporary, roots) as (folder, name), contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    return {}


def delete(server: list[str], collection: str, name: str) -> Done:
    """Delete a snapshot on the server; one that is gone is done."""
    where = f"{place_of(collection)}/snapshots/{quote(name, safe='')}"
    try:
        told(server, "DELETE", f"{where}?wait=true")
    except No as why:
        if why.status != 404:
            raise
    return {}


def listed(server: list[str], collection: str) -> Done:
    """Return the snapshots of a collection that are on the server, as `create` describes one."""
    said = told(server, "GET", f"{place_of(collection)}/snapshots")
    if not isinstance(said, list):
        raise No(f"{collection}: its snapshots cannot be listed")
    return {"snapshots": [_described(one, collection) for one in said]}


def upload(server: list[str], collection: str, path: str, sha256: str, roots: list[str]) -> Done:
    """Put a collection back from a snapshot of this host; answer how many points came.

    The collection must not be there; what came of a broken attempt is dropped again.
    """
    if counted(server, collection) >= 0:
        return {"refused": f"{collection} is there: it is not written over"}
    with (
        at(path, roots) as (folder, name),
        open(os.open(name, READING, dir_fd=folder), "rb") as file,
    ):
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return {"refused": f"{path}: it is no regular file"}
        size = status.st_size
        where = f"{place_of(collection)}/snapshots/upload?wait=true&priority=snapshot"
        asked = Asked(server, "POST", f"{where}&checksum={sha256}", _SETTLING + size / _SLOWEST)
        head, tail = _borders(name)
        with asked.answered(
            _parts(head, file, tail),
            content_type=f"multipart/form-data; boundary={_BORDER}",
            content_length=str(len(head) + size + len(tail)),
        ) as response:
            content = taken_in(response, 1 << 20)
        result(content, response.status, f"POST {where}")
    return _came(server, collection)


def _borders(name: str) -> tuple[bytes, bytes]:
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    head = (
        f"--{_BORDER}\r\n"
        f'Content-Disposition: form-data; name="snapshot"; filename="{plain}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return head.encode("ascii"), f"\r\n--{_BORDER}--\r\n".encode("ascii")


def _parts(head: bytes, file: Any, tail: bytes) -> Iterator[bytes]:
    yield head
    while block := file.read(CHUNK):
        yield block
    yield tail


def recover(server: list[str], collection: str, location: str, sha256: str) -> Done:
    """Put a collection back from a snapshot that the server reads itself, by its URI.

    The collection must not be there.
    """
    if counted(server, collection) >= 0:
        return {"refused": f"{collection} is there: it is not written over"}
    question = {"location": location, "priority": "snapshot"}
    if sha256:
        question["checksum"] = sha256
    where = f"{place_of(collection)}/snapshots/recover?wait=true"
    told(server, "PUT", where, question, _SETTLING * 3)
    return _came(server, collection)


def _came(server: list[str], collection: str) -> Done:
    number = counted(server, collection)
    if number < 0:
        return {"refused": f"{collection} was put back, and is not there"}
    return {"points": number}


def note(path: str, told_: dict[str, Any]) -> Done:
    """Write down, in the quarantine of the run, what only the server could tell."""
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with open(os.open(path, flags, 0o600), "w", encoding="ascii") as file:
        json.dump(told_, file)
        file.flush()
        os.fsync(file.fileno())
    return {}


def noted(path: str) -> Done:
    """Return what was written down."""
    with open(path, encoding="ascii") as file:
        said: Done = json.load(file)
    return said


def mark(path: str) -> Done:
    """Leave a mark in the quarantine of the run."""
    return note(path, {})


def unmark(path: str) -> Done:
    """Take it away; one that is gone is done."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return {}


def marked(path: str) -> Done:
    """Tell whether it is there."""
    return {"marked": os.path.exists(path)}
