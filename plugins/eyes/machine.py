"""Memory, pressure, processors and clock of a Linux machine, or of the container we are in."""

from __future__ import annotations

import ctypes
import errno
import os
import time
from typing import Any

# Version 1 of control groups says "no limit" with a number near 2^63.
NO_LIMIT = 1 << 60
STA_UNSYNC = 0x40


def text(path: str) -> str:
    """Return a small file of /proc or /sys, or nothing when there is none."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(1 << 20)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        # A kernel without pressure statistics has the file and refuses to read it.
        if error.errno in {errno.EOPNOTSUPP, errno.EINVAL, errno.ENODEV}:
            return ""
        raise


def pairs(content: str) -> dict[str, int]:
    """Return lines of `name number` or `name: number kB` as bytes and counts."""
    found = {}
    for line in content.splitlines():
        words = line.replace(":", " ").split()
        if len(words) >= 2 and words[1].isdecimal():
            found[words[0]] = int(words[1]) * (1024 if words[2:] == ["kB"] else 1)
    return found


def groups(proc: str, sys: str, controller: str, who: str = "self") -> list[tuple[int, str]]:
    """Return (version, folder) of the control groups that limit a process, the nearest first."""
    found = []
    for line in text(f"{proc}/{who}/cgroup").splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            roots = [(2, f"{sys}/fs/cgroup"), (2, f"{sys}/fs/cgroup/unified")]
        elif controller in controllers.split(","):
            roots = [(1, f"{sys}/fs/cgroup/{controllers}"), (1, f"{sys}/fs/cgroup/{controller}")]
        else:
            continue
        parts = [part for part in path.split("/") if part not in {"", ".."}]
        for version, root in roots:
            # Inside a container the path is often the host's, and only the root is there.
            found += [
                (version, folder)
                for count in range(len(parts), -1, -1)
                if os.path.isdir(folder := "/".join([root, *parts[:count]]))
            ]
    return found


def number(path: str) -> int | None:
    """Return the number in a file, or None when there is none, `max` or one that means no limit."""
    content = text(path).strip()
    return int(content) if content.isdecimal() and int(content) < NO_LIMIT else None


def bounds(proc: str, sys: str, who: str) -> list[list[int]]:
    """Return [limit, taken] in bytes of each control group that limits a process's memory.

    What is taken is without the files that would be given back before anything is killed, those
    that are read often too. None of it is known of a process that is gone.
    """
    found = []
    for version, folder in groups(proc, sys, "memory", who):
        names, cache = ("memory.max", "memory.current"), ("inactive_file", "active_file")
        if version == 1:
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
            cache = ("total_inactive_file", "total_active_file")
        limit = number(f"{folder}/{names[0]}")
        if limit is None:
            continue
        counted = pairs(text(f"{folder}/memory.stat"))
        reclaimable = sum(counted.get(kind, 0) for kind in cache)
        found.append([limit, (number(f"{folder}/{names[1]}") or 0) - reclaimable])
    return found


def memory(proc: str, sys: str) -> dict[str, Any]:
    """Return bytes of memory: total, available, and the tightest control group limit or None."""
    known = pairs(text(f"{proc}/meminfo"))
    if "MemTotal" not in known:
        raise OSError(errno.ENOSYS, "this host has no /proc/meminfo", f"{proc}/meminfo")
    total = known["MemTotal"]
    free = known.get("MemFree", 0) + known.get("Cached", 0) + known.get("Buffers", 0)
    available = known.get("MemAvailable", free)
    tightest = None
    for limit, taken in bounds(proc, sys, "self"):
        if limit < total:
            tightest = limit if tightest is None else min(limit, tightest)
            available = min(available, max(0, limit - taken))
    return {
        "total": total if tightest is None else min(total, tightest),
        "available": available,
        "limit": tightest,
    }


def pressure(proc: str, kind: str) -> dict[str, float] | None:
    """Return the shares of time (percent) lost to a shortage of cpu, memory or io, or None."""
    found = {}
    for line in text(f"{proc}/pressure/{kind}").splitlines():
        who, *fields = line.split()
        for field in fields:
            name, _, value = field.partition("=")
            if name in {"avg10", "avg60"}:
                found[f"{who}{name[3:]}"] = float(value)
    # Older kernels have no "full" line for the processors.
    return {"full10": 0.0, "full60": 0.0, **found} if "some60" in found else None


def processors(proc: str, sys: str) -> float:
    """Return how many processors we may use, by affinity and by control group quotas."""
    if hasattr(os, "sched_getaffinity"):
        usable = float(len(os.sched_getaffinity(0)))
    else:
        usable = float(os.cpu_count() or 1)
    for version, folder in groups(proc, sys, "cpu"):
        if version == 2:
            quota, _, period = text(f"{folder}/cpu.max").strip().partition(" ")
        else:
            quota = text(f"{folder}/cpu.cfs_quota_us").strip()
            period = text(f"{folder}/cpu.cfs_period_us").strip()
        if quota.isdecimal() and period.isdecimal() and int(period) > 0:
            usable = min(usable, int(quota) / int(period))
    return usable


def load() -> list[float]:
    """Return the load averages over 1, 5 and 15 minutes."""
    return list(os.getloadavg())


def oom_kills(proc: str, sys: str) -> int:
    """Return how many processes were killed for lack of memory since boot.

    The machine's counter counts those of control groups too; theirs is asked for older kernels.
    """
    counts = [pairs(text(f"{proc}/vmstat")).get("oom_kill", 0)]
    for version, folder in groups(proc, sys, "memory"):
        name = "memory.events" if version == 2 else "memory.oom_control"
        counts.append(pairs(text(f"{folder}/{name}")).get("oom_kill", 0))
    return max(counts)


def booted(proc: str) -> float:
    """Return when the machine was started, in seconds since 1970."""
    since = pairs(text(f"{proc}/stat")).get("btime")
    if since is None:
        raise OSError(errno.ENOSYS, "this host does not tell when it was started", f"{proc}/stat")
    return float(since)


def now() -> float:
    """Return the host's own clock, in seconds since 1970."""
    return time.time()


