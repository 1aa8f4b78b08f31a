"""What is seen of room: how much backups, staging and logs take; and of copies off this machine."""

from __future__ import annotations

import fnmatch
import json
import os
import re
from dataclasses import dataclass

from healthchecks.claude_docker.shelf import FORM, TREE, shelf
from healthchecks.claude_docker.system import ROTATIONS, ClaudeDocker
from plugins import Absent, CannotTell, Measure, NotThere, ToolMissing, printable, probe
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.eyes import dated, reading
from plugins.hosts import Host

_GIB = 1 << 30
_STAMP = re.compile(r"(\d{8}-\d{6})(\.tar\.gz)?")
_BIGGEST = 3


@dataclass(frozen=True)
class Budget:
    """How much something takes.

    Args:
        what: where it lies, for people.
        taken: GiB, with the limit.
        biggest: the biggest parts of it, where it takes too much.
    """

    what: str
    taken: Measure
    biggest: tuple[str, ...]

    @property
    def over(self) -> bool:
        """Whether it takes too much."""
        return self.taken.value > (self.taken.limit or float("inf"))

    def __str__(self) -> str:
        named = f"; the biggest: {', '.join(self.biggest)}" if self.biggest else ""
        return f"{printable(self.what)}: {self.taken}{named}"


@probe(deadline=45.0)
def budgets(system: ClaudeDocker, filesystem: Filesystem) -> tuple[Budget, ...]:
    """What backups, staging and logs take of the disk; what is not there takes nothing."""
    settings = system.settings
    folders = {
        "backups": (system.backup_root, settings.backups_gib),
        "staging": (system.state_dir, settings.staging_gib),
    }
    found = []
    for name, (path, limit) in folders.items():
        try:
            folder = filesystem.resolve(path)
        except NotThere:
            continue
        taken = filesystem.du(folder, lenient=True)
        parts = _parts(folder, filesystem) if taken > limit * _GIB else ()
        found.append(_budget(name, path, taken, limit, parts))
    logs = log_files(system, filesystem, rotated=True)
    if logs:
        sizes = {one.path: filesystem.du(one.path) for one in logs}
        limit = settings.logs_gib
        parts = tuple(sizes.items()) if sum(sizes.values()) > limit * _GIB else ()
        found.append(_budget("logs", settings.log_patterns[0], sum(sizes.values()), limit, parts))
    if not found:
        raise Absent("backups, a staging folder or logs", (system.backup_root, system.state_dir))
    return tuple(found)


def _parts(folder: str, filesystem: Filesystem) -> tuple[tuple[str, int], ...]:
    entries = filesystem.folder(folder)
    return tuple((one.path, filesystem.du(one.path, lenient=True)) for one in entries)


def _budget(
    name: str, path: str, taken: int, limit: float, parts: tuple[tuple[str, int], ...]
) -> Budget:
    biggest = sorted(parts, key=lambda part: part[1], reverse=True)[:_BIGGEST]
    measure = Measure(f"room that {name} take", round(taken / _GIB, 6), "GiB", limit)
    shown = (f"{printable(part)} ({size / _GIB:.2f} GiB)" for part, size in biggest)
    return Budget(f"{name} in {path}", measure, tuple(shown))


def log_files(
    system: ClaudeDocker, filesystem: Filesystem, rotated: bool = False
) -> tuple[Entry, ...]:
    """Give the kit's logs that are regular files: those that are configured, and those named so.

    Args:
        system: whose logs they are.
        filesystem: looks.
        rotated: whether those that were rotated, and have something behind their name, are meant
            too.
    """
    settings = system.settings
    found = {path: filesystem.look(path) for path in settings.paths(settings.logs)}
    for pattern in settings.paths(settings.log_patterns):
        folder, name = os.path.split(pattern)
        try:
            entries = filesystem.folder(folder, follow=True)
        except NotThere:
            continue
        wanted = (name, f"{name}.*") if rotated else (name,)
        found |= {
            one.path: one
            for one in entries
            if any(fnmatch.fnmatchcase(one.name, each) for each in wanted)
        }
    return tuple(one for one in found.values() if one is not None and one.kind == "file")


@dataclass(frozen=True)
class LargeLog:
    """A log over its size.

    Args:
        path: the log.
        mib: its size.
        rotated: a free name for it, "" where there is none.
        seen: its identity.
    """

    path: str
    mib: float
    rotated: str
    seen: str

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.mib:.1f} MiB"


