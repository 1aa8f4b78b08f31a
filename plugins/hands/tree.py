"""Opening targets without following links, and telling what stands at a path.

Every function opens the target's folder component by component, starting at a root that the watched
system named: no link that a stranger planted leads a write out of the tree.
Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from typing import Any

CHUNK = 1 << 20
READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
MAKING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
State = dict[str, str | int | list[int]]
Done = dict[str, str]


def reach(path: str) -> int:
    """Open a folder by its path; as root, no link on the way is followed that a user could aim.

    A link is aimed by the owner of the folder that it lies in: that is root, or it is the one who
    owns what the link leads to, so that nothing is reached by it that was not that user's already.
    """
    if os.geteuid() != 0:
        return os.open(os.path.realpath(path), os.O_RDONLY | os.O_DIRECTORY)
    descriptor = os.open("/" if path.startswith("/") else ".", _FOLDER)
    ahead = path.split("/")[::-1]
    aimed_by: list[int] = []
    try:
        while ahead:
            part = ahead.pop() or "."
            try:
                below = os.open(part, _FOLDER, dir_fd=descriptor)
            except OSError as error:
                if error.errno not in (errno.ELOOP, errno.ENOTDIR) or len(aimed_by) > 40:
                    raise
                aimed_by.append(_aimer(descriptor))
                ahead += _target(part, descriptor, error).split("/")[::-1]
                below = os.open("/" if ahead[-1] == "" else ".", _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        owner = os.fstat(descriptor).st_uid
        if any(aimer not in (0, owner) for aimer in aimed_by):
            why = "a link on the way to it is a user's, and leads to what is another's"
            raise OSError(errno.EPERM, why, path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _aimer(descriptor: int) -> int:
    """Return who may aim the links in an open folder; -1 where anybody may."""
    status = os.fstat(descriptor)
    return -1 if status.st_mode & stat.S_IWOTH else status.st_uid


def _target(name: str, descriptor: int, error: OSError) -> str:
    """Return where a link leads; raise the error that it was met with when it is no link."""
    try:
        return os.readlink(name, dir_fd=descriptor)
    except OSError:
        raise error from None


def _open_folder(path: str, roots: list[str]) -> int:
    """Open a folder below one of the roots; every component below the root must be no link."""
    for root in sorted(map(os.path.normpath, roots), key=len, reverse=True):
        if path == root or path.startswith(root.rstrip("/") + "/"):
            descriptor = reach(root)
            for part in [part for part in path[len(root) :].split("/") if part]:
                try:
                    below = os.open(part, _FOLDER, dir_fd=descriptor)
                finally:
                    os.close(descriptor)
                descriptor = below
            return descriptor
    raise OSError(errno.EPERM, "it lies outside the folders that a fix may write to", path)


@contextlib.contextmanager
def at(path: str, roots: list[str]) -> Iterator[tuple[int, str]]:
    """Yield (descriptor of the folder, name in it)."""
    if ".." in path.split("/"):
        # Beside a link, `..` leads the kernel elsewhere than the words of the path say.
        raise OSError(errno.EPERM, "its path has .. in it", path)
    if "\0" in path:
        raise OSError(errno.EINVAL, "its path has a NUL character in it", path)
    path = os.path.normpath(path)
    folder, name = os.path.split(path)
    if path in map(os.path.normpath, roots):
        # A root itself may be dressed or made, though nothing beside it may.
        descriptor = reach(folder)
    else:
        descriptor = _open_folder(folder, roots)
    try:
        yield descriptor, name
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def held(
    name: str, descriptor: int, seen: str = "", links: bool = False
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield path and options by which `os.chmod` and `os.chown` reach one file and no other.

    Whoever owns the folder may put another file under the name at any time, or have put one there
    that has its first name where a fix may not write.

    Raises:
        OSError: it is a symbolic link and `links` is false, it is not what was `seen`, or it is a
            regular file with more than one name.
    """
    if not hasattr(os, "O_PATH"):
        _may_be_dressed(os.stat(name, dir_fd=descriptor, follow_symlinks=False), seen, links)
        yield name, {"dir_fd": descriptor, "follow_symlinks": False}
        return
    target = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=descriptor)
    try:
        _may_be_dressed(os.fstat(target), seen, links)
        yield f"/proc/self/fd/{target}", {}
    finally:
        os.close(target)


def _may_be_dressed(status: os.stat_result, seen: str, links: bool) -> None:
    if stat.S_ISLNK(status.st_mode) and not links:
        raise OSError(errno.ELOOP, "it is a symbolic link")
    if seen and identity(status) != seen:
        raise OSError(errno.EPERM, "it was changed since it was looked at")
    if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EMLINK, "it has another name (hard link), which would change with it")


