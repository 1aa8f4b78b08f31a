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
from collections.abc import Iterator

CHUNK = 1 << 20
State = dict[str, str | int | list[int]]
Done = dict[str, str]


def _open_folder(path: str, roots: list[str]) -> int:
    """Open a folder below one of the roots; every component below the root must be no link."""
    path = os.path.normpath(path)
    for root in sorted(map(os.path.normpath, roots), key=len, reverse=True):
        if path == root or path.startswith(root.rstrip("/") + "/"):
            descriptor = os.open(os.path.realpath(root), os.O_RDONLY | os.O_DIRECTORY)
            for part in [part for part in path[len(root) :].split("/") if part]:
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
                try:
                    below = os.open(part, flags, dir_fd=descriptor)
                finally:
                    os.close(descriptor)
                descriptor = below
            return descriptor
    raise OSError(errno.EPERM, "it lies outside the folders that a fix may write to", path)


@contextlib.contextmanager
def at(path: str, roots: list[str]) -> Iterator[tuple[int, str]]:
    """Yield (descriptor of the folder, name in it)."""
    path = os.path.normpath(path)
    folder, name = os.path.split(path)
    if path in map(os.path.normpath, roots):
        # A root itself may be dressed or made, though nothing beside it may.
        descriptor = os.open(os.path.realpath(folder), os.O_RDONLY | os.O_DIRECTORY)
    else:
        descriptor = _open_folder(folder, roots)
    try:
        yield descriptor, name
    finally:
        os.close(descriptor)


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
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    digest = hashlib.sha256()
    with open(os.open(name, flags, dir_fd=descriptor), "rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def state(path: str, roots: list[str]) -> State:
    """Return what stands at a path, in a form that tells whether somebody changed it.

    Keys: kind (absent, file, folder, link, other), mode, owner [uid, gid], content (SHA-256 of a
    file, target of a link, empty for the rest).
    """
    try:
        with at(path, roots) as (descriptor, name):
            found = status_of(name, descriptor)
            if found is None:
                return {"kind": "absent"}
            kind, content = "other", ""
            if stat.S_ISREG(found.st_mode):
                kind, content = "file", digest_of(name, descriptor)
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


def writers(path: str) -> list[int]:
    """Return the ids of processes that hold a file open for writing (Linux; elsewhere none)."""
    try:
        wanted = os.stat(path, follow_symlinks=False)
        pids = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            for number in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    held = os.stat(f"/proc/{pid}/fd/{number}")
                    if (held.st_dev, held.st_ino) != (wanted.st_dev, wanted.st_ino):
                        continue
                    access = os.lstat(f"/proc/{pid}/fd/{number}").st_mode
                    if access & stat.S_IWUSR:  # the link's mode tells how the file is open
                        found.append(int(pid))
                        break
    return found


def refusal(path: str, roots: list[str], seen: str, links: bool, busy: bool) -> str:
    """Return why a step may not touch its target, or an empty string.

    seen: the identity that the probe saw, empty to skip. links: whether the target may be a link.
    busy: whether the target may be open for writing in a process.
    """
    try:
        with at(path, roots) as (descriptor, name):
            found = status_of(name, descriptor)
    except OSError as error:
        if error.errno == errno.ENOENT and not seen:
            return ""
        return f"{error.strerror}"
    if found is None:
        return "it is gone since it was looked at" if seen else ""
    if stat.S_ISLNK(found.st_mode) and not links:
        return "it is a symbolic link"
    if seen and identity(found) != seen:
        return "it was changed since it was looked at"
    holders = [] if busy or not stat.S_ISREG(found.st_mode) else writers(path)
    if holders:
        return f"process {holders[0]} holds it open for writing"
    return ""


def sync(descriptor: int) -> None:
    """Bring an open folder to the disk."""
    with contextlib.suppress(OSError):  # some file systems can not sync a folder
        os.fsync(descriptor)
