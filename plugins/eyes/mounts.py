"""The room that is left where a path lies."""

from __future__ import annotations

import os
import re
from typing import Any


def room(path: str) -> dict[str, Any]:
    """Return what statvfs and the mount table say of a path, or of its nearest parent that exists.

    Links are followed, as data that is written there would be. Sizes are bytes.
    """
    real = os.path.realpath(path)
    while True:
        try:
            seen = os.statvfs(real)
            break
        except (FileNotFoundError, NotADirectoryError):
            if real == "/":
                raise
            real = os.path.dirname(real)
    mount, device, kind = mounted_at(real)
    used = seen.f_blocks - seen.f_bfree
    files = seen.f_files - seen.f_ffree
    return {
        "path": real,
        "mount": mount,
        "device": device,
        "kind": kind,
        "total": seen.f_blocks * seen.f_frsize,
        "free": seen.f_bavail * seen.f_frsize,
        # As df does: blocks that are kept for root count for nobody.
        "used_percent": percent(used, used + seen.f_bavail),
        "inodes_total": seen.f_files,
        "inodes_used_percent": percent(files, files + seen.f_favail),
        "read_only": bool(seen.f_flag & os.ST_RDONLY),
    }


def percent(part: int, whole: int) -> float:
    """Return a share in percent, 0 when there is no whole (file systems that do not count)."""
    return 100.0 * part / whole if whole > 0 else 0.0


def mounted_at(real: str) -> tuple[str, str, str]:
    """Return the mount point, device and type of the file system that holds a real path."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
            lines = table.read().splitlines()
    except OSError:
        lines = []
    best = ("", "", "")
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if len(fields) < 5 or len(rest) < 2:
            continue
        point = unescaped(fields[4])
        under = real == point or real.startswith(point.rstrip("/") + "/")
        # A later mount hides an earlier one at the same place.
        if under and len(point) >= len(best[0]):
            best = (point, unescaped(rest[1]), rest[0])
    if best[0]:
        return best
    while not os.path.ismount(real):
        real = os.path.dirname(real)
    return (real, "", "")


def unescaped(field: str) -> str:
    """Return a field of the mount table with its octal escapes (space, tab, newline) undone."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)
