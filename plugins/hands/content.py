"""What a step does to the content of files.

New content is written beside, synced and renamed over; a hand answers like those of `files`.
Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import gzip as gzip_format
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from plugins.hands.files import keep_owner, renamed
from plugins.hands.tree import CHUNK, MAKING, READING, Done, at, held, status_of, sync


def write(path: str, roots: list[str], content: str, mode: int) -> Done:
    """Write text (latin-1 of the bytes) to a temporary file beside, sync, rename over."""
    with at(path, roots) as (descriptor, name):
        former = status_of(name, descriptor)
        return _replace(name, descriptor, mode, former, [content.encode("latin-1")])


def _replace(
    name: str, descriptor: int, mode: int, former: os.stat_result | None, blocks: Iterable[bytes]
) -> Done:
    with (
        renamed(name, descriptor) as temporary,
        open(os.open(temporary, MAKING, 0o600, dir_fd=descriptor), "wb") as file,
    ):
        file.writelines(blocks)
        file.flush()
        keep_owner(file.fileno(), descriptor, former)
        os.fchmod(file.fileno(), mode)  # after the owner, whose change takes bits away
        os.fsync(file.fileno())
    return {}


def link(path: str, roots: list[str], target: str) -> Done:
    """Make a symbolic link, or replace the one that stands there, in one rename."""
    with at(path, roots) as (descriptor, name), renamed(name, descriptor) as temporary:
        os.symlink(target, temporary, dir_fd=descriptor)
        if os.geteuid() == 0:
            model = status_of(name, descriptor) or os.fstat(descriptor)
            with held(temporary, descriptor, links=True) as (one, options):
                os.chown(one, model.st_uid, model.st_gid, **options)
    return {}


def drop_lines(path: str, roots: list[str], lines: list[int]) -> Done:
    """Rewrite a file without the lines of these numbers (from 1), in flat memory."""
    unwanted = set(lines)

    def kept(file: BinaryIO) -> Iterator[bytes]:
        number, skip = 1, 1 in unwanted
        while block := file.readline(CHUNK):  # a line may be longer than memory should be
            if not skip:
                yield block
            if block.endswith(b"\n"):
                number += 1
                skip = number in unwanted

    with (
        at(path, roots) as (descriptor, name),
        open(os.open(name, READING, dir_fd=descriptor), "rb") as file,
    ):
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return {"refused": "it is no regular file"}
        # The owner of the very file that is read: another may have taken its name meanwhile.
        return _replace(name, descriptor, stat.S_IMODE(status.st_mode), status, kept(file))


def fresh_secret(path: str, roots: list[str], name: str) -> Done:
    """Set a variable of a .env file to a secret made up here, which nobody is told.

    Each line that set it before goes; the file, made where there is none, is its owner's alone.
    """
    with at(path, roots) as (descriptor, file_name):
        former = status_of(file_name, descriptor)
        before: list[bytes] = []
        if former is not None:
            with open(os.open(file_name, READING, dir_fd=descriptor), "rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode) or status.st_size > CHUNK:
                    return {"refused": "it is no small regular file"}
                before = file.read().splitlines(keepends=True)
        kept = [line for line in before if _names(line) != os.fsencode(name)]
        end = b"\n" if kept and not kept[-1].endswith(b"\n") else b""
        line = f"{name}={base64.b64encode(secrets.token_bytes(32)).decode()}\n"
        mode = stat.S_IMODE(former.st_mode) & 0o640 if former else 0o600
        return _replace(file_name, descriptor, mode, former, [*kept, end, line.encode()])


def _names(line: bytes) -> bytes:
    """Return the variable that a line of a .env file sets."""
    return line.strip().removeprefix(b"export ").partition(b"=")[0].strip()


def pack(path: str, roots: list[str]) -> Done:
    """Compress to PATH.gz, compare to the last byte, then let the packed file stand alone."""
    return _repack(path, path + ".gz", roots, packs=True)


def unpack(path: str, roots: list[str]) -> Done:
    """Decompress PATH.gz to PATH, compare, then let the plain file stand alone."""
    return _repack(path + ".gz", path, roots, packs=False)


@contextlib.contextmanager
def _opened(descriptor: int, mode: str, packed: bool) -> Iterator[BinaryIO]:
    with open(descriptor, mode) as plain:
        if not packed:
            yield plain  # type: ignore[misc]
            return
        # No name and no time in the header: the same content packs to the same bytes.
        with gzip_format.GzipFile(filename="", mode=mode, fileobj=plain, mtime=0) as file:
            yield file  # type: ignore[misc]


def _content(name: str, descriptor: int, packed: bool) -> str:
    digest = hashlib.sha256()
    with _opened(os.open(name, READING, dir_fd=descriptor), "rb", packed) as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def _repack(source: str, target: str, roots: list[str], *, packs: bool) -> Done:
    with at(source, roots) as (here, name), at(target, roots) as (there, new):
        status = os.stat(name, dir_fd=here, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            return {"refused": "it is no regular file"}
        if status.st_nlink > 1:
            return {"refused": "it has another name (hard link), which would keep its space"}
        original = _content(name, here, not packs)
        if status_of(new, there) is not None:
            # Packing that was cut short between its two renames leaves both, one as good.
            if packs or original != _content(new, there, packs):
                return {"refused": f"{target} exists already"}
        else:
            with (
                renamed(new, there) as temporary,
                open(os.open(temporary, MAKING, 0o600, dir_fd=there), "wb") as made,
            ):
                _pour(name, here, made.fileno(), packs)
                if original != _content(temporary, there, packs):
                    raise OSError(errno.EIO, "the repacked copy differs; nothing was removed")
                _dress(made.fileno(), there, status)
        os.unlink(name, dir_fd=here)
        sync(there)
    return {}


def _pour(name: str, here: int, new: int, packs: bool) -> None:
    with (
        _opened(os.open(name, READING, dir_fd=here), "rb", not packs) as reader,
        _opened(os.dup(new), "wb", packs) as writer,
    ):
        shutil.copyfileobj(reader, writer, CHUNK)


def _dress(new: int, folder: int, status: os.stat_result) -> None:
    """Give a new open file the owner, mode and times of the one that it stands for; sync it."""
    keep_owner(new, folder, status)
    os.fchmod(new, stat.S_IMODE(status.st_mode))
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.fsync(new)


def reencode(path: str, roots: list[str], encoding: str, limit: int) -> Done:
    """Rewrite a text in UTF-8 that is in another encoding; a larger one than `limit` is refused.

    Of "utf-8" the bytes that are none of it become U+FFFD, as programs show them.
    """
    with (
        at(path, roots) as (descriptor, name),
        open(os.open(name, READING, dir_fd=descriptor), "rb") as file,
    ):
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            return {"refused": "it is no regular file, or too large"}
        errors = "replace" if encoding == "utf-8" else "strict"
        text = file.read(limit + 1).decode(encoding, errors)
        mode = stat.S_IMODE(status.st_mode)
        return _replace(name, descriptor, mode, status, [text.encode()])
