"""What stands at some paths, and what the small files among them say.

Standard library only, and no import from this project: a far host's python3 runs this source.
"""

from __future__ import annotations

import os
import pwd
import stat
import threading
import time
from collections.abc import Callable


def at(paths: list[str], limit: int, follow: bool = True) -> dict[str, dict[str, object]]:
    """Give for each path its kind, its owner and the text of a file of at most `limit` bytes.

    A row has kind ("file", "folder", "other", "missing", "denied", "too big", "silent"), uid (-1
    when unknown) and text ("" unless the kind is "file"). A last symbolic link is followed, for
    configuration is often linked, unless `follow` is false: then it is "other". Nothing is ever
    waited for: a FIFO or device is "other", and what lies on a dead mount is "silent" after 3 s.
    """
    rows: dict[str, dict[str, object]] = {}

    def look(some: list[str]) -> None:
        for path in some:
            rows[path] = _look(path, limit, follow)

    # One look after the other is quickest; where one of them hangs, each of the rest is tried.
    _within(0.5, look, [list(paths)])
    left = [path for path in paths if path not in rows]
    _within(2.5, look, [[path] for path in left])
    silent: dict[str, object] = {"kind": "silent", "uid": -1, "text": ""}
    return {path: rows.get(path, silent) for path in paths}


def _within(seconds: float, work: Callable[[list[str]], None], parts: list[list[str]]) -> None:
    threads = [threading.Thread(target=work, args=(part,), daemon=True) for part in parts]
    end = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))


def folders(paths: list[str]) -> list[str]:
    """Give for each path "folder", "missing", "denied" or "other"; links are followed."""
    return [str(_look(path, 0, True)["kind"]).replace("file", "other") for path in paths]


def now() -> float:
    """Give the host's own time in seconds since 1970."""
    return time.time()


def home() -> str:
    """Give the home folder of the user that runs this; "/" when none is known."""
    found = os.path.expanduser("~")
    return found if found.startswith("/") else "/"


def accounts(names: list[str]) -> dict[str, list[object]]:
    """Give [uid, name, home] for each user name or number; an unknown one is left out."""
    found: dict[str, list[object]] = {}
    for name in names:
        try:
            row = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
        except (KeyError, OverflowError):
            continue
        found[name] = [row.pw_uid, row.pw_name, row.pw_dir]
    return found


def _look(path: str, limit: int, follow: bool) -> dict[str, object]:
    try:
        seen = os.stat(path) if follow else os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return {"kind": "missing", "uid": -1, "text": ""}
    except PermissionError:
        return {"kind": "denied", "uid": -1, "text": ""}
    except (OSError, ValueError):
        return {"kind": "other", "uid": -1, "text": ""}
    kind, text = "other", ""
    if stat.S_ISDIR(seen.st_mode):
        kind = "folder"
    elif stat.S_ISREG(seen.st_mode):
        kind, text = _content(path, limit) if limit else ("file", "")
    return {"kind": kind, "uid": seen.st_uid, "text": text}


def _content(path: str, limit: int) -> tuple[str, str]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        return "denied", ""
    except OSError:
        return "other", ""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return "other", ""
        parts, left = [], limit + 1
        while left > 0 and (part := os.read(descriptor, min(left, 8 << 10))):
            parts.append(part)
            left -= len(part)
    except OSError:
        return "other", ""
    finally:
        os.close(descriptor)
    if left <= 0:
        return "too big", ""
    return "file", b"".join(parts).decode("utf-8", "surrogateescape")