@probe
def large_logs(system: ClaudeDocker, filesystem: Filesystem) -> tuple[LargeLog, ...]:
    """The kit's logs that should have been rotated."""
    logs = log_files(system, filesystem)
    if not logs:
        raise Absent("logs of the kit", system.settings.paths(system.settings.log_patterns))
    limit = system.settings.log_mib
    return tuple(
        LargeLog(one.path, one.size / (1 << 20), _free(one.path, system, filesystem), one.identity)
        for one in logs
        if one.size > limit * (1 << 20)
    )


def _free(path: str, system: ClaudeDocker, filesystem: Filesystem) -> str:
    """Give the first free name for a rotated log; "" for one that nobody configured."""
    if path not in system.settings.paths(system.settings.logs):
        return ""
    names = (f"{path}.{number}" for number in ROTATIONS)
    return next((name for name in names if not filesystem.exists(name)), "")


@dataclass(frozen=True)
class OffSite:
    """Where copies off this machine are kept, and the newest of them.

    Args:
        place: the folder or remote.
        age: days; None where there is none.
    """

    place: str
    age: Measure | None

    @property
    def stale(self) -> bool:
        """Whether there is none, or an old one."""
        return self.age is None or self.age.value > (self.age.limit or 0.0)

    def __str__(self) -> str:
        age = f"{self.age.value:.1f} days" if self.age else ""
        what = f"the newest copy is of {age} ago" if age else "holds no copy"
        return f"{printable(self.place)}: {what}"


@probe(deadline=45.0)
def off_site_copies(
    system: ClaudeDocker, filesystem: Filesystem, commands: Host
) -> tuple[OffSite, ...]:
    """The configured places off this machine, each with its newest copy."""
    shelf(system, filesystem, commands)
    names = on_disk(system, filesystem), in_cloud(system, commands)
    places = system.settings.path(system.settings.external_backups), system.settings.rclone_remote
    found = []
    for place, held in zip(places, names, strict=True):
        if held is not None:
            stamps = [named[1] for name in held if (named := _STAMP.fullmatch(name))]
            found.append(OffSite(place, _newest(stamps, system, commands)))
    if not found:
        raise Absent("a disk or a cloud for copies of backups", tuple(filter(None, places)))
    return tuple(found)


def _newest(stamps: list[str], system: ClaudeDocker, commands: Host) -> Measure | None:
    now = commands.call(reading.now)
    ages = [
        max(0.0, now - moment) / 86400
        for moment in commands.call(dated.moments, stamps, FORM)
        if moment is not None and moment < now + 26 * 3600
    ]
    if not ages:
        return None
    limit = system.settings.off_site_days
    return Measure("age of the newest copy", round(min(ages), 2), "days", limit)


def on_disk(system: ClaudeDocker, filesystem: Filesystem) -> list[str] | None:
    """Give the names on the other disk; None where none is configured or mounted."""
    path = system.settings.path(system.settings.external_backups)
    if not path:
        return None
    try:
        filesystem.resolve(os.path.dirname(path))
    except NotThere:
        return None
    try:
        entries = filesystem.folder(path, follow=True)
    except NotThere:
        return []
    return [
        one.name
        for one in entries
        if (one.kind == "file" and one.size)
        or (one.kind == "folder" and filesystem.exists(os.path.join(one.path, TREE)))
    ]


def in_cloud(system: ClaudeDocker, commands: Host) -> list[str] | None:
    """Give the names in the cloud; None where none is configured."""
    remote = system.settings.rclone_remote
    if not remote or not system.settings.rclone:
        return None
    program, limit = system.settings.rclone, system.settings.rclone_answer_s
    try:
        ran = commands.run((program, "listremotes"), deadline=limit)
    except ToolMissing:
        return None
    if f"{remote.partition(':')[0]}:" not in ran.text.split("\n"):
        return None
    ran = commands.run((program, "lsjson", "--files-only", remote), deadline=limit)
    if ran.status == 3:  # rclone's word for "no such folder"
        return []
    if ran.status:
        raise CannotTell(f"{printable(remote)} cannot be listed: {printable(ran.complaint)}")
    try:
        rows = json.loads(ran.out)
    except (ValueError, RecursionError):
        raise CannotTell(f"what {printable(remote)} lists cannot be read") from None
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [str(row.get("Name", "")) for row in rows if row.get("Size")]
