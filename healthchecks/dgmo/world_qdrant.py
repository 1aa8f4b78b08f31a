"""The memory of a world: Qdrant's REST interface over its own engine.

Where HEALTHCHECKS_QDRANT_URL names a real Qdrant, worlds that plant nothing into the server use
that, each with a collection of its own that is deleted when the world is closed.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthchecks.dgmo.world_qdrant_seats import Container, Processes
from healthchecks.dgmo.world_qdrant_written import Written

if TYPE_CHECKING:
    from healthchecks.dgmo.world import World
    from plugins.worlds.qdrant import StandIn
    from plugins.worlds.qdrant_faults import Faults

REAL_URL = "HEALTHCHECKS_QDRANT_URL"
REAL_KEY = "HEALTHCHECKS_QDRANT_API_KEY"
COLLECTION = "AgentMemories"


class Memory(Written):
    """The memory of a world; nothing runs before `start` or `stand_in`."""

    def __init__(self, world: World) -> None:
        super().__init__(COLLECTION)
        self._world = world
        self._server: StandIn | None = None
        self._variable = ""
        self._processes: Processes | None = None
        self._container: Container | None = None

    def build(self) -> None:
        """Have no Qdrant: it is started only where one is asked for."""

    # ---- the server

    def start(self, points: int = 5, vectors: dict[str, Any] | None = None) -> None:
        """Have a Qdrant with a collection, the real one where the environment names it.

        Args:
            points: memories in it.
            vectors: its configuration of vectors, None for the right one.
        """
        if real := os.environ.get(REAL_URL, ""):
            self.url, self.key = real.rstrip("/"), os.environ.get(REAL_KEY, "")
            self.collection = f"healthchecks-{secrets.token_hex(8)}"
            self._world.change(collection=self.collection, qdrant_key_env=REAL_KEY)
        else:
            self._begin()
        self.use(self.url)
        self.create(self.collection, vectors)
        self.fill(points)

    def use(self, url: str) -> None:
        """Have a URL in the systems file, whoever answers there."""
        self.url = url
        self._world.change(qdrant_url=url)

    def stand_in(
        self, points: int = 5, vectors: dict[str, Any] | None = None, **server: Any
    ) -> Faults:
        """Have a stand-in with a collection, and return what may be made wrong with it.

        Args:
            points: memories in it.
            vectors: its configuration of vectors, None for the right one.
            server: further words of `StandIn`, such as key, host, port and version.
        """
        faults = self._begin(**server)
        self._world.change(qdrant_url=self.url)
        self.create(self.collection, vectors)
        self.fill(points)
        return faults

    def _begin(self, **server: Any) -> Faults:
        from plugins.worlds.qdrant import StandIn

        self.key = server.get("key", "")
        if self.key:
            # The key must be in our own environment, where the checks look for it.
            self._variable = f"WORLD_QDRANT_{secrets.token_hex(4).upper()}"
            os.environ[self._variable] = self.key
            self._world.change(qdrant_key_env=self._variable)
        self._server = StandIn(self._world.folder / "qdrant", **server)
        self.url = self._server.start()
        return self._server.faults

    @property
    def server(self) -> StandIn:
        """The stand-in; `stop` and `start` of it may follow each other at the same port."""
        assert self._server is not None, "this world has no stand-in of Qdrant"
        return self._server

    @property
    def is_real(self) -> bool:
        """Whether the server is the real one that the environment names."""
        return bool(self.url) and self._server is None

    # ---- snapshots of the stand-in

    def snapshot_file(self, snapshot: str) -> Path:
        """Return the stand-in's own file of a snapshot, to damage or age it."""
        return self.server.folder / "snapshots" / self.collection / snapshot

    def age_snapshot(self, snapshot: str, hours: float) -> None:
        """Let the stand-in have taken a snapshot some hours ago."""
        moment = time.time() - hours * 3600
        os.utime(self.snapshot_file(snapshot), (moment, moment))

    # ---- what earlier runs saw

    def looked_at_before(
        self, what: str, *, counts: tuple[int, ...] = (), since_hours: float = 1.0
    ) -> None:
        """Let an earlier run have seen something of the collection.

        Args:
            what: "yellow", or "count" for these `counts`, one after the other.
            counts: exact numbers of memories.
            since_hours: how long ago.
        """
        from plugins.endpoints import history

        then = time.time() - since_hours * 3600
        seen: dict[str, dict[str, Any]] = {
            "yellow": {"since": then},
            "count": {"looks": [[then, one] for one in counts]},
        }
        folder = self._world.folder.with_name("state") / "cursors"
        question = ("local://", "qdrant", self.url, self.collection, what)
        history.keep(str(folder), question, seen[what])

    # ---- what it runs as

    @property
    def processes(self) -> Processes:
        """The server as a process of its own, by the name of the real one."""
        if self._processes is None:
            self._processes = Processes(self._world.folder)
        return self._processes

    @property
    def container(self) -> Container:
        """What answers as the server does, in a real container of the real one's image's name."""
        if self._container is None:
            self._container = Container(self._world)
        return self._container

    def entry(self, *, style: str = "dgmo", **told: str) -> None:
        """Configure a memory server, alone.

        Args:
            style: "dgmo" for the program's own file, "claude" for one of Claude's.
            told: its variables, such as QDRANT_URL.
        """
        import json

        files = self._world.files
        if style == "dgmo":
            command = ["uvx", "mcp-server-qdrant"]
            files.serve_as("memory", type="local", command=command, environment=told)
            return
        server = {"command": "uvx", "args": ["mcp-server-qdrant"], "env": told}
        words = json.dumps({"mcpServers": {"memory": server}})
        files.put(self._world.folder / ".claude.json", words)

    def close(self) -> None:
        """End its server; of a real one delete what this world made."""
        if self._processes is not None:
            self._processes.close()
        if self._container is not None:
            self._container.close()
        if self.is_real:
            import requests

            for name in self.made:
                with suppress(requests.RequestException):
                    self.drop(name)
        if self._server is not None:
            self._server.stop()
        if self._variable:
            os.environ.pop(self._variable, None)
