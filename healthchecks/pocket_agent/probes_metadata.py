"""What is seen of the projects: their folders and the metadata.json in each."""

from __future__ import annotations

import os.path
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from healthchecks.pocket_agent.probes_disk import FOLDER_CHECK
from healthchecks.pocket_agent.restoring import (
    FIELDS,
    Restoration,
    from_backup,
    from_remains,
    from_work,
    moment,
)
from healthchecks.pocket_agent.system import PocketAgent
from plugins import (
    Absent,
    Blocked,
    Measure,
    NoPermission,
    NotThere,
    TooBig,
    WrongKind,
    printable,
    probe,
)
from plugins.endpoints.filesystem import Filesystem
from plugins.eyes import metadata, reading
from plugins.hosts import Host

FILE = "metadata.json"


@dataclass(frozen=True)
class BrokenMetadata:
    """A metadata file that the server cannot load.

    Args:
        path: the file.
        why: what is wrong with it, in a few words.
        seen: its identity; "" when no regular file stands there.
        mode: its permission bits.
        better: what may stand in its place, None when nothing tells the project's path.
    """

    path: str
    why: str
    seen: str
    mode: int
    better: Restoration | None = field(default=None)

    def __str__(self) -> str:
        if self.better:
            cure = f"can be restored from {self.better.origin}"
        elif self.seen:
            cure = "no backup is good, and nothing tells the project's path"
        else:
            cure = "it is no regular file, and nothing else is looked into"
        return f"{printable(self.path)}: {self.why} ({cure})"


@dataclass(frozen=True)
class Projects:
    """The projects on disk.

    Args:
        used: how many the server can load, of how many.
        share: the same in percent, with the line from which it is too much.
        orphans: folders without metadata, each with what is in it that tells of a project.
    """

    used: Measure
    share: Measure
    orphans: tuple[str, ...]


def _survey(
    system: PocketAgent, filesystem: Filesystem, commands: Host
) -> dict[str, list[metadata.Row]]:
    top, limit = system.projects, system.settings.metadata_kib << 10
    try:
        return filesystem.survey(top, FILE, FIELDS, limit)
    except NotThere:
        if commands.call(reading.at, [top], 0, False)[top]["kind"] != "missing":
            raise WrongKind(f"{printable(top)} is no folder") from None
        if commands.call(reading.folders, [system.data_dir]) == ["folder"]:
            raise Absent("projects", (top,)) from None
        raise Blocked(FOLDER_CHECK, f"{printable(system.data_dir)} is no folder") from None


def _unreadable(system: PocketAgent, survey: dict[str, list[metadata.Row]]) -> NoPermission:
    names = [printable(f"{system.projects}/{row[0]}/{FILE}") for row in survey["denied"]]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return NoPermission(f"we may not look at {', '.join(names[:3])}{more}")


@probe(deadline=20.0)
def broken_metadata(
    system: PocketAgent, filesystem: Filesystem, commands: Host
) -> tuple[BrokenMetadata, ...]:
    """Metadata files that the server cannot load, each with what may stand in its place."""
    return tuple(broken for broken in _broken(system, filesystem, commands) if broken.better)


@probe(deadline=20.0)
def lost_metadata(
    system: PocketAgent, filesystem: Filesystem, commands: Host
) -> tuple[BrokenMetadata, ...]:
    """Metadata files that the server cannot load, and nothing tells what belongs there."""
    return tuple(broken for broken in _broken(system, filesystem, commands) if not broken.better)


def _broken(
    system: PocketAgent, filesystem: Filesystem, commands: Host
) -> tuple[BrokenMetadata, ...]:
    survey = _survey(system, filesystem, commands)
    rows = survey["broken"]
    if not rows and not survey["others"] and survey["denied"]:
        raise _unreadable(system, survey)
    regular = [str(row[0]) for row in rows if row[2]]
    better = dict(_restorations(system, filesystem, commands, regular)) if regular else {}
    links = (
        BrokenMetadata(os.path.join(system.projects, name), f"the project folder is {what}", "", 0)
        for name, what in survey["others"]
    )
    return (
        *(
            BrokenMetadata(f"{system.projects}/{name}/{FILE}", why, seen, mode, better.get(name))
            for name, why, seen, mode, _ in rows
        ),
        *links,
    )


def _restorations(
    system: PocketAgent, filesystem: Filesystem, commands: Host, names: list[str]
) -> Iterator[tuple[str, Restoration]]:
    """Yield for each project, where one is found, the best thing to put in its metadata's place."""
    backups = system.uses.backups
    places = {name: _backups(f"{system.projects}/{name}/{FILE}", name, backups) for name in names}
    wanted = [path for paths in places.values() for path in paths]
    own = [f"{system.projects}/{name}/{FILE}" for name in names]
    limit = system.settings.metadata_kib << 10
    rows = commands.call(reading.at, [*wanted, *own], limit, False)
    for name, mine in zip(names, own, strict=True):
        texts = ((path, str(rows[path]["text"])) for path in places[name] if rows[path]["text"])
        kept = (from_backup(name, printable(path), text) for path, text in texts)
        found = next(filter(None, kept), None)
        found = found or _rebuilt(name, str(rows[mine]["text"]), filesystem, os.path.dirname(mine))
        if found:
            yield name, found


