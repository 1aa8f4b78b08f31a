"""Files, folders and file systems. Links are not followed unless a docstring says so.

Nothing here blocks on a FIFO or a device: what is not a regular file is never opened. The wrong
kind of thing is an OSError with errno EPROTOTYPE and a strerror such as "is a FIFO, no folder".
"""

from __future__ import annotations

import base64
import errno
import functools
import os
import pwd
import stat
import time
from typing import Any

_PAGE = 4096
KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
}
PHRASES = {
    "file": "is a file",
    "folder": "is a folder",
    "link": "is a symbolic link",
    "fifo": "is a FIFO",
    "socket": "is a socket",
    "device": "is a device",
}


def kind_of(mode: int) -> str:
    """Return file, folder, link, fifo, socket or device."""
    return KINDS.get(stat.S_IFMT(mode), "device")


def owner_of(uid: int, known: dict[int, str]) -> str:
    """Return the login name of a user id, or the number in words when it has none."""
    if uid not in known:
        known[uid] = _login(uid, int(time.monotonic() // 60))
    return known[uid]


@functools.lru_cache(maxsize=256)
def _login(uid: int, minute: int) -> str:
    """Return the name, which is looked up once a minute: each time all of /etc/passwd is read."""
    del minute
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def entry(path: str, known: dict[int, str]) -> dict[str, Any]:
    """Return what lstat and readlink say of a path."""
    seen = os.lstat(path)
    target = ""
    if stat.S_ISLNK(seen.st_mode):
        try:
            target = os.readlink(path)
        except OSError:
            target = ""
    return {
        "path": path,
        "kind": kind_of(seen.st_mode),
        "size": seen.st_size,
        "mode": stat.S_IMODE(seen.st_mode),
        "uid": seen.st_uid,
        "gid": seen.st_gid,
        "owner": owner_of(seen.st_uid, known),
        "mtime_ns": seen.st_mtime_ns,
        "inode": seen.st_ino,
        "device": seen.st_dev,
        "links": seen.st_nlink,
        "target": target,
    }


def look(path: str) -> dict[str, Any] | None:
    """Return the entry of a path, or None when there is none."""
    try:
        return entry(path, {})
    except (FileNotFoundError, NotADirectoryError):
        return None


def resolve(path: str) -> str:
    """Follow every link of a path; ENOENT when it dangles, ELOOP when links go in a circle."""
    return os.path.realpath(path, strict=True)


def wrong_kind(path: str, mode: int, wanted: str) -> OSError:
    """Return the error for something of another kind than what was wanted."""
    return OSError(errno.EPROTOTYPE, f"{PHRASES[kind_of(mode)]}, {wanted}", path)


def folder(path: str, limit: int, follow: bool) -> list[dict[str, Any]]:
    """Return the entries of a folder by name; E2BIG when there are more than `limit`.

    With `follow`, a link at the end of the path is followed.
    """
    seen = os.stat(path) if follow else os.lstat(path)
    if not stat.S_ISDIR(seen.st_mode):
        raise wrong_kind(path, seen.st_mode, "no folder")
    rows = []
    known: dict[int, str] = {}
    for name in names_in(path, limit):
        try:
            rows.append(entry(os.path.join(path, name), known))
        except FileNotFoundError:
            continue  # it went while we looked
    return rows


def names_in(path: str, limit: int) -> list[str]:
    """Return the sorted names in a folder; E2BIG when there are more than `limit`."""
    names: list[str] = []
    with os.scandir(path) as found:
        for one in found:
            names.append(one.name)
            if len(names) > limit:
                raise OSError(errno.E2BIG, "too many entries", path)
    return sorted(names)


def walk(path: str, depth: int, limit: int, lenient: bool) -> list[dict[str, Any]]:
    """Return all entries under a folder, no link followed, parents before children.

    `depth` 1 is the folder's own entries. A folder below that may not be read is an error, unless
    `lenient`. E2BIG when there are more than `limit` entries.
    """
    top = os.lstat(path)
    if not stat.S_ISDIR(top.st_mode):
        raise wrong_kind(path, top.st_mode, "no folder")
    rows: list[dict[str, Any]] = []
    known: dict[int, str] = {}
    waiting = [(path, 1)]
    while waiting:
        where, level = waiting.pop()
        try:
            names = names_in(where, limit - len(rows))
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            if where == path or (isinstance(error, PermissionError) and not lenient):
                raise
            continue
        below = []
        for name in names:
            try:
                row = entry(os.path.join(where, name), known)
            except FileNotFoundError:
                continue
            rows.append(row)
            if row["kind"] == "folder" and level < depth:
                below.append((row["path"], level + 1))
        waiting.extend(reversed(below))
    return rows


def occupied(path: str, limit: int, lenient: bool) -> int:
    """Return the bytes of disk that a tree takes; a file with several links counts once."""
    top = os.lstat(path)
    total = top.st_blocks * 512
    if not stat.S_ISDIR(top.st_mode):
        return total
    counted: set[tuple[int, int]] = set()
    waiting = [path]
    entries = 0
    while waiting:
        where = waiting.pop()
        try:
            names = names_in(where, limit - entries)
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            if where == path or (isinstance(error, PermissionError) and not lenient):
                raise
            continue
        entries += len(names)
        for name in names:
            one = os.path.join(where, name)
            try:
                seen = os.lstat(one)
            except FileNotFoundError:
                continue
            if stat.S_ISDIR(seen.st_mode):
                waiting.append(one)
            elif seen.st_nlink > 1:
                if (seen.st_dev, seen.st_ino) in counted:
                    continue
                counted.add((seen.st_dev, seen.st_ino))
            total += seen.st_blocks * 512
    return total


def opened(path: str, follow: bool) -> tuple[int, int]:
    """Return a descriptor and the size of a regular file; with `follow`, a link at the end too."""
    before = os.stat(path) if follow else os.lstat(path)
    if not stat.S_ISREG(before.st_mode):
        raise wrong_kind(path, before.st_mode, "no regular file")
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    descriptor = os.open(path, flags if follow else flags | os.O_NOFOLLOW)
    after = os.fstat(descriptor)
    if not stat.S_ISREG(after.st_mode):
        os.close(descriptor)
        raise wrong_kind(path, after.st_mode, "no regular file")
    return descriptor, after.st_size


def taken(path: str, limit: int, follow: bool) -> bytes:
    """Return the content of a regular file; EFBIG when it is over `limit` bytes."""
    descriptor, size = opened(path, follow)
    try:
        # Files of /proc say size 0, and a log may grow while it is read: the limit is asked twice.
        content = os.read(descriptor, size + 1) if 0 < size <= limit else b""
        while len(content) != size or not size:
            if max(size, len(content)) > limit:
                raise OSError(errno.EFBIG, "is too big", path)
            # A file of /proc is small: room for a big one, again and again, would shred a heap.
            room = min(max(_PAGE, len(content)), 1 << 20)
            chunk = os.read(descriptor, min(room, limit + 1 - len(content)))
            if not chunk:
                break
            content += chunk
    finally:
        os.close(descriptor)
    return content


def read(path: str, limit: int, follow: bool) -> str:
    """Return the content of a regular file in base64; EFBIG when it is over `limit` bytes."""
    return base64.b64encode(taken(path, limit, follow)).decode()


def read_each(paths: list[str], limit: int, follow: bool) -> list[list[Any]]:
    """Return [content in base64, 0, ""] or ["", errno, strerror] for each path."""
    answers: list[list[Any]] = []
    for path in paths:
        try:
            answers.append([read(path, limit, follow), 0, ""])
        except OSError as error:
            answers.append(["", error.errno, error.strerror])
    return answers


def tail(path: str, size: int, follow: bool) -> str:
    """Return the last `size` bytes of a regular file in base64."""
    descriptor, end = opened(path, follow)
    try:
        os.lseek(descriptor, max(0, end - size), os.SEEK_SET)
        content = bytearray()
        while chunk := os.read(descriptor, min(1 << 20, size - len(content))):
            content += chunk
    finally:
        os.close(descriptor)
    return base64.b64encode(content).decode()


def may(path: str, uid: int, groups: list[int], wanted: str) -> bool:
    """Tell whether mode bits let a user reach a path (links followed) and do `wanted` with it."""
    real = os.path.realpath(path, strict=True)
    parents = []
    parent = os.path.dirname(real)
    while parent not in parents:
        parents.append(parent)
        parent = os.path.dirname(parent)
    allowed = all(grants(os.stat(one), uid, groups, "x") for one in parents)
    return allowed and grants(os.stat(real), uid, groups, wanted)


def grants(seen: os.stat_result, uid: int, groups: list[int], wanted: str) -> bool:
    """Tell whether the mode bits of one inode grant r, w and x as wanted."""
    bits = sum({"r": 4, "w": 2, "x": 1}[letter] for letter in set(wanted))
    if uid == 0:
        runs = stat.S_ISDIR(seen.st_mode) or bool(seen.st_mode & 0o111)
        return runs or not bits & 1
    if seen.st_uid == uid:
        granted = seen.st_mode >> 6
    elif seen.st_gid in groups:
        granted = seen.st_mode >> 3
    else:
        granted = seen.st_mode
    return granted & bits == bits