def status_of(name: str, descriptor: int) -> os.stat_result | None:
    """Return what lstat says of a name in an open folder, None when nothing stands there."""
    try:
        return os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return None


def identity(status: os.stat_result) -> str:
    """Name one state of one file: device, inode, size, time of change in ns."""
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"


def digest_of(name: str, descriptor: int) -> str:
    """Return the SHA-256 of a file in an open folder, in hexadecimal."""
    digest = hashlib.sha256()
    with open(os.open(name, READING, dir_fd=descriptor), "rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def _digest_if_readable(name: str, descriptor: int) -> str:
    # Its owner may give bits to a file that nobody can read: that is what chmod is for.
    try:
        return digest_of(name, descriptor)
    except PermissionError:
        return "unreadable"


def temporary_name() -> str:
    """Return a name for a file that is renamed when it is whole; 255 bytes are never passed."""
    return f".healthchecks.{os.getpid()}.{time.monotonic_ns()}"


def is_left(name: str) -> bool:
    """Tell whether it is a temporary name of a process that is no more."""
    parts = name.split(".")
    if parts[:2] != ["", "healthchecks"] or not (len(parts) > 2 and parts[2].isdigit()):
        return False
    try:
        os.kill(int(parts[2]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        return False
    return False


def state(path: str, roots: list[str], light: bool = False) -> State:
    """Return what stands at a path, in a form that tells whether somebody changed it.

    Keys: kind (absent, file, folder, link, other), mode, owner [uid, gid], content (SHA-256 of a
    file, or with `light` its identity, so that none is read; target of a link; empty for the rest).
    """
    try:
        with at(path, roots) as (descriptor, name):
            found = status_of(name, descriptor)
            if found is None:
                return {"kind": "absent"}
            kind, content = "other", ""
            if stat.S_ISREG(found.st_mode):
                kind = "file"
                content = identity(found) if light else _digest_if_readable(name, descriptor)
            elif stat.S_ISDIR(found.st_mode):
                kind = "folder"
            elif stat.S_ISLNK(found.st_mode):
                kind, content = "link", os.readlink(name, dir_fd=descriptor)
            return {
                "kind": kind,
                "mode": stat.S_IMODE(found.st_mode),
                "owner": [found.st_uid, found.st_gid],
                "content": content,
            }
    except FileNotFoundError:
        return {"kind": "absent"}


def writers(files: set[tuple[int, int]]) -> list[int]:
    """Return the processes that hold one of the files (device, inode) open for writing.

    One pass over /proc; without it (macOS) nobody is found.
    """
    found = []
    try:
        pids = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
    for pid in pids:
        with contextlib.suppress(OSError):
            numbers = os.listdir(f"/proc/{pid}/fd")
            if any(_writes(f"/proc/{pid}/fd/{number}", files) for number in numbers):
                found.append(int(pid))
    return found


def _writes(held: str, files: set[tuple[int, int]]) -> bool:
    try:
        # The link's own mode tells how the file is open; most are not, and cost one look.
        if not os.lstat(held).st_mode & stat.S_IWUSR:
            return False
        status = os.stat(held)
    except OSError:
        return False
    return (status.st_dev, status.st_ino) in files


def refusal(path: str, roots: list[str], seen: str, links: bool, busy: bool, plain: bool) -> str:
    """Return why a step may not touch its target, or an empty string.

    seen: the identity that the probe saw, empty to skip. links: whether the target may be a link.
    busy: whether the target may be open for writing in a process. plain: whether it must be a
    regular file or nothing (a FIFO or a device would be read as empty, and be replaced).
    """
    try:
        with at(path, roots) as (descriptor, name):
            found = status_of(name, descriptor)
    except OSError as error:
        if error.errno == errno.ENOENT and not seen:
            return ""
        return _words(error)
    if found is None:
        return "it is gone since it was looked at" if seen else ""
    if stat.S_ISLNK(found.st_mode) and not links:
        return "it is a symbolic link"
    if plain and not stat.S_ISREG(found.st_mode):
        return "it is no regular file"
    if seen and identity(found) != seen:
        return "it was changed since it was looked at"
    if busy or not stat.S_ISREG(found.st_mode):
        return ""
    holders = writers({(found.st_dev, found.st_ino)})
    return f"process {holders[0]} holds it open for writing" if holders else ""


def _words(error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return "a folder on the way to it is a symbolic link, or no folder"
    return error.strerror or str(error)


def sync(descriptor: int) -> None:
    """Bring an open folder to the disk."""
    with contextlib.suppress(OSError):  # some file systems cannot sync a folder
        os.fsync(descriptor)
