"""Copying what cannot be renamed, as it lies on another file system.

A copy keeps mode, owner and times, and is compared before it counts. Every name is opened from its
open folder and no link is followed.
Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator

from plugins.hands.tree import CHUNK, MAKING, READING, digest_of, held, writers

_COPIED = (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO)


@contextlib.contextmanager
def _folder(name: str, descriptor: int) -> Iterator[int]:
    below = os.open(name, READING | os.O_DIRECTORY, dir_fd=descriptor)
    try:
        yield below
    finally:
        os.close(below)


def _every(name: str, descriptor: int) -> Iterator[tuple[str, os.stat_result]]:
    """Yield a name in an open folder, and all below it, with what lstat says of each."""
    status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    yield name, status
    if stat.S_ISDIR(status.st_mode):
        with _folder(name, descriptor) as below:
            for each in os.listdir(below):
                yield from _every(each, below)


def hindrance(name: str, descriptor: int) -> str:
    """Return why a copy would not be the thing itself, or an empty string."""
    files = set()
    for each, status in _every(name, descriptor):
        if stat.S_IFMT(status.st_mode) not in _COPIED:
            return f"{each} is a socket or device, and would have to go to another file system"
        if stat.S_ISREG(status.st_mode):
            files.add((status.st_dev, status.st_ino))
    holders = writers(files) if files else []
    return f"process {holders[0]} writes to it, on another file system" if holders else ""


def duplicate(name: str, here: int, new: str, there: int) -> None:
    """Copy a file, folder, link or FIFO under a new name in another open folder.

    Raises:
        OSError: it cannot be copied, or the copy differs; what was copied by then stays.
    """
    status = os.stat(name, dir_fd=here, follow_symlinks=False)
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFLNK:
        os.symlink(os.readlink(name, dir_fd=here), new, dir_fd=there)
        _dress_by_name(new, there, status)
    elif kind == stat.S_IFDIR:
        os.mkdir(new, 0o700, dir_fd=there)
        with _folder(name, here) as source, _folder(new, there) as target:
            for each in os.listdir(source):
                duplicate(each, source, each, target)
            _dress(target, os.fstat(source))
    elif kind == stat.S_IFIFO:
        os.mkfifo(new, 0o600, dir_fd=there)
        _dress_by_name(new, there, status)
    elif kind == stat.S_IFREG:
        _content(name, here, new, there)
    else:
        raise OSError(errno.EINVAL, "it is no file or folder, and cannot be copied", name)


def _content(name: str, here: int, new: str, there: int) -> None:
    digest = hashlib.sha256()
    with (
        open(os.open(name, READING, dir_fd=here), "rb") as reader,
        open(os.open(new, MAKING, 0o600, dir_fd=there), "wb") as writer,
    ):
        while block := reader.read(CHUNK):
            digest.update(block)
            writer.write(block)
        writer.flush()
        os.fsync(writer.fileno())
        if digest_of(new, there) != digest.hexdigest():
            raise OSError(errno.EIO, "the copy differs from its source", name)
        _dress(writer.fileno(), os.fstat(reader.fileno()))


def _dress(new: int, status: os.stat_result) -> None:
    # The owner first, as its change takes bits away; the times last, as all else changes them.
    with contextlib.suppress(PermissionError):
        os.fchown(new, status.st_uid, status.st_gid)
    os.fchmod(new, stat.S_IMODE(status.st_mode))
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))


def _dress_by_name(new: str, there: int, status: os.stat_result) -> None:
    """Dress a link or FIFO, which cannot be opened to be dressed."""
    with held(new, there, links=True) as (one, options):
        with contextlib.suppress(PermissionError):
            os.chown(one, status.st_uid, status.st_gid, **options)
        if not stat.S_ISLNK(status.st_mode):
            os.chmod(one, stat.S_IMODE(status.st_mode), **options)
    times = (status.st_atime_ns, status.st_mtime_ns)
    os.utime(new, ns=times, dir_fd=there, follow_symlinks=False)


def remove(name: str, descriptor: int) -> None:
    """Remove what stands elsewhere under another name by now: only ever a copy's twin."""
    if stat.S_ISDIR(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
        shutil.rmtree(name, dir_fd=descriptor)
    else:
        os.unlink(name, dir_fd=descriptor)
