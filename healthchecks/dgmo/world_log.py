"""The logs of a world: the program's own, or those of the guide, and those of the scripts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.dgmo.world import World

_QUIET = (
    b"INFO  %s +0ms service=default version=0.1.0 started\n"
    b"INFO  %s +1204ms service=bus type=storage.write publishing\n"
)


class Log:
    """The logs of a world; `path` is the program's newest."""

    def __init__(self, world: World) -> None:
        self._world = world
        folder = world.data_home / "dgmo" / "log"
        if world.layout == "workspace":
            places = world.data_home / "opencode" / "User" / "workspaceStorage"
            folder = places / "w1" / "dgmo" / "logs"
        guides = world.layout == "workspace"
        self.path = folder / ("system.log" if guides else "2025-07-09T120000.log")
        self.scripts = world.folder / "backups" / "logs" / "qdrant-backup.log"

    def build(self) -> None:
        """Make it as a healthy host has it."""
        world = self._world
        self.path.parent.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)
        stamp = f"{now:%Y-%m-%dT%H:%M:%S}".encode()
        self.path.write_bytes(_QUIET % (stamp, stamp))
        self.scripts.parent.mkdir(parents=True, exist_ok=True)
        local = f"{now.astimezone():%Y-%m-%d %H:%M:%S}"
        self.scripts.write_text(f"[{local}] [INFO] Backup completed successfully\n")
        world.change(log_files=["~/backups/logs/*.log"])

    def close(self) -> None:
        """End its processes: there are none."""

    def line(self, line: bytes) -> None:
        """Add a line to the program's newest log."""
        with self.path.open("ab") as file:
            file.write(line + b"\n")

    def script_line(self, line: bytes) -> None:
        """Add a line to the log of a script."""
        with self.scripts.open("ab") as file:
            file.write(line + b"\n")
