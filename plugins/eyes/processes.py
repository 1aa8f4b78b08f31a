"""What /proc tells of processes. Where there is no /proc: OSError with errno ENOSYS."""

from __future__ import annotations

import errno
import os
import pwd
from collections.abc import Iterator
from typing import Any

GONE = (FileNotFoundError, ProcessLookupError, NotADirectoryError)
# A command line may be 2 MiB long; nobody needs more than this to know a program.
LONGEST = 1 << 17
_PAGE = 4096


def content(path: str, limit: int = LONGEST) -> bytes:
    """Return the first `limit` bytes of a file of /proc."""
    # Room for all that may come, for each of some thousand files of some hundred bytes, leaves the
    # heap of a watch in shreds, and costs more than the reading.
    room = _PAGE
    with open(path, "rb", buffering=0) as file:
        parts = bytearray()
        while len(parts) < limit and (chunk := file.read(min(room, limit - len(parts)))):
            parts += chunk
            room = max(room, len(parts))
    return bytes(parts)


def numbers(proc: str) -> list[int]:
    """Return the ids of all processes, in order."""
    if not os.path.exists(f"{proc}/stat"):
        raise OSError(errno.ENOSYS, "this host has no /proc to look at processes", proc)
    return sorted(int(name) for name in os.listdir(proc) if name.isdecimal())


def booted(proc: str) -> int:
    """Return when the machine was started, in seconds since 1970."""
    for line in content(f"{proc}/stat", 8 << 20).splitlines():
        if line.startswith(b"btime "):
            return int(line.split()[1])
    return 0


def everyone(proc: str) -> dict[str, Any]:
    """Return all processes, and the id of the one that looks."""
    known: dict[int, str] = {}
    start = booted(proc) if os.path.exists(f"{proc}/stat") else 0
    rows = []
    for pid in numbers(proc):
        try:
            rows.append(process(proc, pid, start, known))
        except (*GONE, PermissionError):
            continue  # ended meanwhile, or hidden from us by the mount option hidepid
    return {"self": os.getpid(), "rows": rows}


def process(proc: str, pid: int, start: int, known: dict[int, str]) -> dict[str, Any]:
    """Return one process; ENOENT or ESRCH when it is gone."""
    here = f"{proc}/{pid}"
    before, _, after = content(f"{here}/stat").rpartition(b")")
    fields = after.split()
    status = dict(
        line.split(b":", 1) for line in content(f"{here}/status").splitlines() if b":" in line
    )
    uid = int(status[b"Uid"].split()[1])
    ticks = os.sysconf("SC_CLK_TCK")
    exe = pointed(f"{here}/exe")
    return {
        "pid": pid,
        "ppid": int(fields[1]),
        "pgid": int(fields[2]),
        "name": os.fsdecode(before.partition(b"(")[2]),
        "argv": words(content(f"{here}/cmdline")),
        "exe": exe.removesuffix(" (deleted)"),
        "exe_deleted": exe.endswith(" (deleted)"),
        "uid": uid,
        "owner": login(uid, known),
        "state": fields[0].decode(),
        "started": start + int(fields[19]) / ticks,
        "started_ticks": int(fields[19]),
        "rss": int(status.get(b"VmRSS", b"0 kB").split()[0]) * 1024,
        "cpu_seconds": (int(fields[11]) + int(fields[12])) / ticks,
        "threads": int(fields[17]),
        "cwd": pointed(f"{here}/cwd").removesuffix(" (deleted)"),
        "cgroup": cgroup(here),
    }


def words(line: bytes) -> list[str]:
    """Return the arguments of a command line as /proc has it."""
    return [os.fsdecode(word) for word in line.removesuffix(b"\0").split(b"\0")] if line else []


def pointed(link: str) -> str:
    """Return what a link of /proc says, or nothing when we may not know or there is nothing."""
    try:
        return os.readlink(link)
    except OSError:
        return ""


def login(uid: int, known: dict[int, str]) -> str:
    """Return the login name of a user id, or the number in words when it has none."""
    if uid not in known:
        try:
            known[uid] = pwd.getpwuid(uid).pw_name
        except KeyError:
            known[uid] = str(uid)
    return known[uid]


def cgroup(here: str) -> str:
    """Return the longest control group path of a process: a container's id stands in it."""
    try:
        lines = os.fsdecode(content(f"{here}/cgroup")).splitlines()
    except OSError:
        return ""
    return max((line.split(":", 2)[-1] for line in lines), key=len, default="")


def descriptors(proc: str, pid: int) -> dict[str, Any]:
    """Return how many descriptors a process has open, and its own limits (-1: none)."""
    limits = [-1, -1]
    for line in content(f"{proc}/{pid}/limits").decode().splitlines():
        if line.startswith("Max open files"):
            limits = [
                -1 if word == "unlimited" else int(word)
                for word in line.removeprefix("Max open files").split()[:2]
            ]
    return {
        "open": len(os.listdir(f"{proc}/{pid}/fd")),
        "soft_limit": limits[0],
        "hard_limit": limits[1],
    }


def environment(proc: str, pid: int, names: list[str]) -> dict[str, str]:
    """Return the named variables that a process was started with, and no others."""
    wanted = {os.fsencode(name) for name in names}
    found = {}
    for line in content(f"{proc}/{pid}/environ", 4 << 20).split(b"\0"):
        name, equals, value = line.partition(b"=")
        if equals and name in wanted:
            found[os.fsdecode(name)] = os.fsdecode(value)
    return found


def links_of(proc: str, pid: int) -> Iterator[tuple[str, str]]:
    """Yield each descriptor of a process and what its link says; nothing where we may not look."""
    try:
        names = os.listdir(f"{proc}/{pid}/fd")
    except (*GONE, PermissionError):
        return
    for name in names:
        if target := pointed(f"{proc}/{pid}/fd/{name}"):
            yield name, target


def holders(proc: str, path: str) -> list[list[Any]]:
    """Return [pid, writes] of each process that has the file at `path` open, links followed.

    Processes that we may not look into (of other users) are passed over.
    """
    wanted = os.stat(path)
    held: dict[int, bool] = {}
    for pid in numbers(proc):
        for name, target in links_of(proc, pid):
            # Only files have a path here, and a file on a dead mount is not asked for.
            if not target.startswith("/"):
                continue
            try:
                seen = os.stat(f"{proc}/{pid}/fd/{name}")
                if not os.path.samestat(seen, wanted):
                    continue
                held[pid] = held.get(pid, False) or writes(proc, pid, name)
            except OSError:
                continue
    return [[pid, writing] for pid, writing in held.items()]


def writes(proc: str, pid: int, descriptor: str) -> bool:
    """Tell whether a descriptor was opened for writing."""
    for line in content(f"{proc}/{pid}/fdinfo/{descriptor}").splitlines():
        if line.startswith(b"flags:"):
            return int(line.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY
    return False
