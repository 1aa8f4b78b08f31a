"""What a step does to copy a whole tree, for its owner's eyes alone.

The tree may be in use: what is gone by its turn is left out, and what grows is copied as long as it
was. What is copied is read back and compared. Memory does not grow with the tree.
Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from typing import Any

from plugins.hands.files import renamed
from plugins.hands.tree import (
    CHUNK,
    MAKING,
    READING,
    Done,
    at,
    digest_of,
    identity,
    reach,
    status_of,
)

_TRIES = 3
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class Unsteady(Exception):  # noqa: N818 - it is the tree that does not hold still
    """A file could not be copied as any one state of it; the message says which."""


def copy_tree(source: str, target: str, roots: list[str]) -> Done:
    """Copy a folder to a name that is free: beside, compared, synced, then renamed.

    Modes lose what they grant to group and others; links are copied as links; sockets, FIFOs and
    devices are left out.

    Args:
        source: a folder; links on the way to it are followed.
        target: where the copy goes.
        roots: folders below which may be written.
    """
    top = os.path.realpath(source)
    if (os.path.realpath(target) + "/").startswith(top + "/"):
        return {"refused": f"the copy would lie in {source}, which it is to hold"}
    base = reach(top)
    try:
        with at(target, roots) as (there, name):
            if status_of(name, there) is not None:
                return {"refused": "something of that name is there already"}
            room = os.fstatvfs(there)
            needed = _size(base)
            if needed > room.f_bavail * room.f_frsize:
                return {"refused": f"{source} needs {needed} bytes, and the disk has less left"}
            try:
                with renamed(name, there) as temporary:
                    os.mkdir(temporary, 0o700, dir_fd=there)
                    copied = os.open(temporary, _FOLDER, dir_fd=there)
                    try:
                        pour(base, copied)
                        _give(copied, os.fstat(base))
                    finally:
                        os.close(copied)
                    # One sync for all files: thousands of them would wait for the disk one by one.
                    os.sync()
            except Unsteady as why:
                return {"refused": str(why)}
            except RecursionError:
                return {"refused": f"{source} is nested too deeply to be copied"}
    finally:
        os.close(base)
    return {}


def pour(source: int, target: int) -> None:
    """Copy what is in an open folder into another open and empty one.

    Raises:
        Unsteady: a file is written anew again and again while it is copied.
        OSError: something cannot be read, or the copy differs.
    """
    for folder, folders, names, here in os.fwalk(".", onerror=_unless_gone, dir_fd=source):
        for each in [*folders, *names]:
            seen = status_of(each, here)
            if seen is not None:
                _copied(each, here, seen, os.path.join(folder, each), target)


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _copied(name: str, here: int, seen: os.stat_result, path: str, base: int) -> None:
    """Copy one name of an open folder to a path below another."""
    made = True
    try:
        if stat.S_ISDIR(seen.st_mode):
            os.mkdir(path, 0o700, dir_fd=base)
        elif stat.S_ISLNK(seen.st_mode):
            os.symlink(os.readlink(name, dir_fd=here), path, dir_fd=base)
        else:
            made = stat.S_ISREG(seen.st_mode)
            if made:
                seen = _content(name, here, path, base)
        if made and os.geteuid() == 0:
            # Nobody else gets into the new folder yet, so that no name in it can be another's.
            os.chown(path, seen.st_uid, seen.st_gid, dir_fd=base, follow_symlinks=False)
    except FileNotFoundError:
        # A name that went is no failure, but one that is still there and is not copied is.
        if status_of(name, here) is not None and status_of(path, base) is None:
            raise


def _content(name: str, here: int, path: str, base: int) -> os.stat_result:
    """Copy a file as one state of it, or as the beginning of one that only grew.

    Returns:
        What was copied: another may have got the name since it was looked at.
    """
    descriptor = os.open(name, READING, dir_fd=here)
    with (
        open(descriptor, "rb") as reader,
        open(os.open(path, MAKING, 0o600, dir_fd=base), "wb") as writer,
    ):
        for last in (False,) * (_TRIES - 1) + (True,):
            before = os.fstat(descriptor)
            reader.seek(0)
            writer.seek(0)
            writer.truncate()
            digest = _poured(reader, before.st_size, writer)
            writer.flush()
            after = os.fstat(descriptor)
            if identity(before) == identity(after):
                break
            if last and not _begins(reader, writer.tell(), digest):
                raise Unsteady(f"{path[2:]} was written anew while it was copied; try again")
        if digest_of(path, base) != digest:
            raise OSError("the copy differs from its source", path)
        os.fchmod(writer.fileno(), after.st_mode & 0o700 | 0o600)
        os.utime(writer.fileno(), ns=(after.st_atime_ns, after.st_mtime_ns))
    return after


def _poured(reader: Any, size: int, writer: Any) -> str:
    """Copy at most so many bytes; return their digest."""
    digest = hashlib.sha256()
    while size and (block := reader.read(min(size, CHUNK))):
        digest.update(block)
        writer.write(block)
        size -= len(block)
    return digest.hexdigest()


def _begins(reader: Any, size: int, digest: str) -> bool:
    """Tell whether a file still begins with what was copied of it."""

    class _Nowhere:
        def write(self, block: bytes) -> None:
            del block

    reader.seek(0)
    return os.fstat(reader.fileno()).st_size >= size and _poured(reader, size, _Nowhere()) == digest


def _size(base: int) -> int:
    total = 0
    for _, _, names, here in os.fwalk(".", onerror=_unless_gone, dir_fd=base):
        for name in names:
            seen = status_of(name, here)
            total += seen.st_size if seen and stat.S_ISREG(seen.st_mode) else 0
    return total


def _give(new: int, model: os.stat_result) -> None:
    """Give an open copy to the owner of what it was copied from (as root only)."""
    if os.geteuid() == 0:
        os.fchown(new, model.st_uid, model.st_gid)
