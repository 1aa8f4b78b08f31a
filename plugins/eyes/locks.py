"""Whether a lock file is held.

Standard library only; a far host's python3 runs this source.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from typing import Any

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def look(path: str) -> dict[str, Any]:
    """Tell of a lock file.

    It is asked for by taking a shared lock for an instant: that disturbs nobody but one who tries,
    without waiting, to take it alone within the same instant.

    Returns:
        kind: "file", "absent", or "other" for a link, a FIFO, a folder and the like.
        held: whether somebody holds it, by flock or by fcntl.
        mtime: seconds since 1970.
        identity: device, inode, size and mtime in ns.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        return {"kind": "absent", "held": False, "mtime": 0.0, "identity": ""}
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.ENODEV):
            return {"kind": "other", "held": False, "mtime": 0.0, "identity": ""}
        raise
    try:
        seen = os.fstat(descriptor)
        regular = stat.S_ISREG(seen.st_mode)
        return {
            "kind": "file" if regular else "other",
            "held": regular and (_flocked(descriptor) or _listed(seen)),
            "mtime": seen.st_mtime,
            "identity": f"{seen.st_dev}:{seen.st_ino}:{seen.st_size}:{seen.st_mtime_ns}",
        }
    finally:
        os.close(descriptor)


def _flocked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def _listed(seen: os.stat_result) -> bool:
    """Tell whether the kernel lists a lock of it: shared ones, and those of fcntl."""
    place = f"{os.major(seen.st_dev):02x}:{os.minor(seen.st_dev):02x}:{seen.st_ino}"
    try:
        with open("/proc/locks", encoding="ascii", errors="replace") as file:
            return any(place in line.split() for line in file)
    except OSError:
        return False
