"""The logs of a world, in the formats that the kit writes."""

from __future__ import annotations

import datetime
import json
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.claude_docker.world import World


def moment(ago: float = 0.0) -> str:
    """Return a time, some seconds ago, as the kit writes it."""
    at = datetime.datetime.fromtimestamp(time.time() - ago, datetime.UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class Journals:
    """The logs of a world: events and metrics as JSON lines, errors as a stream, two of text.

    Args:
        world: that it belongs to.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        names = ("events.jsonl", "metrics.jsonl", "errors.log", "sync.log", "backup.log")
        paths = [world.folder / f".claude-docker-{name}" for name in names]
        self.events, self.metrics, self.errors, self.sync, self.backup = paths
        self._holders: list[subprocess.Popen[bytes]] = []

    def build(self) -> None:
        """Make the healthy state: a day of work without a failure; a kit alone keeps logs."""
        if not self._world.kit:
            return
        for hour in range(24, 0, -1):
            for event in ("claude_start", "config_reconciled", "claude_end"):
                self.event(event, ago=hour * 3600.0 - 1800, duration_ms=1200)
            self.metric(900 + hour, ago=hour * 3600.0 - 1800)
        for path in (self.sync, self.backup):
            self.text("[INFO] Backup completed: 20261120-040000", path=path, ago=600)
            self.text("sent 1,204 bytes  received 35 bytes  2,478.00 bytes/sec", path=path)

    def event(self, event: str, level: str = "info", *, ago: float = 60.0, **more: object) -> None:
        """Add an event, some seconds ago."""
        row = {"timestamp": moment(ago), "level": level, "event": event, **more}
        self.raw(json.dumps(row).encode() + b"\n")

    def metric(self, milliseconds: float, *, ago: float = 60.0, form: str = "slo") -> None:
        """Add the time of an invocation, as the guide's query reads it or as the plan writes it."""
        row: dict[str, object] = {"timestamp": int(time.time() - ago), "value": milliseconds}
        row |= {"metric": "claude.invocation.duration", "tags": {"trace_id": "t"}}
        if form == "plan":
            row |= {"metric": "claude.invocation", "value": 1}
            row["tags"] = {"duration_ms": str(milliseconds)}
        self.raw(json.dumps(row).encode() + b"\n", self.metrics)

    def error(self, message: str, *, ago: float = 60.0, level: str = "ERROR") -> None:
        """Add an object to the log of errors as the kit does: pretty, the message not escaped."""
        lines = [
            "{",
            f'  "timestamp": "{moment(ago)}",',
            f'  "level": "{level}",',
            f'  "message": "{message}",',
            '  "context": "sync",',
            '  "user": "me",',
            '  "host": "box",',
            '  "pid": 4711',
            "}",
        ]
        self.raw("\n".join(lines).encode() + b"\n", self.errors)

    def text(self, line: str, *, path: Path | None = None, ago: float = 0.0) -> None:
        """Add a line of text with its date, to the log of synchronisations."""
        self.raw(f"{moment(ago)} {line}\n".encode(), path or self.sync)

    def line(self, line: bytes) -> None:
        """Add a line to the log in which known issues show."""
        self.raw(moment().encode() + b" " + line + b"\n", self.sync)

    def raw(self, content: bytes, path: Path | None = None) -> Path:
        """Add bytes to a log, that of events by default, and return its path."""
        path = path or self.events
        with path.open("ab") as file:
            file.write(content)
        return path

    def hold(self, path: Path, mode: str = "ab") -> None:
        """Let a process hold a log open, to append to it, or to read it ("rb")."""
        with path.open(mode) as file:
            ends = (file, None) if mode == "rb" else (None, file)
            process = subprocess.Popen(("sleep", "60"), stdin=ends[0], stdout=ends[1])
            self._holders.append(process)

    def close(self) -> None:
        """End what holds logs open."""
        for process in self._holders:
            process.kill()
            process.wait()