def _backups(path: str, name: str, folders: tuple[str, ...]) -> tuple[str, ...]:
    below = (f"projects/{name}/{FILE}", f"{name}/{FILE}", f"data/projects/{name}/{FILE}")
    return (f"{path}.backup", *(f"{folder}/{each}" for folder in folders for each in below))


def _rebuilt(name: str, text: str, filesystem: Filesystem, folder: str) -> Restoration | None:
    try:
        entries = filesystem.walk(folder, depth=2, limit=10_000, lenient=True)
    except (NotThere, NoPermission, TooBig):
        return None
    times = sorted(entry.mtime for entry in entries if entry.kind == "file")
    logs = [entry for entry in entries if entry.kind == "file" and entry.name.endswith(".jsonl")]
    remains = from_remains(name, text, times[0], times[-1])
    if remains or not logs:
        return remains
    newest = max(logs, key=lambda entry: entry.mtime_ns)
    told = filesystem.tail(newest.path, 1 << 20).decode("utf-8", "replace")
    return from_work(name, [told], times[0], times[-1])


@probe(deadline=20.0)
def implausible_metadata(
    system: PocketAgent, filesystem: Filesystem, commands: Host
) -> tuple[str, ...]:
    """Metadata that can be read and cannot be true, a sentence for each thing that is wrong."""
    survey = _survey(system, filesystem, commands)
    good = survey["good"]
    paths = [str(row[2]) for row in good]
    kinds = commands.call(reading.folders, paths) if paths else []
    ids = Counter(str(row[1]) for row in good)
    latest = _now(survey) + system.settings.clock_tolerance
    inside = _inside(paths)
    found = []
    for (name, said, path, created, active, *_), kind in zip(good, kinds, strict=True):
        faults = [
            f"its id is {printable(said)}" if said != name else "",
            f"{ids[said]} folders have its id" if ids[said] > 1 else "",
            _path_fault(path, kind),
            f"its path lies in another project's, {printable(inside[path])}"
            if path in inside
            else "",
            _time_fault("created_at", created, latest),
            _time_fault("last_active", active, latest),
        ]
        found += [f"{printable(f'{system.projects}/{name}')}: {each}" for each in faults if each]
    if not found and survey["denied"]:
        raise _unreadable(system, survey)
    return tuple(found)


@probe(deadline=20.0)
def projects(system: PocketAgent, filesystem: Filesystem, commands: Host) -> Projects:
    """How many projects the server can load, and which folders are none."""
    survey = _survey(system, filesystem, commands)
    names = [str(row[0]) for row in survey["missing"]]
    signs = [
        f"{system.projects}/{name}/{sign}" for name in names for sign in ("logs", f"{FILE}.backup")
    ]
    rows = commands.call(reading.at, signs, 0) if signs else {}
    orphans = []
    for name in names:
        folder = f"{system.projects}/{name}"
        told = [
            words
            for sign, words in (("logs", "message logs"), (f"{FILE}.backup", f"a {FILE}.backup"))
            if rows[f"{folder}/{sign}"]["kind"] != "missing"
        ]
        orphans.append(
            f"{printable(folder)} has {' and '.join(told) or 'no message logs'}, no {FILE}"
        )
    limit = max(1, system.settings.projects_limit)
    count = len(survey["good"]) + len(survey["denied"])
    return Projects(
        Measure("projects", count, "", limit),
        Measure("projects used", 100 * count / limit, "%", system.settings.projects_percent),
        tuple(orphans),
    )


def _now(survey: dict[str, list[metadata.Row]]) -> float:
    return float(survey["now"][0][0])


def _path_fault(path: str, kind: str) -> str:
    if not path.startswith("/"):
        return f"its path {printable(path)} is relative"
    if ".." in path.split("/"):
        return f"its path {printable(path)} climbs up"
    return {
        "missing": f"its path {printable(path)} is not there",
        "other": f"its path {printable(path)} is no folder",
    }.get(kind, "")


def _inside(paths: list[str]) -> dict[str, str]:
    """Give for each path that lies in, or is, another's the one that holds it."""
    found: dict[str, str] = {}
    above: list[str] = []
    whole = sorted((f"{os.path.normpath(path)}/", path) for path in paths if path.startswith("/"))
    for folder, path in whole:
        while above and not folder.startswith(above[-1]):
            above.pop()
        if above:
            found[path] = above[-1].rstrip("/")
        above.append(folder)
    return found


def _time_fault(name: str, text: str | None, latest: float) -> str:
    if text is None:
        return f"it has no {name}"
    when = moment(text)
    if when is None:
        return f"its {name} {printable(text)[:60]} is no time"
    return f"its {name} {printable(text)[:60]} lies in the future" if when > latest else ""
