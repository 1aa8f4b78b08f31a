"""OSErrors in words: each becomes the outcome that a person reads."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from plugins.outcomes import CannotTell, NoPermission, NotThere, TooBig, WrongKind

_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ESRCH}
_FORBIDDEN = {errno.EACCES, errno.EPERM}
_SILENT = {errno.ETIMEDOUT, errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN}


def shown(name: str) -> str:
    """Return a file's name fit for a sentence: no control characters, no undecodable bytes."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def outcome_of(error: OSError, what: str, limit: int = 0) -> CannotTell:
    """Return the outcome to raise for an error of the operating system.

    Args:
        error: what was met; its own file name, when it has one, is the one that is told.
        what: the file or thing that was asked for.
        limit: the one that EFBIG (bytes) and E2BIG (entries) are told with.
    """
    if error.errno == errno.EFBIG:
        return TooBig(shown(what), limit)
    if error.errno == errno.E2BIG:
        return too_many(shown(what), limit)
    named = error.filename if isinstance(error.filename, str) else what
    place = shown(named)
    if error.errno in _GONE:
        return NotThere(f"{place} is not there")
    if error.errno in _FORBIDDEN:
        return NoPermission(f"we may not look at {place}")
    words = error.strerror or os.strerror(error.errno or 0)
    wrong = {
        errno.ELOOP: "is a symbolic link or a loop of them",
        errno.ENAMETOOLONG: "is too long for a name",
        errno.EPROTOTYPE: words,
    }
    if error.errno in wrong:
        return WrongKind(f"{place} {wrong[error.errno]}")
    if error.errno in _SILENT:
        return CannotTell(f"{place} does not answer (a dead mount or a broken disk): {words}")
    return CannotTell(f"{place}: {words}")


def too_many(what: str, limit: int) -> TooBig:
    """Return the outcome for a folder or list with more than `limit` entries."""
    error = TooBig(what, limit)
    error.args = (f"{what}: more than our limit of {limit} entries",)
    return error


@contextmanager
def in_words(what: str, limit: int = 0) -> Iterator[None]:
    """Turn an OSError of the block into its outcome; EFBIG and E2BIG tell the `limit`."""
    try:
        yield
    except OSError as error:
        raise outcome_of(error, what, limit) from None
    except ValueError as error:
        raise WrongKind(f"{shown(what)}: {error}") from None
