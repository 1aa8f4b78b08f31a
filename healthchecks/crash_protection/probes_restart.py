"""What starts a monitor after a restart, and what waits to be recovered since the last one."""

from __future__ import annotations

import os
import plistlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers.expat import ExpatError

from healthchecks.crash_protection.monitors import starts_a_monitor
from healthchecks.crash_protection.system import CrashProtection
from plugins import CannotTell, NoPermission, NotThere, ToolMissing, WrongKind, probe
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.hosts import Host

_LIMIT = 1 << 20
_RUNS = re.compile(r"\s*Exec(?:Start|StartPre|Condition)?\s*=\s*[-@:+!]*(.*)")
# Five fields or a word with @, the user in the system's own files, then the command.
_CRON = re.compile(r"\s*(?:@\w+|(?:[\d*/,\-A-Za-z]+\s+){4}[\d*/,\-A-Za-z]+)\s+(.+)")
_PLIST_TROUBLES = (
    plistlib.InvalidFileException,
    ExpatError,
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    RecursionError,
    AttributeError,
)


@dataclass(frozen=True)
class Comeback:
    """What starts a monitor after a restart.

    Args:
        by: units, agents and cron entries that do.
        idle: those that would, and are not enabled.
        looked_in: the folders and files.
    """

    by: tuple[str, ...]
    idle: tuple[str, ...]
    looked_in: tuple[str, ...]


@probe(deadline=20.0, every=600.0)
def comeback(system: CrashProtection, filesystem: Filesystem, commands: Host) -> Comeback:
    """The units, agents and cron entries that start a monitor."""
    settings = system.settings
    units = settings.paths(settings.unit_folders)
    agents = settings.paths(settings.agent_folders)
    entries = settings.paths(settings.cron_places)
    starters = list(_units(units, filesystem))
    starters += _agents(agents, filesystem)
    starters += [(one, True) for one in _cron(system, entries, filesystem)]
    by = tuple(name for name, enabled in starters if enabled)
    # Our own entries are in a folder that only root may read; the program is asked last.
    if not by and _starts(_own_entries(settings.crontab, commands)):
        by = (f"{settings.crontab} -l",)
    idle = tuple(name for name, enabled in starters if not enabled)
    return Comeback(by, idle, (*units, *agents, *entries))


def _within(folder: str, filesystem: Filesystem) -> tuple[Entry, ...]:
    try:
        return filesystem.folder(folder, follow=True)
    except (NotThere, WrongKind, NoPermission):
        return ()


def _units(folders: tuple[str, ...], filesystem: Filesystem) -> Iterator[tuple[str, bool]]:
    """Yield each unit whose service starts a monitor, and whether it is enabled."""
    entries = [one for folder in folders for one in _within(folder, filesystem)]
    wanted = {
        name
        for one in entries
        if one.name.endswith((".wants", ".requires"))
        for linked in _within(one.path, filesystem)
        for name in (linked.name, re.sub(r"@[^.]*\.", "@.", linked.name))
    }
    for path, text in _texts([one for one in entries if one.name.endswith(".service")], filesystem):
        commands = (_RUNS.match(line) for line in text.replace("\\\n", " ").splitlines())
        if any(told and starts_a_monitor(told[1]) for told in commands):
            name = os.path.basename(path)
            timer = f"{name.removesuffix('.service')}.timer"
            yield path, bool({name, timer} & wanted)


def _texts(entries: list[Entry], filesystem: Filesystem) -> Iterator[tuple[str, str]]:
    paths = [one.path for one in entries if one.kind in {"file", "link"}]
    for path, content in filesystem.contents(paths, _LIMIT, follow=True):
        if not isinstance(content, CannotTell):
            yield path, content.decode("utf-8", "replace")


def _agents(folders: tuple[str, ...], filesystem: Filesystem) -> Iterator[tuple[str, bool]]:
    entries = [one for folder in folders for one in _within(folder, filesystem)]
    paths = [one.path for one in entries if one.name.endswith(".plist")]
    for path, content in filesystem.contents(paths, _LIMIT, follow=True):
        if isinstance(content, CannotTell):
            continue
        try:
            told = plistlib.loads(content)
            words = [told.get("Program", ""), *told.get("ProgramArguments", [])]
            command = " ".join(str(word) for word in words)
            comes = ("RunAtLoad", "KeepAlive", "StartInterval", "StartCalendarInterval")
            enabled = any(told.get(key) for key in comes) and told.get("Disabled") is not True
        except _PLIST_TROUBLES:
            continue
        if starts_a_monitor(command):
            yield path, enabled


def _cron(
    system: CrashProtection, places: tuple[str, ...], filesystem: Filesystem
) -> Iterator[str]:
    """Yield each place with a cron entry that starts a monitor."""
    home = filesystem.look(system.settings.path("~"))
    users = {"root", home.owner if home else ""}
    entries: list[Entry] = []
    for place in places:
        entry = filesystem.look(place)
        if entry is not None and entry.kind == "folder":
            # A spool has a file for each user; those of others start nothing of ours.
            spool = "cron.d" not in os.path.basename(place)
            inside = _within(place, filesystem)
            entries += (one for one in inside if not spool or one.name in users)
        elif entry is not None:
            entries.append(entry)
    for path, text in _texts(entries, filesystem):
        if _starts(text):
            yield path


def _own_entries(program: str, commands: Host) -> str:
    """Return our own cron entries, "" where there are none."""
    try:
        return commands.run((program, "-l"), deadline=5.0).text if program else ""
    except (ToolMissing, NoPermission):
        return ""


def _starts(text: str) -> bool:
    told = (_CRON.match(line) for line in text.splitlines() if not line.lstrip().startswith("#"))
    return any(one and starts_a_monitor(one[1]) for one in told)
