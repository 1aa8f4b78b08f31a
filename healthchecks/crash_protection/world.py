"""Conversations of Claude Code and their copies in small: real files in a home folder."""

from __future__ import annotations

import os
from pathlib import Path


class World:
    """A home folder with conversations, each with a current copy, and a monitor's state.

    Args:
        folder: an empty folder; it is the home folder too.
        bare: only the conversations: nothing protects them, as on a host that just runs Claude.
    """

    volatile: tuple[str, ...] = ("docker/*",)

    def __init__(self, folder: Path, bare: bool = False) -> None:
        from healthchecks.crash_protection.world_conversations import Conversations
        from healthchecks.crash_protection.world_monitor import Monitor

        self.folder = folder
        self._over: dict[str, object] = {}
        self.kit = folder / ".claude-docker-conversations"
        self.realtime = self.kit / "realtime"
        self.crash_recovery = self.kit / "crash-recovery"
        self.saved = self.kit / "conversations"
        self.exports = self.kit / "exports"
        self.metadata = self.kit / "metadata"
        self.projects = folder / ".claude" / "projects"
        self.volume = folder / "volume"
        self.conversations = Conversations(self)
        self.monitor = Monitor(self)
        self.conversations.build(copies=not bare)
        if not bare:
            self.monitor.build()

    def settings(self) -> dict[str, object]:
        """Return the keys of [crash_protection] in systems.toml by which this world is found."""
        return {
            "home": str(self.folder),
            "on": "local://",
            "enabled": "yes",
            "folder": str(self.kit),
            "origins": [str(self.projects)],
            "volume_folder": str(self.volume),
            "docker_url": f"unix://{self.folder}/no-docker.sock",
        } | self._over

    def change(self, **settings: object) -> None:
        """Lay more keys over those of `settings`."""
        self._over |= settings

    def log_line(self, line: bytes) -> None:
        """Add a line to the monitor's log, in which known issues show."""
        self.monitor.line(line)

    def age(self, path: Path, seconds: float) -> Path:
        """Let a file or folder be last written some seconds ago, and return it."""
        moment = path.lstat().st_mtime - seconds
        os.utime(path, (moment, moment), follow_symlinks=False)
        return path

    def close(self) -> None:
        """End every process of this world."""
        self.monitor.close()
