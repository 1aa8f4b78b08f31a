"""The sessions of a world: real JSON trees in one of the four layouts."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from plugins.worlds.running import blocked, end, until

if TYPE_CHECKING:
    from healthchecks.dgmo.world import Layout, World

_PLACES = {
    "unified": "dgmo/project/unified",
    "project": "dgmo/project/home-me-work",
    "opencode": "opencode/project/home-me-work",
    "workspace": "opencode/User/workspaceStorage/w1/dgmo",
}
_HOUR_MS = 3_600_000


class Sessions:
    """The sessions of a world: real JSON trees in one of the four layouts.

    Attributes:
        main: the id of the main session; it has two sub-sessions, `children`.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._number = 0
        self._held: list[BinaryIO] = []
        self._programs: list[int] = []
        self.main = ""
        self.children: tuple[str, ...] = ()

    @property
    def root(self) -> Path:
        """The folder of the store, which holds `storage`."""
        return self.place(self._world.layout)

    @property
    def folder(self) -> Path:
        """The folder that holds info, message, sub-sessions and sub-session-index."""
        return self.root / "storage" / "session"

    def place(self, layout: Layout) -> Path:
        """Return where a store of a layout stands in this world."""
        return self._world.data_home / _PLACES[layout]

    def build(self) -> None:
        """Make a main session with two sub-sessions, and one that has none."""
        for name in ("sub-sessions", "sub-session-index"):
            (self.folder / name).mkdir(parents=True)
        if self._world.layout != "workspace":
            self.write(self.root / "app.json", {"initialized": _now()})
        self.main = self.session("Main work")
        self.session("Something else")
        self.children = tuple(self.sub_session(self.main, hours=hours) for hours in (3.0, 2.0))

    def close(self) -> None:
        """Let go of every file, and end the programs."""
        for held in self._held:
            held.close()
        for pid in self._programs:
            end(pid)

    def identifier(self) -> str:
        """Return a new session id."""
        self._number += 1
        return f"ses_{0xE078C0435FFF - self._number:012x}{self._number:014d}"

    def session(self, title: str, *, parent: str = "", hours: float = 4.0) -> str:
        """Make a session of some hours ago with a message, as the layout has it; return its id."""
        name = self.identifier()
        made = _now() - int(hours * _HOUR_MS)
        info = {"id": name, "title": title, "version": "0.0.5"}
        info |= {"parentID": parent} if parent else {}
        times = {"time": {"created": made, "updated": made + 60_000}}
        if self._world.layout == "workspace":
            self.write(self.root / "sessions" / name / "session.json", {**info, **times})
            return name
        self.write(self.info(name), {**info, **times})
        self.message(name, "msg_1")
        self.write(self.folder / "performance" / f"{name}.json", {"samples": []})
        self.write(self.root / "storage" / "prompting" / "sessions" / f"{name}.json", {"id": name})
        return name

    def sub_session(
        self,
        parent: str,
        *,
        status: str = "completed",
        hours: float = 2.0,
        indexed: bool = True,
        **more: object,
    ) -> str:
        """Make a child session of some hours ago with its record; return its id."""
        name = self.session("Child session - agent", parent=parent, hours=hours)
        row: dict[str, object] = {"id": name, "parentSessionId": parent, "status": status}
        row |= {
            "agentName": "agent",
            "taskDescription": "a task",
            "createdAt": _now() - int(hours * _HOUR_MS),
        }
        self.write(self.record(name), row | more)
        if indexed:
            index = self.index(parent)
            there = json.loads(index.read_bytes()) if index.exists() else []
            self.write(index, [*there, name])
        return name

    def message(self, session: str, name: str, text: str = "hi") -> Path:
        """Write a message of a session and return its file."""
        path = self.folder / "message" / session / f"{name}.json"
        times = {"time": {"created": _now()}, "sessionID": session, "tool": {}}
        parts = [{"type": "text", "text": text}]
        return self.write(path, {"id": name, "role": "user", "parts": parts, "metadata": times})

    def info(self, session: str) -> Path:
        """Return the file of a session, in the guide's layout the one in its folder."""
        if self._world.layout == "workspace":
            return self.root / "sessions" / session / "session.json"
        return self.folder / "info" / f"{session}.json"

    def record(self, session: str) -> Path:
        """Return the file of a sub-session's record."""
        return self.folder / "sub-sessions" / f"{session}.json"

    def index(self, parent: str) -> Path:
        """Return the file of a session's index."""
        return self.folder / "sub-session-index" / f"{parent}.json"

    def write(self, path: Path, content: object) -> Path:
        """Write a file as the program does, compact, folders too; bytes are written as they are."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, bytes):
            content = json.dumps(content, separators=(",", ":")).encode()
        path.write_bytes(content)
        return path

    def change(self, path: Path, **fields: object) -> Path:
        """Lay fields over those of a JSON object; None takes one away."""
        now = json.loads(path.read_bytes()) | fields
        return self.write(path, {key: value for key, value in now.items() if value is not None})

    def another(self, layout: Layout, *, hours: float, name: str = "") -> Path:
        """Make a second store with one session of some hours ago; return its root."""
        root = self.place(layout)
        if name:
            inner = layout == "workspace"  # its name is that of the folder above
            root = root.parent.with_name(name) / root.name if inner else root.with_name(name)
        made = _now() - int(hours * _HOUR_MS)
        session = self.identifier()
        row = {"id": session, "title": "There", "version": "0.0.5", "time": {"created": made}}
        row["time"] = {"created": made, "updated": made}
        if layout == "workspace":
            self.write(root / "sessions" / session / "session.json", row)
        else:
            (root / "storage" / "session" / "sub-sessions").mkdir(parents=True)
            self.write(root / "storage" / "session" / "info" / f"{session}.json", row)
        return root

    def program(self, **environment: str) -> None:
        """Let a program called dgmo run in this home, with these variables."""
        path = self.write(self._world.folder / "running" / "dgmo", b"#!/bin/sh\nread line\n")
        path.chmod(0o755)
        given = {"HOME": str(self._world.folder), **environment}
        pid = blocked(("env", *(f"{name}={value}" for name, value in given.items()), str(path)))
        self._programs.append(pid)
        until(lambda: str(path).encode() in Path(f"/proc/{pid}/cmdline").read_bytes(), "dgmo")

    def hold(self, path: Path) -> None:
        """Hold a file open for writing, as the program does that writes it."""
        self._held.append(path.open("ab"))

    def elsewhere(self, path: Path) -> None:
        """Move a file or folder out of the store, and leave a link to it in its place."""
        path.rename(self._world.folder / f"elsewhere-{path.name}")
        path.symlink_to(self._world.folder / f"elsewhere-{path.name}")

    def fifo(self, path: Path) -> Path:
        """Make a FIFO, on which whoever opens it waits."""
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)
        return path


def _now() -> int:
    return int(time.time() * 1000)
