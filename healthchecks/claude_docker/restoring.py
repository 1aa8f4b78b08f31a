"""Which backup a recovery goes back to, and the steps that put it in the place of what is there.

All is made ready beside first, where a full disk or a broken archive does no harm; then two renames
for each thing that is replaced. Nothing is deleted, and a login that is newer than the backup's is
taken over, as the older one is no good any more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.claude_docker.probes_backups import faults_in
from healthchecks.claude_docker.shelf import CONFIGURATION, TREE, Backup, Shelf, begun, shelf
from healthchecks.claude_docker.system import ClaudeDocker
from healthchecks.claude_docker.tarball import read
from plugins import CannotTell, NotThere, printable
from plugins.endpoints.filesystem import Filesystem
from plugins.hosts import Host
from plugins.run import Run
from plugins.steps import Archive, Copy, CopyTree, Mkdir, Move, PutAway, Step, TakeOver, Unpack

CREDENTIALS = ".credentials.json"
_SECONDS = 300.0
_LARGEST = 64 << 20


@dataclass(frozen=True)
class Source:
    """What is restored.

    Args:
        path: a backup's folder, or an archive.
        inner: the folder in the archive; "" for a folder.
        tree: whether it holds Claude's folder.
        file: whether it holds the configuration file.
    """

    path: str
    inner: str
    tree: bool = True
    file: bool = True


@dataclass(frozen=True)
class Restoring:
    """One recovery of the configuration.

    Args:
        system: whose it is.
        filesystem: looks.
        commands: the host.
        run: knows what was read of archives before.
    """

    system: ClaudeDocker
    filesystem: Filesystem
    commands: Host
    run: Run

    @property
    def folder(self) -> str:
        """Where archives and what is made ready lie."""
        return self.system.settings.path(self.system.settings.recovery_folder)

    def archived(self, stamp: str, *paths: str) -> Iterator[Step]:
        """Archive what is there of the paths, after clearing up after a run that was cut short."""
        if not self.filesystem.exists(self.folder):
            yield Mkdir(self.folder)
        else:
            for entry in self.filesystem.folder(self.folder, follow=True):
                if entry.name.startswith(".healthchecks."):
                    yield PutAway(entry.path)
        for number, path in enumerate(paths, 1):
            if self.filesystem.exists(path):
                name = f"{stamp}-{number}-{os.path.basename(path).lstrip('.')}.tar.gz"
                yield Archive(os.path.join(self.folder, name), path)

    def best(self, wanted: str) -> Source:
        """Return the newest backup that can be restored, or the one that is wanted.

        Full ones come before those made before a synchronisation, folders before archives of the
        same date.

        Raises:
            NotThere: there is none; says of each what is wrong with it.
        """
        found = shelf(self.system, self.filesystem, self.commands)
        named = (wanted, f"{wanted}.tar.gz")
        troubles: list[str] = []
        for expected in (True, False):
            for backup in _in_order(found):
                if (wanted and backup.entry.name not in named) or not begun(
                    backup, self.filesystem
                ):
                    continue
                faults = self._faults(backup, expected)
                if not faults:
                    return self._source(backup)
                troubles.append(f"{printable(backup.entry.name)}: {', '.join(faults)}")
        which = f"backup {printable(wanted)}" if wanted else "backup"
        said = "; ".join(dict.fromkeys(troubles)) or f"none is in {printable(found.root)}"
        raise NotThere(f"no {which} can be restored: {said}")

    def _faults(self, backup: Backup, expected: bool) -> tuple[str, ...]:
        try:
            return faults_in(backup, expected, self.filesystem, self.commands, self.run, _SECONDS)
        except CannotTell as why:
            return (str(why),)

    def _source(self, backup: Backup) -> Source:
        if backup.kind == "folder":
            plain = self.filesystem.exists(os.path.join(backup.path, CONFIGURATION))
            return Source(backup.path, "", file=plain)
        told = read(backup, self.commands, self.run, _SECONDS)
        return Source(backup.path, told.inner, file=told.file)

    def replaced(self, source: Source, stamp: str) -> Iterator[Step]:
        """Make the backup ready beside, then put it in the place of what is there."""
        system, ready = self.system, os.path.join(self.folder, f"{stamp}-ready")
        if source.inner:
            yield Unpack(ready, source.path, source.inner, astray=True)
        else:
            yield CopyTree(ready, source.path)
        tree, file = os.path.join(ready, TREE), os.path.join(ready, CONFIGURATION)
        yield from self._login(tree, file if source.file else "")
        yield PutAway(system.config_dir)
        yield Move(tree, system.config_dir)
        inside = f"{system.config_file}/".startswith(f"{system.config_dir}/")
        if source.file and not inside:
            yield PutAway(system.config_file)
            yield Move(file, system.config_file)
        yield PutAway(ready)

    def _login(self, tree: str, file: str) -> Iterator[Step]:
        """Take over today's login."""
        system = self.system
        credentials = os.path.join(system.config_dir, CREDENTIALS)
        if self._has_token(credentials):
            yield Copy(os.path.join(tree, CREDENTIALS), credentials)
        if file and self._has_token(system.config_file):
            yield TakeOver(file, system.config_file, ("claudeAiOauth", "oauthAccount"))

    def _has_token(self, path: str) -> bool:
        """Tell whether a file holds a login; nothing of it is kept."""
        try:
            entry = self.filesystem.look(path)
            if entry is None or entry.kind != "file":
                return False
            said = json.loads(self.filesystem.read(path, _LARGEST))
        except (CannotTell, ValueError, RecursionError):
            return False
        login = said.get("claudeAiOauth") if isinstance(said, dict) else None
        token = login.get("accessToken") if isinstance(login, dict) else None
        return isinstance(token, str) and bool(token)


def _in_order(found: Shelf) -> Iterator[Backup]:
    yield from found.full
    yield from (one for one in found.backups if one.before_sync)
