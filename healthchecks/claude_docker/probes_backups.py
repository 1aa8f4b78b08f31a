"""What is seen of the backups: the newest one, the link to it, and the pointer of the last sync."""

from __future__ import annotations

import os
from dataclasses import dataclass

from healthchecks.claude_docker.backing_up import Taking, taking
from healthchecks.claude_docker.shelf import Backup, Shelf, begun, faults_of, shelf
from healthchecks.claude_docker.system import ClaudeDocker
from healthchecks.claude_docker.tarball import read
from plugins import Absent, Blocked, Measure, NotThere, TooBig, WrongKind, printable, probe
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.hosts import Host
from plugins.run import Run

WHOLE = "claude_docker.the_newest_backup_can_be_restored"


@dataclass(frozen=True)
class NewestBackup:
    """The newest full backup.

    Args:
        root: where backups lie.
        path: the backup's folder or archive; "" where there is none.
        age: hours since it was made; None where there is none.
        faults: why it cannot be restored.
        ahead: names of backups that bear a date which is yet to come, and do not count.
        taking: what a backup that is taken now would hold.
    """

    root: str
    path: str
    age: Measure | None
    faults: tuple[str, ...]
    ahead: tuple[str, ...]
    taking: Taking

    @property
    def old(self) -> bool:
        """Whether it is older than it may be."""
        return self.age is not None and self.age.value > (self.age.limit or 0.0)

    @property
    def notes(self) -> tuple[str, ...]:
        """What else is to be said."""
        said = "bears a date that is yet to come, and does not count"
        later = [f"{name} {said}" for name in self.ahead]
        why = self.taking.hindrance
        return (*later, *((f"none should be taken now: {why}",) if why else ()))


@dataclass(frozen=True)
class LatestLink:
    """The link `latest`.

    Args:
        path: where it is.
        trouble: what is wrong with it, "" when it is right.
        right: where it should lead; "" where nothing can be restored from a folder.
        aside: a free name for what stands in its place and is no link, else "".
        seen: the identity of what stands there, "" for nothing.
    """

    path: str
    trouble: str
    right: str
    aside: str
    seen: str


@probe(deadline=45.0)
def newest_backup(
    system: ClaudeDocker, filesystem: Filesystem, commands: Host, run: Run
) -> NewestBackup:
    """The newest full backup, and what keeps it from being restored."""
    return _newest(system, filesystem, commands, run)


def _newest(system: ClaudeDocker, filesystem: Filesystem, commands: Host, run: Run) -> NewestBackup:
    found = shelf(system, filesystem, commands)
    limit = system.settings.backup_hours
    plan, expected = taking(system, filesystem, found), filesystem.exists(system.config_file)
    for backup in _candidates(found, filesystem, system):
        faults = faults_in(backup, expected, filesystem, commands, run)
        if faults and _under_way(backup, system) and backup is not found.full[-1]:
            continue
        age = Measure("age of the newest backup", round(backup.age / 3600, 2), "h", limit)
        return NewestBackup(found.root, backup.path, age, faults, found.ahead, plan)
    return NewestBackup(found.root, "", None, (), found.ahead, plan)


@probe(deadline=45.0)
def dated_backup(
    system: ClaudeDocker, filesystem: Filesystem, commands: Host, run: Run
) -> NewestBackup:
    """The newest full backup, where there is one."""
    found = _newest(system, filesystem, commands, run)
    if found.age is None:
        raise Blocked(WHOLE, f"there is no backup in {printable(found.root)}")
    return found


def faults_in(
    backup: Backup,
    expected: bool,
    filesystem: Filesystem,
    commands: Host,
    run: Run,
    seconds: float = 30.0,
) -> tuple[str, ...]:
    """Return what keeps a backup from being restored.

    Args:
        backup: which.
        expected: whether it must hold a configuration.
        filesystem: looks at folders.
        commands: the host.
        run: knows what was read of archives before.
        seconds: after which the reading of an archive is given up.
    """
    if backup.kind == "folder":
        return tuple(faults_of(backup.path, filesystem, expected))
    return read(backup, commands, run, seconds).faults(expected)


def _candidates(found: Shelf, filesystem: Filesystem, system: ClaudeDocker) -> list[Backup]:
    """Give the full backups into which anything was put."""
    return [one for one in found.full if begun(one, filesystem)]


