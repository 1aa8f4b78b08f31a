"""Conversations of Claude Code and their copies in small: real files in a home folder."""

from __future__ import annotations

import os
import shutil
import time
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
        from healthchecks.crash_protection.world_engine import WorldDocker
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
        self.engine = WorldDocker(self)
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
            "volumes_folder": str(self.folder / "volumes"),
            "docker_url": f"unix://{self.folder}/no-docker.sock",
            **self.monitor.settings(),
        } | self._over

    def change(self, **settings: object) -> None:
        """Lay more keys over those of `settings`."""
        self._over |= settings

    def log_line(self, line: bytes) -> None:
        """Add a line to the monitor's log, in which known issues show."""
        self.monitor.line(line)

    def summaries(self, first: str = "2026-01-05T10:00:00.000Z") -> list[Path]:
        """Have an export and metadata of a conversation, as the shell backup writes them."""
        session = "54f1b9b6-a2a2-4a91-9836-f98330b15c20"
        metadata = f"""{{
  "session_id": "{session}",
  "backup_timestamp": "",
  "file_size": 5242880,
  "line_count": 664,
  "first_message_timestamp": "{first}",
  "last_message_timestamp": "2026-01-05T11:00:00.000Z",
  "backup_date": "2026-01-05T12:00:00Z"
}}
"""
        made = {
            self.metadata / f"{session}_metadata.json": metadata,
            self.exports / f"{session}_summary.md": f"# Conversation\n\nSession ID: {session}\n",
        }
        for path, text in made.items():
            path.parent.mkdir(exist_ok=True, mode=0o700)
            path.write_text(text)
            path.chmod(0o600)
        return list(made)

    def crashed(self, *, cut: bool = False, lost: bool = False, ago: float | None = None) -> Path:
        """Let everything be of before the machine was started; return a conversation.

        Args:
            cut: the conversation lost its end, and the regular backup of it is older than that.
            lost: it is gone, and there is no regular backup of it.
            ago: seconds since the last copy; None for so many that it is before the last start.
        """
        from plugins.endpoints.machine import Machine
        from plugins.hosts import Host

        booted = Machine(Host()).booted()
        before = time.time() - booted + 3600 if ago is None else ago
        for path in (*self.kit.rglob("*.jsonl"), *self.folder.rglob("projects/*/*.jsonl")):
            self.age(path, before)
        found = next(self.projects.glob("*/*.jsonl"))
        if cut:
            short = found.read_bytes()[:-200]
            for path in (found, self.saved / found.name):
                path.write_bytes(short)
                self.age(path, before + 60)
        if lost:
            found.unlink()
            (self.saved / found.name).unlink()
        return found

    def large(self, path: Path, size: int) -> None:
        """Write a file of so many bytes that takes no room."""
        with path.open("wb") as file:
            file.truncate(size)
        path.chmod(0o600)

    def own(self, path: Path, uid: int) -> None:
        """Give a file or folder, alone, to another user."""
        os.chown(path, uid, uid)

    def drop(self, folder: Path) -> None:
        """Take a folder away with all that is in it."""
        shutil.rmtree(folder)

    def age(self, path: Path, seconds: float) -> Path:
        """Let a file or folder be last written some seconds ago, and return it."""
        moment = path.lstat().st_mtime - seconds
        os.utime(path, (moment, moment), follow_symlinks=False)
        return path

    def close(self) -> None:
        """End every process of this world."""
        self.monitor.close()
        self.engine.close()
