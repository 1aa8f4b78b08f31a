"""What a step does to files and folders as wholes: modes, owners, moves and copies.

A hand answers `{}` when it is done and `{"refused": sentence}` when it did nothing.
Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import time

from plugins.hands.tree import CHUNK, Done, at, digest_of, status_of, sync


def chmod(path: str, roots: list[str], mode: int) -> Done:
    """Set permission bits, never through a link."""
    with at(path, roots) as (descriptor, name):
        if not hasattr(os, "O_PATH"):
            os.chmod(name, mode, dir_fd=descriptor, follow_symlinks=False)
            return {}
        target = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=descriptor)
        try:
            if stat.S_ISLNK(os.fstat(target).st_mode):
                return {"refused": "it is a symbolic link"}
            os.chmod(f"/proc/self/fd/{target}", mode)
        finally:
            os.close(target)
    return {}


def chown(path: str, roots: list[str], uid: int, gid: int) -> Done:
    """Set the owner, never through a link; -1 keeps one of the two."""
    with at(path, roots) as (descriptor, name):
        os.chown(name, uid, gid, dir_fd=descriptor, follow_symlinks=False)
    return {}


def mkdir(path: str, roots: list[str], mode: int) -> Done:
    """Make one folder with exactly this mode."""
    with at(path, roots) as (descriptor, name):
        os.mkdir(name, mode, dir_fd=descriptor)
        keep_owner(name, descriptor, None)
    return chmod(path, roots, mode)


def rmdir(path: str, roots: list[str]) -> Done:
    """Remove an empty folder: only ever one that a step made."""
    with at(path, roots) as (descriptor, name):
        os.rmdir(name, dir_fd=descriptor)
    return {}


def keep_owner(name: str, descriptor: int, former: os.stat_result | None) -> None:
    """Give a new file the owner of what it replaces, else of its folder (as root only)."""
    if os.geteuid() == 0:
        model = former or os.fstat(descriptor)
        os.chown(name, model.st_uid, model.st_gid, dir_fd=descriptor, follow_symlinks=False)


def move(source: str, target: str, roots: list[str]) -> Done:
    """Rename; over file systems copy, compare and only then remove the source. Never replaces."""
    with at(source, roots) as (here, name), at(target, roots) as (there, new):
        if status_of(new, there) is not None:
            return {"refused": f"{target} exists already"}
        try:
            os.rename(name, new, src_dir_fd=here, dst_dir_fd=there)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            status = os.stat(name, dir_fd=here, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                return _move_tree(source, target)
            _copy(name, here, new, there, status)
            os.unlink(name, dir_fd=here)
        sync(there)
        sync(here)
    return {}


def _move_tree(source: str, target: str) -> Done:
    shutil.copytree(source, target, symlinks=True)
    for folder, _, names in os.walk(source):
        twin = target + folder[len(source) :]
        for name in names:
            one, other = os.lstat(os.path.join(folder, name)), os.lstat(os.path.join(twin, name))
            if (one.st_size, stat.S_IFMT(one.st_mode)) != (
                other.st_size,
                stat.S_IFMT(other.st_mode),
            ):
                return {"refused": f"the copy of {name} differs; nothing was removed"}
        os.chown(twin, os.lstat(folder).st_uid, os.lstat(folder).st_gid)
    shutil.rmtree(source)
    return {}


def _copy(name: str, here: int, new: str, there: int, status: os.stat_result) -> None:
    """Copy a file or link with mode, times and owner, and compare before it counts."""
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(name, dir_fd=here), new, dir_fd=there)
        return
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file, and lies on another file system", name)
    flags = os.O_RDONLY | os.O_NOFOLLOW
    digest = hashlib.sha256()
    make = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with (
        open(os.open(name, flags, dir_fd=here), "rb") as reader,
        open(os.open(new, make, 0o600, dir_fd=there), "wb") as writer,
    ):
        while block := reader.read(CHUNK):
            digest.update(block)
            writer.write(block)
        writer.flush()
        os.fsync(writer.fileno())
        with contextlib.suppress(PermissionError):
            os.fchown(writer.fileno(), status.st_uid, status.st_gid)
        os.fchmod(writer.fileno(), stat.S_IMODE(status.st_mode))
        os.utime(writer.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
    if digest_of(new, there) != digest.hexdigest():
        os.unlink(new, dir_fd=there)
        raise OSError(errno.EIO, "the copy differs from its source", name)


def copy(source: str, target: str, roots: list[str]) -> Done:
    """Copy a file to a new name beside the target, compare, then rename over the target."""
    with at(source, roots) as (here, name), at(target, roots) as (there, new):
        status = os.stat(name, dir_fd=here, follow_symlinks=False)
        temporary = f".{new[:200]}.{os.getpid()}.{time.monotonic_ns()}"
        _copy(name, here, temporary, there, status)
        keep_owner(temporary, there, status_of(new, there))
        os.rename(temporary, new, src_dir_fd=there, dst_dir_fd=there)
        sync(there)
    return {}


def keep(path: str, slot: str, roots: list[str]) -> Done:
    """Put a copy of what stands at a path into its quarantine slot, the original untouched."""
    with at(path, roots) as (here, name), at(slot, roots) as (there, new):
        status = status_of(name, here)
        if status is not None:
            try:
                os.link(name, new, src_dir_fd=here, dst_dir_fd=there, follow_symlinks=False)
            except OSError as error:
                if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
                    raise
                _copy(name, here, new, there, status)
            sync(there)
    return {}


def restore(path: str, slot: str, aside: str, roots: list[str]) -> Done:
    """Put the slot's content back at the path; what stands there now moves aside."""
    with at(slot, roots) as (there, new):
        if status_of(new, there) is None:
            return {"refused": f"the kept copy {slot} is gone"}
    with at(path, roots) as (here, name):
        standing = status_of(name, here)
    if standing is not None:
        done = move(path, aside, roots)
        if done:
            return done
    return move(slot, path, roots)
