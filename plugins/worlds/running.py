"""Processes and ports of worlds: real ones, which take no processor time until they are ended."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

# A started child's handle must live on: Python reaps the children of handles that are gone.
_KEPT: list[subprocess.Popen[bytes]] = []
# Stdin is given by hand: a shell gives /dev/null to what it starts in the background.
_ORPHANED = 'exec 3<&0; "$0" "$@" <&3 3<&- & echo $!'
# Below the range that the kernel takes clients' ports from: nobody else is given one of these.
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """Return a loopback port that nothing listens on."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                continue
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def blocked(argv: Sequence[str], own_group: bool = True) -> int:
    """Start a program whose standard input never ends; return its pid."""
    return _start(argv, own_group).pid


def orphaned(argv: Sequence[str]) -> int:
    """Start such a program and let its parent end, so that init has it; return its pid."""
    starter = _start(["/bin/sh", "-c", _ORPHANED, *argv], True, subprocess.PIPE)
    line = starter.stdout.readline() if starter.stdout else b""
    starter.wait(5)
    return int(line)


def _start(
    argv: Sequence[str], own_group: bool, out: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    read, write = os.pipe()
    try:
        # The child holds the writing end too, so its own input never ends.
        child = subprocess.Popen(
            list(argv),
            stdin=read,
            stdout=out,
            stderr=subprocess.DEVNULL,
            pass_fds=(write,),
            start_new_session=own_group,
        )
    finally:
        os.close(read)
        os.close(write)
    _KEPT.append(child)
    return child


def until(condition: Callable[[], bool], what: str, limit: float = 5.0) -> None:
    """Wait until a condition holds; raise TimeoutError after `limit` seconds."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {limit:g} s")
        time.sleep(0.005)


def state(pid: int) -> str:
    """Return the kernel's letter for a process's state; "" when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def running_from(folder: Path) -> list[int]:
    """Return the pids of processes whose program, or script, lies in a folder; [] without /proc."""
    found: list[int] = []
    mark = os.fsencode(folder) + b"/"
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")[:2]
            if any(word.startswith(mark) for word in words):
                found.append(int(entry.name))
    return found


def suspend(pid: int) -> None:
    """Stop a process's clock, as Ctrl-Z does: it stands, and does nothing, once this returns."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: state(pid) in {"T", ""}, "the process is suspended")


def end(pid: int, grace: float = 0.0) -> None:
    """End a process and its group: SIGTERM and `grace` seconds first when that is over 0."""
    if grace:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            until(lambda: gone(pid), "the process ends", grace)
    with contextlib.suppress(OSError):
        group = os.getpgid(pid)
        # Never our own group: a process that somebody else started may be in it.
        if group == os.getpgrp():
            os.kill(pid, signal.SIGKILL)
        else:
            os.killpg(group, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        until(lambda: gone(pid), "the process ends")


def gone(pid: int) -> bool:
    """Tell whether a process has ended; one of our own children is reaped on the way."""
    with contextlib.suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return state(pid) == "Z"


def wait(seconds: float) -> None:
    """Let time pass, so that a process is as old as it is to be."""
    time.sleep(seconds)
