"""Which backup a rollback goes back to, and the steps that put it in place.

A backup is a folder named by its date, with the server's executable and data.tar.gz in it, as the
guide makes it.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.pocket_agent.system import PocketAgent
from plugins import CannotTell, NotThere, WrongKind, printable
from plugins.endpoints.errors import in_words
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.hands import archives
from plugins.hosts import Host
from plugins.steps import Chmod, Copy, Step, Unpack

ARCHIVE = "data.tar.gz"
_DATE = re.compile(r"\d{8}([-_T]?\d{4,6}Z?)?|\d{4}-\d\d-\d\d([-_T][\d:-]{4,8}Z?)?")


@dataclass(frozen=True)
class Backup:
    """A backup that can be gone back to.

    Args:
        binary: the server's executable in it.
        archive: the archive of the data.
        inner: the folder of the projects, as the archive names it.
    """

    binary: Entry
    archive: str
    inner: str


def restored(system: PocketAgent, filesystem: Filesystem, commands: Host) -> Iterator[Step]:
    """Put executable and projects of the backup in the place of today's; configuration stays.

    Raises:
        CannotTell: no backup is whole, or nothing tells where the executable is.
    """
    if not system.binary:
        raise NotThere("nothing tells where the executable is; binary in the systems file may")
    standing = filesystem.look(system.binary)
    if standing and standing.kind != "file":
        raise WrongKind(f"{printable(system.binary)} is a {standing.kind}, and would be replaced")
    found = backup(system, filesystem, commands)
    yield Copy(system.binary, found.binary.path)
    if not found.binary.mode & 0o100:
        yield Chmod(system.binary, 0o755)
    yield Unpack(system.projects, found.archive, found.inner)


def backup(system: PocketAgent, filesystem: Filesystem, commands: Host) -> Backup:
    """Find the backup that the settings name, else the newest that is whole.

    Raises:
        NotThere: there is none; says of each what is wrong with it.
    """
    wanted = system.settings.rollback_to
    troubles: list[str] = []
    for folder in _dated(system, filesystem, wanted):
        try:
            return _whole(folder, system, filesystem, commands)
        except CannotTell as why:
            troubles.append(f"{printable(folder)}: {why}")
    looked = ", ".join(map(printable, system.uses.backups)) or "no folder, as `backups` names none"
    named = f"named {printable(wanted)} " if wanted else ""
    said = "; ".join(troubles[:5]) or f"looked in {looked}"
    raise NotThere(f"no backup {named}can be gone back to: {said}")


def _dated(system: PocketAgent, filesystem: Filesystem, wanted: str) -> list[str]:
    """Give the folders of backups, the newest first."""
    found: list[Entry] = []
    for place in system.uses.backups:
        try:
            found += filesystem.folder(place, follow=True)
        except NotThere:
            continue
    folders = [one for one in found if one.kind == "folder"]
    if wanted:
        return [one.path for one in folders if one.name == wanted]
    dated = [one for one in folders if _DATE.fullmatch(one.name)]
    # Both ways of writing a date fall into one order by their digits alone.
    dated.sort(key=lambda one: re.sub(r"\D", "", one.name), reverse=True)
    return [one.path for one in dated]


def _whole(folder: str, system: PocketAgent, filesystem: Filesystem, commands: Host) -> Backup:
    """Read a backup to its end; raises CannotTell when it is not whole."""
    path = os.path.join(folder, system.settings.program)
    binary = filesystem.look(path)
    if binary is None or binary.kind != "file" or not binary.size:
        raise NotThere(f"there is no {system.settings.program} in it")
    archive = os.path.join(folder, ARCHIVE)
    with in_words(archive):
        said = commands.call(archives.survey, archive, "projects", deadline=900.0)
    if "refused" in said:
        raise WrongKind(f"{ARCHIVE}: {printable(said['refused'])}")
    return Backup(binary, archive, said["inner"])
