"""TCP sockets of the kernel's tables, and the processes that hold them."""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import Any

MAPPED = b"\0" * 10 + b"\xff\xff"
STATES = (
    "?",
    "established",
    "syn-sent",
    "syn-received",
    "fin-wait-1",
    "fin-wait-2",
    "time-wait",
    "close",
    "close-wait",
    "last-ack",
    "listen",
    "closing",
    "syn-received",
)


def table(proc: str, listening: bool, port: int) -> dict[str, Any]:
    """Return the TCP sockets that listen, or the connections of a local port (0: of every port).

    `pid` is 0 where no process is seen to hold the socket; `partial` tells that some processes
    could not be looked into.
    """
    rows = []
    for family in ("tcp", "tcp6"):
        try:
            with open(f"{proc}/net/{family}", encoding="ascii") as lines:
                next(lines, "")
                rows += [row(line.split(), family) for line in lines]
        except FileNotFoundError:
            if family == "tcp":
                raise OSError(errno.ENOSYS, "this host has no table of sockets", proc) from None
    wanted = [
        one
        for one in rows
        if (one["state"] == "listen") == listening and port in {0, one["local_port"]}
    ]
    pids, partial = holding(proc, {one["inode"] for one in wanted})
    for one in wanted:
        one["pid"] = pids.get(one["inode"], 0)
        one["program"] = program(proc, one["pid"])
    return {"rows": wanted, "partial": partial}


def row(fields: list[str], family: str) -> dict[str, Any]:
    """Return one line of the table in words."""
    local, local_port = fields[1].split(":")
    remote, remote_port = fields[2].split(":")
    state = int(fields[3], 16)
    return {
        "family": "ipv6" if family == "tcp6" else "ipv4",
        "local": address(local),
        "local_port": int(local_port, 16),
        "remote": address(remote),
        "remote_port": int(remote_port, 16),
        "state": STATES[state] if state < len(STATES) else "?",
        "uid": int(fields[7]),
        "inode": fields[9],
    }


def address(digits: str) -> str:
    """Return an address that the kernel writes as 32-bit words in the machine's byte order.

    An IPv4 address that stands in a socket of both families is given as IPv4.
    """
    raw = bytes.fromhex(digits)
    words = [raw[start : start + 4] for start in range(0, len(raw), 4)]
    if sys.byteorder == "little":
        words = [word[::-1] for word in words]
    whole = b"".join(words).removeprefix(MAPPED)
    return socket.inet_ntop(socket.AF_INET if len(whole) == 4 else socket.AF_INET6, whole)


def holding(proc: str, inodes: set[str]) -> tuple[dict[str, int], bool]:
    """Return the first process that holds each socket, and whether some were closed to us."""
    found: dict[str, int] = {}
    partial = False
    left = {f"socket:[{inode}]" for inode in inodes if inode != "0"}
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdecimal()):
        if not left:
            break
        try:
            names = os.listdir(f"{proc}/{pid}/fd")
        except PermissionError:
            partial = True
            continue
        except OSError:
            continue
        for name in names:
            try:
                target = os.readlink(f"{proc}/{pid}/fd/{name}")
            except OSError:
                continue
            if target in left:
                left.discard(target)
                found[target[8:-1]] = pid
    return found, partial


def program(proc: str, pid: int) -> str:
    """Return the short name of a process, or nothing."""
    try:
        with open(f"{proc}/{pid}/comm", encoding="utf-8", errors="surrogateescape") as name:
            return name.read().rstrip("\n")
    except OSError:
        return ""
