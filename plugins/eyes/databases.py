"""What stands at the path of a SQLite database and beside it, and who holds its locks.

No lock is taken. The file is opened for its header alone: whoever has a connection of their own in
this process must know that closing it drops that connection's locks.
Standard library only, and no import from this project: a far host's python3 runs this source.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import struct
import sys
import time
from typing import Any

MAGIC = b"SQLite format 3\0"
_JOURNAL = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_GRAIN = 0.02  # seconds within which two writes may leave the same time on a file
# Where SQLite puts its locks: os_unix.c and wal.c.
_PENDING, _RESERVED, _SHARED = 1 << 30, (1 << 30) + 1, (1 << 30) + 2
_WAL_WRITE = 120
# struct flock: start and length in 64 bits, as Python is built everywhere.
_LINUX, _OTHERS = "hhqqi", "qqihh"


def standing(path: str) -> dict[str, Any]:
    """Tell of a database without opening it as one; links are followed.

    Returns:
        real: the path, links followed. size, mode, uid: of the file. head: its first bytes are a
        database's. wal: its header names a write-ahead log. journal: bytes of a rollback journal
        that is not finished, 0 for none. log: bytes of the -wal, -1 where there is none.
        index: whether a -shm is there. mark: changes with every write to any of them.
        settled: whether a write after this look is sure to change the mark.

    Raises:
        OSError: ENOENT, EACCES; EPROTOTYPE where no regular file stands there.
    """
    real = os.path.realpath(path)
    descriptor = _opened(real)
    try:
        seen = os.fstat(descriptor)
        head = os.pread(descriptor, 100, 0)
    finally:
        os.close(descriptor)
    journal, log = _beside(f"{real}-journal"), _beside(f"{real}-wal")
    times = [seen.st_mtime_ns, seen.st_ctime_ns, *log[1:3], *journal[1:3]]
    age = time.time() - max(times) / 1e9
    return {
        "real": real,
        "size": seen.st_size,
        "mode": stat.S_IMODE(seen.st_mode),
        "uid": seen.st_uid,
        "head": head[:16] == MAGIC,
        "wal": head[18:20] == b"\2\2",
        "journal": journal[0] if journal[3] else 0,
        "log": log[0],
        "index": os.path.exists(f"{real}-shm"),
        "mark": f"{seen.st_dev}:{seen.st_ino}:{seen.st_size}:{times}:{head.hex()}:{journal}:{log}",
        "settled": age > _GRAIN or age < -1.0,
    }


def _opened(path: str) -> int:
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EPROTOTYPE, "is not a regular file", path)
    descriptor = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EPROTOTYPE, "is not a regular file", path)
    return descriptor


def _beside(path: str) -> tuple[int, int, int, bool]:
    """Return size, mtime and ctime in ns, and whether it is a journal that awaits its end."""
    try:
        seen = os.lstat(path)
        live = False
        if stat.S_ISREG(seen.st_mode) and path.endswith("-journal") and seen.st_size:
            descriptor = os.open(path, _FLAGS | os.O_NOFOLLOW)
            try:
                live = os.read(descriptor, 8) == _JOURNAL
            finally:
                os.close(descriptor)
    except FileNotFoundError:
        return -1, 0, 0, False
    return seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, live


def write_locks(path: str) -> list[int]:
    """Return the processes that hold a lock under which others cannot write; 0 for an unknown one.

    Raises:
        OSError: the database cannot be looked at.
    """
    real = os.path.realpath(path)
    os.stat(real)
    found = _holders(real, (_PENDING, _RESERVED, _SHARED), "WRITE")
    with contextlib.suppress(FileNotFoundError):
        found += _holders(f"{real}-shm", (_WAL_WRITE,), "WRITE")
    return sorted(set(found))


def read_locks(path: str) -> list[int]:
    """Return the processes for whose reading no transaction of others can end.

    None in a database with a write-ahead log, which everybody who has it open holds a lock of.
    """
    real = os.path.realpath(path)
    return [] if standing(real)["wal"] else _holders(real, (_SHARED,), "READ")


def _holders(path: str, places: tuple[int, ...], kind: str) -> list[int]:
    """Return who holds a lock of this kind: by the kernel's list, or by fcntl where it has none."""
    seen = os.stat(path)
    file = f"{os.major(seen.st_dev):02x}:{os.minor(seen.st_dev):02x}:{seen.st_ino}"
    return _listed(file, places, kind) or _asked(path, places, kind)


def _listed(file: str, places: tuple[int, ...], kind: str) -> list[int]:
    try:
        with open("/proc/locks", encoding="ascii", errors="replace") as table:
            rows = [line.split() for line in table if file in line]
    except OSError:
        return []
    return [
        max(0, int(row[4]))
        for row in rows
        if len(row) > 7
        and row[3] == kind
        and row[5] == file
        and any(int(row[6]) <= place and _last(row[7]) >= place for place in places)
    ]


def _last(word: str) -> int:
    return sys.maxsize if word == "EOF" else int(word)


def _asked(path: str, places: tuple[int, ...], kind: str) -> list[int]:
    descriptor = _opened(path)
    try:
        return [pid for place in places for pid in _holder(descriptor, place, kind)]
    finally:
        os.close(descriptor)


def _holder(descriptor: int, place: int, kind: str) -> list[int]:
    # A lock for reading is refused by those of writers alone; one for writing by readers' too.
    wanted = fcntl.F_RDLCK if kind == "WRITE" else fcntl.F_WRLCK
    if sys.platform == "linux":
        asked = struct.pack(_LINUX, wanted, os.SEEK_SET, place, 1, 0)
        told = fcntl.fcntl(descriptor, fcntl.F_GETLK, asked)
        held, _, _, _, pid = struct.unpack_from(_LINUX, told)
    else:
        asked = struct.pack(_OTHERS, place, 1, 0, wanted, os.SEEK_SET)
        told = fcntl.fcntl(descriptor, fcntl.F_GETLK, asked)
        _, _, pid, held, _ = struct.unpack_from(_OTHERS, told)
    return [] if held == fcntl.F_UNLCK else [max(0, pid)]


def blocked_by(path: str, seconds: float) -> list[int]:
    """Return the processes that hold one and the same lock, for which none can write, so long.

    The first look that finds none ends it: a database that nobody blocks costs no time.
    """
    ends = time.monotonic() + seconds
    holders = write_locks(path) + read_locks(path)
    transaction = _transaction(path)
    while holders and time.monotonic() < ends:
        time.sleep(min(0.05, seconds / 10))
        now = write_locks(path) + read_locks(path)
        if _transaction(path) != transaction:
            return []
        holders = [pid for pid in holders if pid in now]
    return sorted(set(holders))


def _transaction(path: str) -> str:
    """Return what stays the same within a transaction, and changes with the next one."""
    real = os.path.realpath(path)
    parts = []
    for name, start, size in ((real, 24, 4), (f"{real}-shm", 0, 48)):
        try:
            descriptor = _opened(name)
        except FileNotFoundError:
            continue
        try:
            parts.append(os.pread(descriptor, size, start).hex())
        finally:
            os.close(descriptor)
    with contextlib.suppress(FileNotFoundError):
        parts.append(str(os.stat(f"{real}-journal").st_ino))
    return ":".join(parts)
