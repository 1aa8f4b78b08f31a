"""Portagent in small: a real server, its databases, its container, its proxy, its provider."""

from __future__ import annotations

import os
from pathlib import Path


class World:
    """A healthy Portagent in `folder`; nothing is started before a method asks for it.

    Args:
        folder: an empty folder; it is the home folder too.
        generation: 1, the one that is checked, or 2, its successor.
    """

    volatile: tuple[str, ...] = ("docker/*", "server.log", "browser/*")

    def __init__(self, folder: Path, generation: int = 1) -> None:
        from healthchecks.portagent.world_containers import Containers
        from healthchecks.portagent.world_databases import Databases
        from healthchecks.portagent.world_log import Log
        from healthchecks.portagent.world_outside import Outside
        from healthchecks.portagent.world_server import Server

        self.folder = folder
        self.generation = generation
        self._over: dict[str, object] = {}
        self.data_dir = folder / ".agentx"
        (self.data_dir / "data").mkdir(parents=True)
        (self.data_dir / "logs").mkdir()
        self.databases = Databases(self)
        self.log = Log(self)
        self.server = Server(self)
        self.containers = Containers(self)
        self.outside = Outside(self)
        self.parts = (self.databases, self.log, self.server, self.containers, self.outside)
        for part in self.parts:
            part.build()

    def settings(self) -> dict[str, object]:
        """Return the keys of [portagent] in systems.toml by which this world is found."""
        return {
            "home": str(self.folder),
            "on": "local://",
            "enabled": "yes",
            "data_dir": str(self.data_dir),
            "unit": "",
            "unit_folders": [],
            "env_files": [],
            "default_data": [],
            "proxy_configs": [],
            "docker_url": f"unix://{self.folder}/no-docker.sock",
        } | self._over

    def change(self, **settings: object) -> None:
        """Lay more keys over those of `settings`."""
        self._over |= settings

    def log_line(self, line: bytes) -> None:
        """Add a line to the log in which known issues show."""
        self.log.line(line)

    def age(self, path: Path, *, days: float = 0.0, hours: float = 0.0) -> Path:
        """Let a file or folder be last written some days and hours ago, and return it."""
        moment = path.lstat().st_mtime - days * 86400 - hours * 3600
        os.utime(path, (moment, moment), follow_symlinks=False)
        return path

    def close(self) -> None:
        """End every process of this world."""
        for part in reversed(self.parts):
            part.close()
