"""Processes of a world: children that its server is asked to start, and what is kept of it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from plugins.worlds.running import blocked, until


def spawn_asked(request: Path) -> None:
    """Start, as a child of this process, the argv of a request file; answer with its pid."""
    asked = json.loads(request.read_bytes())
    pid = blocked(asked["argv"], asked["own_group"])
    answer = request.with_suffix(".answer")
    answer.write_text(str(pid), "ascii")
    answer.replace(request.with_suffix(".pid"))
    request.unlink()


def ask(server: int, request: Path, argv: Sequence[str], own_group: bool) -> int:
    """Have the server start a child; return the child's pid."""
    request.write_text(json.dumps({"argv": list(argv), "own_group": own_group}), "utf-8")
    os.kill(server, signal.SIGUSR1)
    answer = request.with_suffix(".pid")
    until(answer.exists, "the server starts a child")
    pid = int(answer.read_text("ascii"))
    answer.unlink()
    return pid


def remember(state: Path, port: str, pid: int, mib: Sequence[float]) -> None:
    """Keep, as earlier runs would have, how much memory of a process they saw, hours apart."""
    from plugins.endpoints.processes import Processes
    from plugins.hosts import Host
    from plugins.worlds.looks import remembered

    here = Host()
    started = next(one.started_ticks for one in Processes(here).all() if one.pid == pid)
    remembered(state, (here.spec, "memory", port), [pid, started], mib)
