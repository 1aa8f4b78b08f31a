"""One watch of the same systems at a time."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from plugins.journal import private_folder


class Taken(Exception):  # noqa: N818 - it is no error; the message is for a person
    """Another watch of the same systems runs; the message says which process it is."""


def held(folder: Path, systems: Iterable[str]) -> int:
    """Take the lock of a watch of these systems, and write down who holds it.

    Args:
        folder: the state folder.
        systems: what is watched; their order tells nothing.

    Returns:
        The descriptor that holds the lock while it is open, which is while the process lives.

    Raises:
        Taken: another process holds it; nothing was touched.
        OSError: the folder cannot be used.
    """
    names = "\n".join(sorted(systems))
    path = _path(private_folder(folder), systems)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        who = os.pread(descriptor, 20, 0).split(b"\n")[0].decode("ascii", "replace")
        os.close(descriptor)
        raise Taken(f"process {who or 'unknown'} watches {', '.join(sorted(systems))}") from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n{names}\n".encode(), 0)
    return descriptor


def kept(descriptor: int, folder: Path, systems: Iterable[str]) -> int:
    """Take the lock anew where somebody took its file away, which lets another watch begin.

    Args:
        descriptor: that held it so far.
        folder: the state folder.
        systems: what is watched.

    Returns:
        The descriptor that holds it now.

    Raises:
        Taken: another watch began meanwhile.
        OSError: the folder cannot be used; what was held is held.
    """
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(os.stat(_path(folder, systems)), os.fstat(descriptor)):
            return descriptor
    anew = held(folder, systems)
    released(descriptor)
    return anew


def _path(folder: Path, systems: Iterable[str]) -> Path:
    names = "\n".join(sorted(systems))
    return folder / f"watch-{hashlib.sha256(names.encode()).hexdigest()[:12]}.lock"


def released(descriptor: int) -> None:
    """Let the lock go."""
    with contextlib.suppress(OSError):
        os.close(descriptor)
