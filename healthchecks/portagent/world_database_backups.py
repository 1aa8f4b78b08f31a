"""The backups of a world's databases, in each of the ways that people take them."""

from __future__ import annotations

import shutil
import sqlite3
import tarfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from healthchecks.portagent.world_database_schemas import SCHEMAS

if TYPE_CHECKING:
    from healthchecks.portagent.world import World
    from healthchecks.portagent.world_databases import Databases


class Backups:
    """The backups of a world's databases; `folder` holds them."""

    def __init__(self, world: World, databases: Databases) -> None:
        self._world = world
        self._databases = databases
        self.folder = world.folder / "backups" / "portagent"

    def take(self, *, hours: float = 1.0, names: tuple[str, ...] = tuple(SCHEMAS)) -> list[Path]:
        """Take one as the operations guide does, so many hours ago; return its files."""
        stamp = time.strftime("%Y%m%d_%H%M%S", time.localtime(time.time() - hours * 3600))
        made = []
        for name in names:
            target = self.folder / f"{name}-{stamp}.db"
            with (
                closing(self._databases.open(name)) as source,
                closing(sqlite3.connect(target)) as copy,
            ):
                source.backup(copy)
            target.chmod(0o600)
            made.append(self._world.age(target, hours=hours))
        return made

    def archive(self, *, hours: float, broken: bool = False) -> Path:
        """Take one into a tar.gz as the operations guide's script does, without the queue."""
        made = self.take(hours=hours, names=("portagent", "agentx"))
        if broken:
            with made[0].open("r+b") as file:
                file.seek(4096)
                file.write(b"\xff" * 4096)
        target = self.folder / f"backup-{made[0].stem.partition('-')[2]}.tar.gz"
        with tarfile.open(target, "w:gz") as tar:
            for one in made:
                tar.add(one, str(one).lstrip("/"))
                one.unlink()
        return self._world.age(target, hours=hours)

    def in_a_folder(self) -> Path:
        """Let the only one be by `cp -r` of the data folder, as the guide does it offline."""
        self.none()
        target = self.folder / "backup-20250115" / "data"
        target.mkdir(parents=True)
        for name in SCHEMAS:
            shutil.copy(self._databases.path(name), target)
        return target

    def none(self) -> None:
        """Take every backup away."""
        for one in self.folder.iterdir():
            one.unlink()