def _under_way(backup: Backup, system: ClaudeDocker) -> bool:
    return backup.age < system.settings.backup_minutes * 60


@probe
def latest_link(
    system: ClaudeDocker, filesystem: Filesystem, commands: Host, run: Run
) -> LatestLink:
    """The link `latest`, and where it should lead."""
    found = shelf(system, filesystem, commands)
    candidates = _candidates(found, filesystem, system)
    if not candidates:
        raise Blocked(WHOLE, f"there is no backup in {printable(found.root)}")
    folders = [one for one in candidates if one.kind == "folder"]
    expected = filesystem.exists(system.config_file)
    sound = next((o for o in folders if not any(faults_of(o.path, filesystem, expected))), None)
    path = os.path.join(found.root, "latest")
    entry = filesystem.look(path)
    trouble, led = _led(entry, found, folders, filesystem)
    if led and sound and sound.stamp > led.stamp and not _under_way(sound, system):
        trouble = f"leads to {led.stamp}, and {sound.stamp} is newer"
    return LatestLink(
        path=path,
        trouble=trouble,
        right=sound.path if sound else "",
        aside=_free(path, filesystem) if entry and entry.kind != "link" else "",
        seen=entry.identity if entry else "",
    )


def _led(
    entry: Entry | None, found: Shelf, folders: list[Backup], filesystem: Filesystem
) -> tuple[str, Backup | None]:
    """Return what is wrong with where `latest` leads, and the backup that it leads to."""
    if entry is None:
        return "is not there", None
    if entry.kind != "link":
        return f"is a {entry.kind}, and no link", None
    target = printable(entry.target)
    try:
        led = filesystem.resolve(entry.path)
    except NotThere:
        return f"leads to {target}, which is not there", None
    except WrongKind:
        return f"leads to {target}, in a circle", None
    if os.path.dirname(led) != filesystem.resolve(found.root):
        return f"leads to {target}, out of the folder of backups", None
    backup = next((one for one in folders if os.path.basename(led) == one.entry.name), None)
    if backup is not None:
        return "", backup
    dated = any(os.path.basename(led) == one.entry.name for one in found.full)
    return f"leads to {target}, which is {'empty' if dated else 'no full backup'}", None


def _free(path: str, filesystem: Filesystem) -> str:
    names = (f"{path}.was-no-link{number}" for number in ("", *range(2, 1000)))
    return next((name for name in names if not filesystem.exists(name)), "")


@dataclass(frozen=True)
class Pointer:
    """The file that names the backup made before the last synchronisation.

    Args:
        path: the file.
        trouble: what is wrong with it, "" when it leads to a backup.
    """

    path: str
    trouble: str


@probe
def backup_pointer(system: ClaudeDocker, filesystem: Filesystem) -> Pointer:
    """The pointer, which lies where anybody may write."""
    path = system.settings.path(system.settings.last_backup)
    entry = filesystem.look(path)
    if entry is None:
        raise Absent("a pointer to a backup before a synchronisation: none was made", (path,))
    home = filesystem.look(system.home)
    if entry.kind != "file":
        return Pointer(path, f"is a {entry.kind}, and no file")
    if home is not None and entry.uid not in (home.uid, 0):
        return Pointer(path, f"belongs to {entry.owner}: who follows it restores what they named")
    try:
        text = filesystem.read(path, 1 << 16).decode("utf-8", "surrogateescape")
    except (TooBig, WrongKind) as why:
        return Pointer(path, f"cannot be read: {why}")
    named = text.partition("\n")[0].strip()
    return Pointer(path, _led_astray(named, text, system, filesystem))


def _led_astray(named: str, text: str, system: ClaudeDocker, filesystem: Filesystem) -> str:
    """Return what is wrong with the folder that the pointer names."""
    shown = printable(named)
    if not named.startswith("/") or text.strip() != named or "\0" in named:
        return "is empty" if not text.strip() else f"names {shown}, which is no whole path"
    try:
        led = filesystem.resolve(named)
        found = filesystem.look(led)
        inside = f"{led}/".startswith(f"{filesystem.resolve(system.backup_root)}/")
    except (NotThere, WrongKind):
        return f"names {shown}, which is not there"
    if found is None or found.kind != "folder":
        return f"names {shown}, which is no folder"
    return "" if inside else f"names {shown}, which lies outside the folder of backups"
