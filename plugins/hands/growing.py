"""A copy that is written: a new one beside its name, or one that is appended to where it stands.

What was written is brought to the disk, read back, and compared by size and SHA-256 before it
counts. Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator

from plugins.hands.files import keep_owner
from plugins.hands.tree import CHUNK, identity, status_of

_TEMPORARY = re.compile(r"(?s)(.+)\.(\d+)\.\d+\.tmp")
_MAKING = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_GROWING = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK


def blocks_of(descriptor: int, begin: int, end: int) -> Iterator[bytes]:
    """Yield a part of an open file; it ends early where the file does."""
    while begin < end:
        block = os.pread(descriptor, min(CHUNK, end - begin), begin)
        if not block:
            return
        yield block
        begin += len(block)


def poured(descriptor: int, blocks: Iterable[bytes], place: int) -> tuple[int, bytes]:
    """Write blocks from a place on; return where they end and their SHA-256."""
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
        left = memoryview(block)
        while left:
            written = os.pwrite(descriptor, left, place)
            left, place = left[written:], place + written
    return place, digest.digest()


def proven(descriptor: int, begin: int, end: int, digest: bytes) -> None:
    """Read back what was written; raise EIO when it is not what was meant, or not all."""
    found = hashlib.sha256()
    for block in blocks_of(descriptor, begin, end):
        found.update(block)
    if os.fstat(descriptor).st_size != end or found.digest() != digest:
        raise OSError(errno.EIO, "what was written does not read back as it was")


class Fresh:
    """A new copy, in a temporary file until it is whole.

    Args:
        name, folder: where it is to stand; the folder is open, and the owner's who gets the copy.
    """

    def __init__(self, name: str, folder: int) -> None:
        if status_of(name, folder) is not None:
            raise OSError(errno.EEXIST, "something stands under its name by now")
        self.name, self.folder, self.size, self.digest = name, folder, 0, b""
        self._now = f"{name}.{os.getpid()}.{time.monotonic_ns()}.tmp"
        self.descriptor = os.open(self._now, _MAKING, 0o600, dir_fd=folder)

    def write(self, blocks: Iterable[bytes], mtime_ns: int) -> None:
        """Fill it, for the owner's eyes alone, with the original's time."""
        keep_owner(self.descriptor, self.folder, None)
        os.fchmod(self.descriptor, 0o600)
        self.size, self.digest = poured(self.descriptor, blocks, 0)
        os.utime(self.descriptor, ns=(mtime_ns, mtime_ns))

    def settle(self) -> None:
        """Bring it to the disk, read it back, and give it its name."""
        os.fsync(self.descriptor)
        proven(self.descriptor, 0, self.size, self.digest)
        folders = {"src_dir_fd": self.folder, "dst_dir_fd": self.folder}
        try:
            # Unlike a rename it never takes the place of what somebody put there just now.
            os.link(self._now, self.name, **folders, follow_symlinks=False)
        except FileExistsError:
            raise OSError(errno.EEXIST, "something appeared under its name meanwhile") from None
        except OSError:  # a file system without second names
            if status_of(self.name, self.folder) is not None:
                raise OSError(errno.EEXIST, "something appeared under its name") from None
            os.rename(self._now, self.name, **folders)
        else:
            os.unlink(self._now, dir_fd=self.folder)
        self._now = self.name

    def drop(self) -> None:
        """Take it away again."""
        with contextlib.suppress(OSError):
            os.unlink(self._now, dir_fd=self.folder)


@contextlib.contextmanager
def made(name: str, folder: int) -> Iterator[Fresh]:
    """Yield a new copy to be filled; at the end it is settled, or leaves no trace."""
    one = Fresh(name, folder)
    try:
        yield one
        one.settle()
    except BaseException:
        one.drop()
        raise
    finally:
        os.close(one.descriptor)


def alone(descriptor: int) -> None:
    """Keep others from an open copy until it is closed; raise EBUSY where one of them has it.

    Who gives up what he appended cuts it off: another's bytes, written behind it by then, would
    stand behind a hole.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OSError(errno.EBUSY, "somebody else is writing to it now") from None
    except OSError:
        return  # a file system without locks


class Grown:
    """A copy that is appended to; at every moment it is a beginning of the original.

    Args:
        name, folder: where it stands.
        start: bytes that it has.
        seen: its identity as it was looked at, "" to skip.
    """

    def __init__(self, name: str, folder: int, start: int, seen: str) -> None:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        if status.st_nlink > 1:
            raise OSError(errno.EMLINK, "it has another name (hard link), which would change too")
        self.start = start
        self.descriptor = os.open(name, _GROWING, dir_fd=folder)
        try:
            alone(self.descriptor)
            self._before = os.fstat(self.descriptor)
            changed = (seen and identity(self._before) != seen) or self._before.st_size != start
            if changed or not os.path.samestat(self._before, status):
                raise OSError(errno.EPERM, "it was changed since it was looked at")
        except OSError:
            os.close(self.descriptor)
            raise

    def append(self, blocks: Iterable[bytes], mtime_ns: int) -> None:
        """Append, bring it to the disk and read it back; on any error it is what it was."""
        try:
            end, digest = poured(self.descriptor, blocks, self.start)
            os.utime(self.descriptor, ns=(mtime_ns, mtime_ns))
            os.fsync(self.descriptor)
            proven(self.descriptor, self.start, end, digest)
        except BaseException:
            self._cut()
            raise

    def beyond(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield what comes behind the bytes that it has, which must be the first of the blocks."""
        place = 0
        for block in blocks:
            known = min(len(block), max(0, self.start - place))
            if known and os.pread(self.descriptor, known, place) != block[:known]:
                raise OSError(errno.EINVAL, "the original does not begin with the copy")
            place += len(block)
            if block[known:]:
                yield block[known:]
        if place < self.start:
            raise OSError(errno.EINVAL, "the original is shorter than the copy")

    def _cut(self) -> None:
        with contextlib.suppress(OSError):
            os.ftruncate(self.descriptor, self.start)
            os.utime(self.descriptor, ns=(self._before.st_atime_ns, self._before.st_mtime_ns))
            os.fsync(self.descriptor)


def clear(folder: int, names: set[str]) -> None:
    """Take away the temporaries that dead processes left of copies of these names."""
    for temporary in os.listdir(folder):
        told = _TEMPORARY.fullmatch(temporary) if temporary.endswith(".tmp") else None
        if told and told[1] in names and not _lives(int(told[2])):
            status = status_of(temporary, folder)
            if status and stat.S_ISREG(status.st_mode):
                os.unlink(temporary, dir_fd=folder)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
