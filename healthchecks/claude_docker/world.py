"""Claude Code and its Docker kit in small: real files in a home folder, in one of two layouts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

Layout = Literal["guide", "own"]


class World:
    """A healthy installation in `folder`; nothing is started before a method asks for it.

    Args:
        folder: an empty folder; it is the home folder too.
        layout: "guide" (the kit: staging, backups, logs, launcher; and Claude Code as it is today
            under it) or "own" (Claude Code alone, logged in).
    """

    volatile: tuple[str, ...] = ("docker/*",)

    def __init__(self, folder: Path, layout: Layout = "guide") -> None:
        from healthchecks.claude_docker.world_backups import Backups
        from healthchecks.claude_docker.world_containers import Containers
        from healthchecks.claude_docker.world_login import Login
        from healthchecks.claude_docker.world_logs import Journals
        from healthchecks.claude_docker.world_servers import Servers
        from healthchecks.claude_docker.world_sync import Sync

        self.folder = folder
        self.layout = layout
        self.kit = layout == "guide"
        self._over: dict[str, object] = {}
        self.config_dir = folder / ".claude"
        self.config_file = folder / ".claude.json"
        self.state_dir = folder / ".docker-ai-config" / "global_state" / "claude_config"
        self.backup_root = folder / ".claude-backups"
        self.tmp = folder / "tmp"
        self.tmp.mkdir(parents=True)
        # The order counts: staging and backups are copies of what stands before them.
        self.login = Login(self)
        self.servers = Servers(self)
        self.sync = Sync(self)
        self.backups = Backups(self)
        self.logs = Journals(self)
        self.containers = Containers(self)
        for part in (self.login, self.servers, self.sync, self.backups, self.logs, self.containers):
            part.build()

    def settings(self) -> dict[str, object]:
        """Return the keys of [claude_docker] in systems.toml by which this world is found."""
        return {
            "home": str(self.folder),
            "on": "local://",
            "enabled": "yes",
            "config_dir": str(self.config_dir),
            "config_file": str(self.config_file),
            "state_dir": str(self.state_dir),
            "backup_root": str(self.backup_root),
            "last_backup": str(self.tmp / "claude-last-backup"),
            "sync_lock": str(self.tmp / "claude-config-sync.lock"),
            # What lets the one who checks into Claude lets nobody into a world.
            "security": "",
            "token_variables": [],
            "cloud_variables": [],
            "managed_settings": [],
            "docker_url": f"unix://{self.folder}/no-docker.sock",
        } | self._over

    def change(self, **settings: object) -> None:
        """Lay more keys over those of `settings`."""
        self._over |= settings

    def log_line(self, line: bytes) -> None:
        """Add a line to the log in which known issues show."""
        self.logs.line(line)

    def age(self, path: Path, *, days: float = 0.0, hours: float = 0.0) -> Path:
        """Let a file or folder be last written some days and hours ago, and return it."""
        moment = path.lstat().st_mtime - days * 86400 - hours * 3600
        os.utime(path, (moment, moment), follow_symlinks=False)
        return path

    def close(self) -> None:
        """End every process of this world."""
        self.containers.close()
        self.sync.close()
        self.servers.close()
        self.logs.close()
