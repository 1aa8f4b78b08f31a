"""What a step does to files and folders as wholes: modes, owners, moves and copies.

A hand answers `{}` when it is done and `{"refused": sentence}` when it did nothing.
Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

from plugins.hands.across import duplicate, hindrance, remove
from plugins.hands.tree import (
    READING,
    Done,
    at,
    digest_of,
    held,
    identity,
    is_left,
    status_of,
    sync,
    temporary_name,
)


def chmod(path: str, roots: list[str], mode: int, seen: str = "") -> Done:
    """Set permission bits, never through a link; `seen` is as `refusal` takes it."""
    with at(path, roots) as (descriptor, name), held(name, descriptor, seen) as (one, options):
        os.chmod(one, mode, **options)
    return {}


def chown(path: str, roots: list[str], uid: int, gid: int, seen: str = "") -> Done:
    """Set the owner, never through a link; -1 keeps one of the two."""
    with at(path, roots) as (descriptor, name), held(name, descriptor, seen) as (one, options):
        os.chown(one, uid, gid, **options)
    return {}


def mkdir(path: str, roots: list[str], mode: int) -> Done:
    """Make one folder with exactly this mode."""
    with at(path, roots) as (descriptor, name):
        os.mkdir(name, 0o700, dir_fd=descriptor)
        made = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
        try:
            keep_owner(made, descriptor, None)
            os.fchmod(made, mode)  # after the owner, whose change takes bits away
        finally:
            os.close(made)
    return {}


def rmdir(path: str, roots: list[str]) -> Done:
    """Remove an empty folder: only ever one that a step made.

    What a step that was killed was still writing there goes with it: nothing else stands there.
    """
    with at(path, roots) as (descriptor, name):
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
        try:
            left = os.listdir(folder)
            if all(is_left(one) for one in left):
                for one in left:
                    remove(one, folder)
        finally:
            os.close(folder)
        os.rmdir(name, dir_fd=descriptor)
    return {}


def keep_owner(new: int, folder: int, former: os.stat_result | None) -> None:
    """Give a new open file the owner of what it replaces, else of its folder (as root only)."""
    if os.geteuid() == 0:
        model = former or os.fstat(folder)
        os.fchown(new, model.st_uid, model.st_gid)


@contextlib.contextmanager
def renamed(name: str, descriptor: int) -> Iterator[str]:
    """Yield a temporary name in the folder; rename it over `name` at the end, or remove it."""
    temporary = temporary_name()
    try:
        yield temporary
        os.rename(temporary, name, src_dir_fd=descriptor, dst_dir_fd=descriptor)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            remove(temporary, descriptor)
        raise
    sync(descriptor)


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
            why = hindrance(name, here)
            if why:
                return {"refused": why}
            _carry(name, here, new, there)
        sync(there)
        sync(here)
    return {}


def _carry(name: str, here: int, new: str, there: int) -> None:
    """Copy to another file system, and remove the source if it is still what was copied."""
    before = os.stat(name, dir_fd=here, follow_symlinks=False)
    with renamed(new, there) as temporary:
        duplicate(name, here, temporary, there)
        now = os.stat(name, dir_fd=here, follow_symlinks=False)
        changed = stat.S_ISREG(now.st_mode) and identity(now) != identity(before)
        if changed or not os.path.samestat(now, before):
            raise OSError(errno.EBUSY, "it was changed while it was copied, and stays", name)
    remove(name, here)


def copy(source: str, target: str, roots: list[str]) -> Done:
    """Copy a file to a new name beside the target, compare, then rename over the target."""
    with at(source, roots) as (here, name), at(target, roots) as (there, new):
        status = os.stat(name, dir_fd=here, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            return {"refused": f"{source} is no regular file"}
        # Backups share files by such names, but then a file is its folder's owner's too.
        if status.st_nlink > 1 and status.st_uid != os.fstat(here).st_uid:
            return {"refused": f"{source} has another name (hard link), and not its folder's owner"}
        with renamed(new, there) as temporary:
            duplicate(name, here, temporary, there)
            with open(os.open(temporary, READING, dir_fd=there), "rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                keep_owner(file.fileno(), there, status_of(new, there))
                os.fchmod(file.fileno(), stat.S_IMODE(mode))
    return {}


def keep(path: str, slot: str, roots: list[str]) -> Done:
    """Put a copy of what stands at a path into its quarantine slot, the original untouched."""
    with at(path, roots) as (here, name), at(slot, roots) as (there, new):
        if status_of(name, here) is None:
            return {}
        try:
            os.link(name, new, src_dir_fd=here, dst_dir_fd=there, follow_symlinks=False)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
                raise
            with renamed(new, there) as temporary:
                duplicate(name, here, temporary, there)
        sync(there)
    return {}


def let_go(path: str, slot: str, roots: list[str]) -> Done:
    """Take the slot's second name off a file that was not replaced after all."""
    with at(path, roots) as (here, name), at(slot, roots) as (there, new):
        standing, kept = status_of(name, here), status_of(new, there)
        if standing and kept and os.path.samestat(standing, kept):
            os.unlink(new, dir_fd=there)
    return {}


def _stands_aside(path: str, aside: str, roots: list[str]) -> bool:
    # A restore that was cut short has kept it already.
    with at(path, roots) as (here, name), at(aside, roots) as (there, new):
        standing, kept = status_of(name, here), status_of(new, there)
        if standing is None or kept is None:
            return False
        if os.path.samestat(standing, kept):
            return True
        both = stat.S_ISREG(standing.st_mode) and stat.S_ISREG(kept.st_mode)
        return both and digest_of(name, here) == digest_of(new, there)


def restore(path: str, slot: str, aside: str, roots: list[str]) -> Done:
    """Put the slot's content back at the path in one rename; what stands there now stays aside."""
    with at(slot, roots) as (there, new):
        if status_of(new, there) is None:
            return {"refused": f"the kept copy {slot} is gone"}
    if not _stands_aside(path, aside, roots):
        keep(path, aside, roots)
    with at(slot, roots) as (here, name), at(path, roots) as (there, new):
        try:
            os.rename(name, new, src_dir_fd=here, dst_dir_fd=there)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _carry(name, here, new, there)
        sync(there)
        sync(here)
    return {}
