"""Which processes of named programs run, how they were started, and where they listen.

Standard library only, and no import from this project: a far host's python3 runs this source.
"""

from __future__ import annotations

import os
import stat

WORDS = 256 << 10
INTERPRETERS = ("python", "node", "bun", "sh", "bash", "dash", "busybox")


def by_name(names: list[str], variables: list[str]) -> list[dict[str, object]]:
    """Give a row for each process whose program is one of `names`, oldest first.

    A program is known by its executable, by its first word, or by the script that an interpreter
    runs: the kernel's own short name is cut to 15 characters. `variables` are the names, or
    prefixes ending in "_", of environment variables to give back; no other leaves the process.
    A row has pid, uid, started (clock ticks since boot), exe, argv, cwd, environment, ports and
    outputs (the regular files that it prints to); what may not be read is empty. Where there is
    no /proc, the list is empty.
    """
    wanted = set(names)
    rows = []
    for pid in sorted(int(name) for name in _entries("/proc") if name.isdigit()):
        place = f"/proc/{pid}"
        argv = [word for word in _text(f"{place}/cmdline").split("\0") if word]
        exe = _link(f"{place}/exe").removesuffix(" (deleted)")
        if argv and wanted & _programs(exe, argv):
            rows.append(_row(pid, exe, argv, variables))
    if rows:
        listening = _listening()
        for row in rows:
            row["ports"] = sorted(
                {listening[inode] for inode in _sockets(str(row["pid"])) if inode in listening}
            )
    return rows


def _programs(exe: str, argv: list[str]) -> set[str]:
    found = {os.path.basename(exe), os.path.basename(argv[0])}
    if len(argv) > 1 and os.path.basename(exe).rstrip("0123456789.") in INTERPRETERS:
        found.add(os.path.basename(argv[1]))
    return found


def _row(pid: int, exe: str, argv: list[str], variables: list[str]) -> dict[str, object]:
    place = f"/proc/{pid}"
    environment = {}
    for pair in _text(f"{place}/environ").split("\0"):
        name, _, value = pair.partition("=")
        if any(
            name == each or (each.endswith("_") and name.startswith(each)) for each in variables
        ):
            environment[name] = value
    try:
        uid = os.stat(place).st_uid
    except OSError:
        uid = -1
    fields = _text(f"{place}/stat").rpartition(")")[2].split()
    return {
        "pid": pid,
        "uid": uid,
        "started": int(fields[19]) if len(fields) > 19 else 0,
        "exe": exe,
        "argv": argv,
        "cwd": _link(f"{place}/cwd").removesuffix(" (deleted)"),
        "environment": environment,
        "ports": [],
        "outputs": _outputs(place),
    }


def _outputs(place: str) -> list[str]:
    found = []
    for number in ("1", "2"):
        target = _link(f"{place}/fd/{number}")
        try:
            regular = target.startswith("/") and stat.S_ISREG(os.lstat(target).st_mode)
        except OSError:
            regular = False
        if regular and target not in found:
            found.append(target)
    return found


def _listening() -> dict[str, int]:
    ports = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in _text(table, 16 << 20).splitlines()[1:]:
            fields = line.split()
            if len(fields) > 9 and fields[3] == "0A":
                ports[fields[9]] = int(fields[1].rpartition(":")[2], 16)
    return ports


def _sockets(pid: str) -> list[str]:
    folder = f"/proc/{pid}/fd"
    targets = (_link(f"{folder}/{name}") for name in _entries(folder))
    return [target[8:-1] for target in targets if target.startswith("socket:[")]


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _text(path: str, limit: int = WORDS) -> str:
    parts = []
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        while limit > 0 and (part := os.read(descriptor, min(limit, 4 << 10))):
            parts.append(part)
            limit -= len(part)
    except OSError:
        pass
    finally:
        os.close(descriptor)
    return os.fsdecode(b"".join(parts))
