"""The monitor of a world: what it leaves on disk, and a process that is one."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plugins.worlds import running

if TYPE_CHECKING:
    from healthchecks.crash_protection.world import World

# A started child's handle must live on: Python reaps the children of handles that are gone.
_KEPT: list[subprocess.Popen[bytes]] = []
# What the shell monitors' command lines look like; each blocks on its input and uses no processor.
WAIT = "while read -r line; do :; done"
COMMANDS = {
    "guide": (
        "bash",
        "-c",
        f"monitor_conversations () {{ sha256sum=1; {WAIT}; }}; monitor_conversations",
    ),
    "periodic": ("bash", "-c", f"periodic_backup () {{ {WAIT}; }}; periodic_backup"),
    "simple": ("bash", "-c", f": simple-realtime; {WAIT}"),
    "stranger": ("sleep", "600"),
}
STARTER = """\
#!/bin/bash
# Stands for what starts a monitor: it says its process id, and stays.
echo $$ > {folder}/monitor.pid
while :; do sleep 600; done
"""
UNIT = """\
[Unit]
Description=Copies of conversations

[Service]
ExecStart=/usr/bin/python3 -m pytest healthchecks --system crash_protection --fix --watch 10
Restart=always

[Install]
WantedBy=default.target
"""


class Monitor:
    """The monitor of a world.

    Args:
        world: that it belongs to.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._started: list[int] = []
        self.state = world.kit / "monitor_state.json"
        self.log = world.kit / "monitor.log"
        self.units = world.folder / "units"

    def settings(self) -> dict[str, object]:
        """Return the keys by which this world's units and entries are found, and no others."""
        return {
            "unit_folders": [str(self.units)],
            "agent_folders": [str(self._world.folder / "agents")],
            "cron_places": [str(self._world.folder / "cron")],
            "crontab": "",
        }

    def build(self) -> None:
        """Make the healthy state: one that was stopped, and comes back after a restart."""
        self.says(status="stopped", monitor_pid=None)
        self.unit()

    def says(self, **keys: object) -> Path:
        """Write the state file as the monitor does, with other values laid over."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        table: dict[str, Any] = {
            "monitor_pid": os.getpid(),
            "start_time": now,
            "last_backup": now,
            "conversations_tracked": 3,
            "status": "monitoring",
        }
        return self.write(json.dumps(table | keys, indent=2).encode() + b"\n")

    def write(self, content: bytes, name: str = "monitor_state.json") -> Path:
        """Write a file of the monitor's into the folder of copies."""
        path = self._world.kit / name
        path.parent.mkdir(exist_ok=True, mode=0o700)
        path.write_bytes(content)
        path.chmod(0o600)
        return path

    def run(self, kind: str = "guide", said: bool = True, **keys: object) -> int:
        """Start a process of a kind; where it is `said`, the state file names it too."""
        pid = self.process(COMMANDS[kind])
        if said:
            self.says(monitor_pid=pid, **keys)
        return pid

    def shell(self, text: str) -> int:
        """Start a shell that was given a text, and let the state file name it."""
        pid = self.process(("bash", "-c", text))
        self.says(monitor_pid=pid)
        return pid

    def watch(self, *words: str, home: bool = False) -> int:
        """Start what looks like our own watch, of this home or another; the state file names it."""
        own = ("pytest", "healthchecks/", "--system", "crash_protection", "--watch", "10")
        place = str(self._world.folder) if home else "/nonexistent"
        pid = self.process(("bash", "-c", WAIT, *own, *(words or ("--fix",))), HOME=place)
        self.says(monitor_pid=pid)
        return pid

    def process(self, argv: tuple[str, ...], **env: str) -> int:
        """Start a process that waits; return its pid."""
        read, write = os.pipe()
        try:
            # The child holds the writing end too, so its own input never ends.
            child = subprocess.Popen(
                argv,
                stdin=read,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(write,),
                env={**os.environ, **env},
                start_new_session=True,
            )
        finally:
            os.close(read)
            os.close(write)
        _KEPT.append(child)
        self._started.append(child.pid)
        called = Path(f"/proc/{child.pid}/cmdline")
        running.until(
            lambda: called.read_bytes().startswith(argv[0].encode()), "the process starts"
        )
        return child.pid

    def end(self, pid: int) -> int:
        """End a process that was started here, and return its pid, which nobody has now."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        for child in _KEPT:
            if child.pid == pid:
                child.wait(5)
        return pid

    def suspend(self, pid: int) -> None:
        """Suspend a process, as Ctrl-Z does."""
        running.suspend(pid)

    def fifo(self) -> None:
        """Have a FIFO where the state belongs: whoever opens it waits for ever."""
        self.state.unlink()
        os.mkfifo(self.state)

    def hours_ago(self, hours: float) -> str:
        """Return a time as the state file has it."""
        return datetime.fromtimestamp(time.time() - hours * 3600, UTC).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )

    def starter(self) -> None:
        """Have a command that starts a monitor, as the systems file may name one."""
        path = self._world.folder / "conversation-monitor.sh"
        path.write_text(STARTER.format(folder=self._world.kit))
        path.chmod(0o755)
        self._world.change(start_command=["bash", str(path)])

    def unit(
        self, text: str = UNIT, *, name: str = "claude-watch.service", on: bool = True
    ) -> None:
        """Have a unit, enabled or not."""
        wants = self.units / "default.target.wants"
        wants.mkdir(parents=True, exist_ok=True)
        (self.units / name).write_text(text)
        if on:
            (wants / name).symlink_to(self.units / name)

    def entry(self, name: str, text: str) -> None:
        """Have a file with cron entries, or one of launchd's, below the world's folder."""
        path = self._world.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def crontab(self, entry: str) -> None:
        """Have a crontab program that tells this entry."""
        path = self._world.folder / "crontab"
        path.write_text(f"#!/bin/sh\necho '{entry}'\n")
        path.chmod(0o755)
        self._world.change(crontab=str(path))

    def no_unit(self) -> None:
        """Have no unit at all."""
        for path in sorted(self.units.rglob("*"), reverse=True):
            path.unlink() if path.is_symlink() or path.is_file() else path.rmdir()

    def line(self, line: bytes) -> None:
        """Add a line to the monitor's log."""
        self.lines(line + b"\n")

    def lines(self, content: bytes, name: str = "monitor.log") -> Path:
        """Add content to a log of a monitor."""
        path = self._world.kit / name
        path.parent.mkdir(exist_ok=True, mode=0o700)
        with path.open("ab") as file:
            file.write(content)
        path.chmod(0o600)
        return path

    def close(self) -> None:
        """End what runs, and what a cure started from this world's own command."""
        for pid in running.running_from(self._world.folder):
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
        for pid in self._started:
            self.end(pid)
