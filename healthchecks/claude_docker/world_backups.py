"""The backups of a world, as the kit makes them; its own, and copies off the machine."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.claude_docker.world import World

FORM = "%Y%m%d-%H%M%S"


class Backups:
    """The backups of a world.

    Args:
        world: that it belongs to.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.root = world.backup_root
        self.latest = self.root / "latest"
        self.pointer = world.tmp / "claude-last-backup"
        self.external = world.folder / "disk" / "claude-backups"
        self.rclone = world.folder / "bin" / "rclone"

    def build(self) -> None:
        """Make the healthy state: one full backup of an hour ago, and nothing off the machine."""
        world = self._world
        world.change(
            external_backups=str(self.external),
            rclone=str(self.rclone),
            recovery_folder=str(world.folder / ".claude-recovery"),
            log_patterns=[str(world.folder / f".claude-docker-*.{kind}") for kind in _KINDS],
        )
        if world.kit:
            self.full(hours=1)

    def stamp(self, *, days: float = 0.0, hours: float = 0.0) -> str:
        """Give the name of a backup that was made some days and hours ago."""
        return time.strftime(FORM, time.localtime(time.time() - days * 86400 - hours * 3600))

    def full(
        self, *, days: float = 0.0, hours: float = 0.0, archive: bool = True, link: bool = True
    ) -> Path:
        """Make a full backup of what stands in the world now, as of some time ago.

        Args:
            days: how long ago.
            hours: and how much longer.
            archive: whether its tar.gz is made too.
            link: whether `latest` is led to it.
        """
        folder = self._copied(self.stamp(days=days, hours=hours), days * 24 + hours)
        if archive:
            self.archive(folder)
        if link:
            self.link(folder)
        return folder

    def pre_sync(self, *, days: float = 0.0, hours: float = 0.0) -> Path:
        """Make a backup as before a synchronisation, with the pointer that names it."""
        stamp = f"pre-sync-{self.stamp(days=days, hours=hours)}"
        folder = self._copied(stamp, days * 24 + hours)
        self.point(f"{folder}\n")
        return folder

    def point(self, text: str) -> None:
        """Write the pointer to the newest backup of a synchronisation."""
        self.pointer.write_text(text, "utf-8")

    def archive(self, folder: Path, made: Path | None = None) -> Path:
        """Make the tar.gz of a backup as `tar -C` does, beside it or elsewhere under its name."""
        made = made or folder.with_name(f"{folder.name}.tar.gz")
        with tarfile.open(made, "w:gz", compresslevel=1) as tar:
            tar.add(folder, made.name.removesuffix(".tar.gz"))
        made.chmod(0o600)
        stamp = folder.stat().st_mtime
        os.utime(made, (stamp, stamp))
        return made

    def link(self, folder: Path | str) -> None:
        """Lead `latest` to a folder."""
        self.latest.unlink(missing_ok=True)
        self.latest.symlink_to(folder)

    def hostile(self, path: Path, name: str) -> None:
        """Put an archive there that holds a member of a name, whatever it leads to."""
        with tarfile.open(path, "w:gz") as tar:
            member = tarfile.TarInfo(name)
            member.size = 1
            tar.addfile(member, io.BytesIO(b"x"))
        path.chmod(0o600)

    def outside(self, *, days: float = 0.0) -> Path:
        """Let the other disk be there, with a copy of some days ago."""
        self.external.mkdir(parents=True)
        made = self.archive(self._newest())
        copied = self.external / f"{self.stamp(days=days)}.tar.gz"
        shutil.copyfile(made, copied)
        copied.chmod(0o600)
        return self._world.age(copied, days=days)

    def cloud(
        self, *days: float, remote: str = "remote:", status: int = 0, wait: float = 0
    ) -> None:
        """Let there be a stand-in `rclone` whose remote holds archives of so many days ago."""
        rows = [{"Name": f"{self.stamp(days=age)}.tar.gz", "Size": 99} for age in days]
        told = json.dumps(rows)
        held = self._world.folder / "cloud"
        held.mkdir(exist_ok=True)
        newest = self._newest()
        for row in rows:
            self.archive(newest, held / str(row["Name"]))
        self.rclone.parent.mkdir(exist_ok=True)
        self.rclone.write_text(
            "#!/bin/sh\n"
            f"[ {wait:g} = 0 ] || exec sleep {wait:g}\n"
            f'case "$1" in listremotes) echo {remote};;\n'
            f"lsjson) [ {status} = 0 ] || {{ echo 'directory not found' >&2; exit {status}; }}\n"
            f"  cat <<'.'\n{told}\n.\n;;\n"
            f'copyto) cp -- "{held}/${{2##*/}}" "$3";;\n'
            "*) exit 9;; esac\n",
            "utf-8",
        )
        self.rclone.chmod(0o700)

    def _newest(self) -> Path:
        made = sorted(path for path in self.root.glob("[0-9]*") if path.is_dir())
        return made[-1] if made else self.full(hours=1)

    def _copied(self, name: str, hours: float) -> Path:
        self.root.mkdir(mode=0o700, exist_ok=True)
        folder = self.root / name
        folder.mkdir(mode=0o700)
        if self._world.config_dir.is_dir():
            shutil.copytree(self._world.config_dir, folder / "claude", symlinks=True)
        if self._world.config_file.is_file():
            shutil.copy2(self._world.config_file, folder / "claude.json")
            (folder / "claude.json").chmod(0o600)
        self._world.age(folder, hours=hours)
        return folder


_KINDS = ("log", "jsonl")
