"""DGMO in small: real stores of sessions, configuration, backups, a Qdrant with its own engine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

Layout = Literal["unified", "project", "opencode", "workspace"]


class World:
    """A healthy DGMO in `folder`; nothing is started before a method asks for it.

    Args:
        folder: an empty folder; it is the home folder too.
        layout: which of the four roots the store stands in: "workspace" is the guide's, the
            others are the real program's, the newest first.
    """

    # What changes by itself, and no fix brings back: the engine's own files.
    volatile: tuple[str, ...] = ("qdrant/*",)

    def __init__(self, folder: Path, layout: Layout = "unified") -> None:
        from healthchecks.dgmo.world_files import Files
        from healthchecks.dgmo.world_log import Log
        from healthchecks.dgmo.world_qdrant import Memory
        from healthchecks.dgmo.world_store import Sessions

        self.folder = folder
        self.layout = layout
        self._over: dict[str, object] = {}
        self.data_home = folder / ".local" / "share"
        self.config_home = folder / ".config"
        self.tmp = folder / "tmp"
        self.tmp.mkdir(parents=True)
        # The order counts: backups are copies of what stands before them.
        self.sessions = Sessions(self)
        self.files = Files(self)
        self.memory = Memory(self)
        self.log = Log(self)
        for part in (self.sessions, self.files, self.memory, self.log):
            part.build()

    def settings(self) -> dict[str, object]:
        """Return the keys of [dgmo] in systems.toml by which this world is found."""
        return {
            "home": str(self.folder),
            "on": "local://",
            "enabled": "yes",
            "data_home": str(self.data_home),
            "config_home": str(self.config_home),
            "backup_lock": str(self.tmp / "session-backup.lock"),
            "usual_qdrant_url": "",  # whoever listens there is none of this world
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
        for part in (self.log, self.memory, self.files, self.sessions):
            part.close()
