"""Copying what another program keeps appending to; taking copies back, and thinning them.

A copy is at every moment a beginning of its original. The original is only read: no link is
followed below the folder that it is said to lie in, and what is no regular file is refused.
Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from plugins.hands.growing import Fresh, Grown, alone, blocks_of, clear, made
from plugins.hands.prefixes import SEAM, compare, opened
from plugins.hands.tree import Done, at, identity, status_of, sync

_AT_ONCE = 64
_DOWN_AT_ONCE, _WRITTEN_AT_ONCE = 8, 2


def take(rows: list[list[Any]], roots: list[str], telling: bool = False) -> Done:
    """Take copies; one that cannot be had is passed over, and its old copy is as it was.

    Args:
        rows: [path of the copy, the original, the folder that this lies in, bytes that the copy
            has already or -1 where there is none, the copy's identity as it was looked at].
        roots: folders below which may be written.
        telling: refuse when one could not be had, though the others were taken.

    Returns:
        {} when one was taken at least; when `telling`, when all were.
    """
    unfit: list[str] = []
    for first in range(0, len(rows), _AT_ONCE):
        some = rows[first : first + _AT_ONCE]
        with _folders([row[0] for row in some], roots, unfit) as folders:
            _some(some, folders, unfit)
    lost = len(unfit) == len(rows) or (telling and unfit)
    return {"refused": "; ".join(unfit[:3])} if lost else {}


def _some(rows: list[list[Any]], folders: dict[str, int], unfit: list[str]) -> None:
    had = [row for row in rows if os.path.dirname(row[0]) in folders]
    # One is hashed while the next is read; a disk brings several down in the time of one.
    with ThreadPoolExecutor(_DOWN_AT_ONCE) as pool, ThreadPoolExecutor(_WRITTEN_AT_ONCE) as few:
        begun = list(few.map(lambda row: _begun(row, folders), had))
        unfit += [why for _, _, why in begun if why]
        fresh = [(path, one) for path, one, _ in begun if one is not None]
        unfit += filter(None, pool.map(lambda each: _settled(*each), fresh))
    for folder in {one.folder for _, one in fresh}:
        sync(folder)


def _begun(row: list[Any], folders: dict[str, int]) -> tuple[str, Fresh | None, str]:
    """Append to a copy, or write a new one that is to be settled; or return why neither went."""
    path, source, top, start, seen = row
    above, name = os.path.split(path)
    try:
        if start < 0:
            return path, _fresh(name, folders[above], source, top), ""
        _grow(name, folders[above], source, top, start, seen)
    except OSError as error:
        return path, None, f"{path}: {error.strerror or error}"
    return path, None, ""


def _settled(path: str, one: Fresh) -> str:
    """Bring a new copy down and name it; return why that failed, else ""."""
    try:
        one.settle()
    except OSError as error:
        one.drop()
        return f"{path}: {error.strerror or error}"
    finally:
        os.close(one.descriptor)
    return ""


@contextlib.contextmanager
def _folders(paths: list[str], roots: list[str], unfit: list[str]) -> Iterator[dict[str, int]]:
    """Yield the folders of the paths, open, and free of what dead processes began there."""
    with contextlib.ExitStack() as stack:
        folders = {}
        for folder in sorted({os.path.dirname(path) for path in paths}):
            inside = [path for path in paths if os.path.dirname(path) == folder]
            try:
                folders[folder] = stack.enter_context(at(inside[0], roots))[0]
                clear(folders[folder], set(map(os.path.basename, inside)))
            except OSError as error:
                folders.pop(folder, None)
                unfit += [f"{path}: {error.strerror or error}" for path in inside]
        yield folders


@contextlib.contextmanager
def _original(source: str, top: str) -> Iterator[tuple[int, os.stat_result]]:
    try:
        descriptor = opened(source, top)
    except OSError as error:
        raise OSError(error.errno, f"{source}: {error.strerror or error}") from None
    try:
        yield descriptor, os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _fresh(name: str, folder: int, source: str, top: str) -> Fresh:
    """Write a new copy beside its name, as long as the original is when it is opened."""
    with _original(source, top) as (reader, status):
        one = Fresh(name, folder)
        try:
            one.write(blocks_of(reader, 0, status.st_size), status.st_mtime_ns)
            if one.size != status.st_size:
                raise OSError(errno.EBUSY, f"{source} got shorter while it was copied")
        except BaseException:
            one.drop()
            os.close(one.descriptor)
            raise
        return one


def _grow(name: str, folder: int, source: str, top: str, start: int, seen: str) -> None:
    """Append what the original has more, if it goes on where the copy ends."""
    with _original(source, top) as (reader, status):
        one = Grown(name, folder, start, seen)
        try:
            begin = max(0, start - SEAM)
            size = start - begin
            if os.pread(one.descriptor, size, begin) != os.pread(reader, size, begin):
                raise OSError(errno.EINVAL, f"{source} does not go on where the copy ends")
            one.append(blocks_of(reader, start, status.st_size), status.st_mtime_ns)
        finally:
            os.close(one.descriptor)


def take_stream(
    blocks: Iterable[bytes], path: str, roots: list[str], start: int, mtime_ns: int
) -> Done:
    """Take a copy of what somebody hands out in blocks, from its beginning; of this host only."""
    unfit: list[str] = []
    with _folders([path], roots, unfit) as folders:
        if unfit:
            return {"refused": unfit[0]}
        (folder,) = folders.values()
        name = os.path.basename(path)
        if start >= 0:
            grown = Grown(name, folder, start, "")
            try:
                grown.append(grown.beyond(blocks), mtime_ns)
            finally:
                os.close(grown.descriptor)
            return {}
        with made(name, folder) as one:
            one.write(blocks, mtime_ns)
        sync(folder)
    return {}


def standing(paths: list[str], roots: list[str]) -> list[list[int]]:
    """Return [size, mtime_ns] of each path, [-1, 0] where nothing stands."""
    found = []
    for path in paths:
        try:
            with at(path, roots) as (folder, name):
                status = status_of(name, folder)
        except FileNotFoundError:
            status = None
        found.append([status.st_size, status.st_mtime_ns] if status else [-1, 0])
    return found


def take_back(rows: list[list[Any]], slot: str, roots: list[str]) -> Done:
    """Make copies what they were: [path, its former size or -1 for none, its former mtime_ns].

    A copy that was new is moved to the slot; what was appended to one is cut off, and kept there.
    """
    for number, (path, size, mtime_ns) in enumerate(rows):
        kept = f"{slot}.{number}"
        with at(path, roots) as (folder, name), at(kept, roots) as (there, new):
            status = status_of(name, folder)
            if status is None or status.st_size == size:
                continue  # this one was not to be had
            if size < 0 and _moved(name, folder, new, there):
                continue
            begin = max(0, size)
            with _open(name, folder, os.O_RDWR) as copy:
                alone(copy)
                status = os.fstat(copy)
                if status.st_nlink > 1 or status.st_size < begin:
                    raise OSError(errno.EPERM, "it was changed since", path)
                with made(new, there) as one:
                    one.write(blocks_of(copy, begin, status.st_size), status.st_mtime_ns)
                if size >= 0:
                    os.ftruncate(copy, size)
                    os.utime(copy, ns=(mtime_ns, mtime_ns))
                    os.fsync(copy)
            if size < 0:
                os.unlink(name, dir_fd=folder)
            sync(folder)
    return {}


def _moved(name: str, folder: int, new: str, there: int) -> bool:
    """Rename, if both lie on one file system."""
    try:
        os.rename(name, new, src_dir_fd=folder, dst_dir_fd=there)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return False
    sync(folder)
    return True


@contextlib.contextmanager
def _open(name: str, folder: int, flags: int) -> Iterator[int]:
    descriptor = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def let_go(path: str, longer: str, roots: list[str]) -> Done:
    """Take away a copy that another file begins with, byte for byte."""
    with at(path, roots) as (folder, name), at(longer, roots):
        top = next(root for root in roots if longer.startswith(root.rstrip("/") + "/"))
        (told,) = compare([[path, top, longer, top, 0]])
        if told["why"]:
            return {"refused": told["why"]}
        if told["common"] != told["sizes"][0] or told["identities"][0] == told["identities"][1]:
            return {"refused": f"{longer} does not begin with it"}
        now = status_of(name, folder)
        if now is None or identity(now) != told["identities"][0]:
            return {"refused": "it was changed while it was compared"}
        os.unlink(name, dir_fd=folder)
        sync(folder)
    return {}


def give_back(path: str, longer: str, looks: list[int], roots: list[str]) -> Done:
    """Make a copy again of what another file begins with; looks: size, mode, mtime_ns, uid, gid."""
    size, mode, mtime_ns, uid, gid = looks
    with at(path, roots) as (folder, name), at(longer, roots) as (there, other):
        with _open(other, there, os.O_RDONLY) as reader, made(name, folder) as one:
            one.write(blocks_of(reader, 0, size), mtime_ns)
            if one.size != size:
                raise OSError(errno.EINVAL, f"{longer} is shorter by now")
            if os.geteuid() == 0:
                os.fchown(one.descriptor, uid, gid)
            os.fchmod(one.descriptor, mode)
            os.utime(one.descriptor, ns=(mtime_ns, mtime_ns))
        sync(folder)
    return {}


def looks(path: str, roots: list[str]) -> list[int]:
    """Return size, mode, mtime_ns, uid and gid of a file."""
    with at(path, roots) as (folder, name):
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    mode = stat.S_IMODE(status.st_mode)
    return [status.st_size, mode, status.st_mtime_ns, status.st_uid, status.st_gid]
