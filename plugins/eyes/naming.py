"""What names lead to: host names to addresses, tool names to programs.

Standard library only, and no import from this project: a far host's python3 runs this source.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import threading
import time


def resolved(names: list[str], wait: float) -> dict[str, dict[str, object]]:
    """Ask the host's own resolver for every name at once.

    Returns:
        For each name: addresses (list of str) and trouble: "" when it resolved, "silent" when no
        answer came within `wait` seconds, else the resolver's own words.
    """
    answers: dict[str, dict[str, object]] = {}
    threads = [threading.Thread(target=_ask, args=(name, answers), daemon=True) for name in names]
    for thread in threads:
        thread.start()
    end = time.monotonic() + wait
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    silent: dict[str, object] = {"addresses": [], "trouble": "silent"}
    return {name: dict(answers.get(name, silent)) for name in names}


def _ask(name: str, answers: dict[str, dict[str, object]]) -> None:
    try:
        rows = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError as trouble:
        answers[name] = {"addresses": [], "trouble": trouble.strerror or "does not resolve"}
    except (UnicodeError, ValueError):
        answers[name] = {"addresses": [], "trouble": "is no host name"}
    else:
        addresses = sorted({str(row[4][0]) for row in rows})
        answers[name] = {"addresses": addresses, "trouble": ""}


def programs(names: list[str], more: list[str]) -> dict[str, str]:
    """Give for each program name where it stands, "" where it is on no folder of PATH or `more`."""
    folders = [*os.environ.get("PATH", os.defpath).split(os.pathsep), *more]
    path = os.pathsep.join(folder for folder in folders if folder)
    return {name: shutil.which(name, path=path) or "" for name in names}


def zone(file: str) -> str:
    """Say what is wrong with the file that tells the time zone; a symbolic link is followed.

    Returns:
        "" when it is a zone, "missing" when nothing is there, else what it is instead.

    Raises:
        OSError: it may not be read.
    """
    try:
        seen = os.stat(file)
    except FileNotFoundError:
        return "leads nowhere" if os.path.islink(file) else "missing"
    if not stat.S_ISREG(seen.st_mode):
        return "is no file"
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return "" if os.read(descriptor, 4) == b"TZif" else "is no time zone"
    finally:
        os.close(descriptor)
