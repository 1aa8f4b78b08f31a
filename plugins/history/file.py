"""The file of the history: opened by one process at a time, checked, and set aside where damaged.

Every use holds a lock beside it, so that a damaged file is moved away under nobody. SQLite's own
rollback journal brings a file back that a killed run left half written.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from plugins.history import schema
from plugins.journal import private_folder
from plugins.text import printable

if TYPE_CHECKING:
    from sqlite3 import Connection

NAME = "history.sqlite3"
_LOCK = "history.lock"
_COMPANIONS = ("-journal", "-wal", "-shm")
_PATIENCE_S = 5.0  # others hold the lock for some hundredths of a second
_BUSY_S = 2.0  # a person's own sqlite3 shell knows nothing of our lock
# SQLite's primary result codes: our statements meet other tables, damage, rows that cannot be, a
# column of another kind, and what is no database.
_DAMAGED = frozenset({1, 11, 19, 20, 26})
_UNWRITABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})

T = TypeVar("T")


class NoHistory(Exception):  # noqa: N818 - what happened to us, in a sentence
    """The history can not be read or not be written; what stands in it is as it was."""


class Damaged(Exception):  # noqa: N818 - what happened to us, in a few words
    """What stands there is no history that can be read."""


def used(
    folder: Path,
    work: Callable[[Connection], T],
    tell: Callable[[str], None] | None,
    *,
    write: bool,
) -> T | None:
    """Do something with the history, alone.

    Args:
        folder: the state folder; made where something is to be written.
        work: is given the open database; what it writes is whole or not at all.
        tell: takes a sentence where a damaged file was set aside; None where none is to be.
        write: whether something is to be written; else nothing is made.

    Returns:
        What `work` returned; None where there is no history and none is to be made.

    Raises:
        NoHistory: the file cannot be used.
    """
    try:
        if not write and not os.path.lexists(folder / NAME):
            return None
        with _alone(folder, write=write) as writable:
            try:
                return _done(folder / NAME, work, writable=writable)
            except Damaged as why:
                if not writable or tell is None:
                    raise NoHistory(f"{folder / NAME} is damaged: {why}") from None
                aside = _set_aside(folder / NAME)
                tell(
                    f"the history was damaged ({printable(str(why))}): it was set aside as "
                    f"{aside}, and a new one begins"
                )
                return _done(folder / NAME, work, writable=True) if write else None
    except Damaged as why:  # the new one, too: what is below it is broken
        raise NoHistory(f"{folder / NAME} is damaged: {why}") from None
    except OSError as error:
        raise NoHistory(f"{error.filename or folder}: {error.strerror}") from None


@contextlib.contextmanager
def _alone(folder: Path, *, write: bool) -> Iterator[bool]:
    """Hold the lock; gives whether the folder can be written to."""
    descriptor, writable = -1, True
    flags = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        private_folder(folder)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | flags, 0o600)
    except OSError as error:
        if write or error.errno not in _UNWRITABLE:
            raise
        writable = False
        with contextlib.suppress(OSError):
            descriptor = os.open(folder / _LOCK, os.O_RDONLY | flags)
    try:
        if descriptor >= 0:
            _locked(descriptor)
        yield writable
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _locked(descriptor: int) -> None:
    ends = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= ends:
                raise NoHistory(f"others have used it for {_PATIENCE_S:g} s") from None
        time.sleep(0.005)


def _made_private(path: Path, *, writable: bool) -> None:
    """See to it that a regular file of ours is there, for our eyes alone."""
    flags = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        how = os.O_RDWR | os.O_CREAT if writable else os.O_RDONLY
        descriptor = os.open(path, how | flags, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NoHistory(f"{path} is a symbolic link, which is not followed") from None
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise NoHistory(f"{path} is no regular file")
        if writable and stat.S_IMODE(found.st_mode) != 0o600:
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def _refuse_odd_companions(path: Path) -> None:
    """See to it that SQLite's own files beside it are files: at a pipe it would wait for ever."""
    for tail in _COMPANIONS:
        beside = path.with_name(f"{NAME}{tail}")
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(beside.lstat().st_mode):
                raise NoHistory(f"{beside} is no regular file")


def _done(path: Path, work: Callable[[Connection], T], *, writable: bool) -> T:
    import sqlite3

    _made_private(path, writable=writable)
    _refuse_odd_companions(path)
    interrupted = path.with_name(f"{NAME}-journal").exists()
    name = f"file:{quote(os.fsencode(path))}?mode={'rw' if writable else 'ro'}"
    try:
        with contextlib.closing(
            sqlite3.connect(name, uri=True, timeout=_BUSY_S, isolation_level=None)
        ) as database:
            trouble = schema.opened(database, writable=writable)
            if trouble:
                raise Damaged(trouble)
            if interrupted:
                # A run that is killed leaves a journal; one that could not be used leaves damage.
                _checked(database)
            return work(database)
    except schema.Newer as why:
        raise NoHistory(f"{path}: {why}") from None
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        # Text that is no UTF-8 is told by Python, which has no code for it.
        if code in _DAMAGED or (not code and isinstance(error, sqlite3.OperationalError)):
            raise Damaged(str(error)) from None
        raise NoHistory(f"{path}: {error}") from None
    except UnicodeEncodeError as error:  # of what we were to write: the file is as it was
        raise NoHistory(f"{path} cannot hold {error.object[:200]!r}") from None
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise Damaged(f"it holds what no run wrote: {type(error).__name__}") from None


def _checked(database: Connection) -> None:
    trouble = schema.damage(database)
    if trouble:
        raise Damaged(trouble)


def _set_aside(path: Path) -> str:
    """Move the file away, with the journal that belongs to it; return its new name."""
    now = datetime.datetime.now(datetime.UTC)
    stem = f"history-damaged-{now:%Y%m%dT%H%M%S}"
    names = (f"{stem}{n}.sqlite3" for n in ("", *(f"-{n}" for n in range(2, 1000))))
    aside = next(n for n in names if not os.path.lexists(path.with_name(n)))
    for tail in (*_COMPANIONS, ""):
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{path}{tail}", path.with_name(f"{aside}{tail}"))
    return aside