def synchronised() -> bool | None:
    """Tell whether the kernel knows its clock to be set by a time service; None: unknown."""
    try:
        ask = ctypes.CDLL(None, use_errno=True).adjtimex
    except (AttributeError, OSError):
        return None
    # struct timex is at most 208 bytes; modes 0 only reads. `status` stands after an int, padding
    # and four longs.
    answer = ctypes.create_string_buffer(512)
    if ask(answer) < 0:
        return None
    status = ctypes.c_int.from_buffer(answer, 5 * ctypes.sizeof(ctypes.c_long)).value
    return not status & STA_UNSYNC


def zone() -> str:
    """Return the name of the time zone, such as Europe/Berlin, or nothing when none is set."""
    if named := os.environ.get("TZ", "").removeprefix(":"):
        return named
    try:
        real = os.path.realpath("/etc/localtime", strict=True)
    except OSError:
        real = ""
    if "/zoneinfo/" in real:
        return real.partition("/zoneinfo/")[2]
    return text("/etc/timezone").strip()


def own_zone(root: str = "") -> str:
    """Return the name of the zone that a machine is set to, whatever our own environment says.

    Nothing where none is set, and the path of a file that does not tell its name.

    Args:
        root: where the machine's files are seen, such as /proc/12/root for a container's.
    """
    path = f"{root}/etc/localtime"
    try:
        # Of another root, a link that is followed would lead to our own files.
        target = os.readlink(path) if root else os.path.realpath(path, strict=True)
    except OSError:
        target = path if os.path.lexists(path) else ""
    if "/zoneinfo/" in target:
        return target.partition("/zoneinfo/")[2]
    return text(f"{root}/etc/timezone").strip() or target
