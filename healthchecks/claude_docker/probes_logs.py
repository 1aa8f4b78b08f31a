"""Whether the kit's logs can be read, whether they say anything, and which known issues show."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.claude_docker.system import ClaudeDocker
from plugins import Absent, NotThere, WrongKind, printable, probe, table_beside
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.hits import LogHits, together
from plugins.endpoints.logs import JsonLines, Logs
from plugins.endpoints.signatures import load
from plugins.eyes import held, reading
from plugins.hosts import Host
from plugins.run import Run

# Reading less than this again costs less than remembering where it ended.
_REMEMBERED = 8 << 20
_LINE = 1 << 20
_TAIL = 256 << 10


@dataclass(frozen=True)
class BrokenLog:
    """A log of JSON lines with lines that are none.

    Args:
        path: the log, links followed.
        what: the lines that are wrong, in a few words.
        numbers: all their numbers, from 1; () where nobody may take them out by himself.
        seen: the log's identity.
    """

    path: str
    what: str
    numbers: tuple[int, ...]
    seen: str

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.what}"


@dataclass(frozen=True)
class SilentLog:
    """A log that says nothing, and why, in a few words."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{printable(self.path)} {self.why}"


def _kept(system: ClaudeDocker, filesystem: Filesystem, names: tuple[str, ...]) -> list[Entry]:
    """Give the logs that are there, links followed.

    Raises:
        Absent: none is; who writes them is known of no kit, so that a kit may have none.
    """
    paths = system.settings.paths(names)
    found: list[Entry] = []
    for path in paths:
        try:
            entry = filesystem.look(filesystem.resolve(path)) if filesystem.exists(path) else None
        except NotThere:
            continue
        found += [entry] if entry else []
    if not found:
        raise Absent("no such log is kept here", paths)
    return found


@probe(deadline=40.0)
def broken_logs(
    system: ClaudeDocker, filesystem: Filesystem, logs: Logs, commands: Host, run: Run
) -> tuple[BrokenLog, ...]:
    """The logs of events and of metrics with a line that is no JSON, or a last one that is cut."""
    settings = system.settings
    entries = _kept(system, filesystem, (settings.events_log, settings.metrics_log))
    written = [entry for entry in entries if entry.kind == "file" and entry.size]
    if not written:
        raise Absent("nothing is logged yet", tuple(entry.path for entry in entries))
    found: list[BrokenLog] = []
    for entry in written:
        cursors = str(run.state / "cursors") if entry.size > _REMEMBERED else None
        seen = logs.json_lines(entry.path, limit_line=_LINE, cursor_folder=cursors)
        cut = seen.cut_last and not _is_json(filesystem.tail(entry.path, _LINE))
        if cut or seen.bad_count:
            found += _broken(entry, seen, cut, commands)
    return tuple(found)


def _broken(entry: Entry, seen: JsonLines, cut: bool, commands: Host) -> Iterator[BrokenLog]:
    busy = bool(commands.call(held.open_now, [entry.path], True))
    if busy and not seen.bad_count:
        return  # its last line is being written
    total = seen.lines + cut
    numbers = tuple(line.number for line in seen.bad) + ((total,) if cut else ())
    said = [f"{_lines(seen.bad_count)} not JSON"] if seen.bad_count else []
    said += ["the last line is cut"] if cut else []
    why = ""
    if busy:
        why = "; a process holds it open for writing"
    elif len(numbers) != seen.bad_count + cut or 2 * len(numbers) > max(total, 2):
        why = "; too many to be a log of JSON lines at all"
    what = f"{' and '.join(said)} (of {total}; the first is line {numbers[0]}){why}"
    yield BrokenLog(entry.path, what, () if why else numbers, entry.identity)


def _lines(count: int) -> str:
    return "1 line is" if count == 1 else f"{count} lines are"


def _is_json(tail: bytes) -> bool:
    """Tell whether the last line of a log, which has no end, is JSON all the same."""
    try:
        json.loads(tail.rpartition(b"\n")[2])
    except (ValueError, RecursionError):
        return False
    return True


@probe(deadline=20.0)
def silent_logs(system: ClaudeDocker, filesystem: Filesystem) -> tuple[SilentLog, ...]:
    """The logs that are there and say nothing: empty ones, rubbish, and what is no file."""
    settings = system.settings
    names = (settings.events_log, settings.metrics_log)
    errors = settings.path(settings.errors_log)
    entries = _kept(system, filesystem, (*names, settings.errors_log))
    found: list[SilentLog] = []
    young: list[str] = []
    for entry in entries:
        if entry.kind != "file":
            found.append(SilentLog(entry.path, f"is a {entry.kind}, no file"))
        elif entry.size and errors in (entry.path, settings.path(entry.path)):
            if not _has_objects(filesystem.tail(entry.path, _TAIL)):
                found.append(SilentLog(entry.path, "holds no JSON object"))
        elif 0 < entry.size < _TAIL and not filesystem.tail(entry.path, _TAIL).strip():
            found.append(SilentLog(entry.path, "holds nothing but blanks: nothing is logged"))
        elif not entry.size and entry.path != errors:
            # Without an error the log of errors is rightly empty; what was just rotated is, too.
            if _was_rotated(entry, filesystem):
                young.append(entry.path)
            else:
                found.append(SilentLog(entry.path, "is empty: nothing is logged"))
    judged = [entry for entry in entries if entry.path not in young and entry.path != errors]
    if not found and not judged:
        raise Absent("nothing is logged since the logs were rotated", tuple(young) or (errors,))
    return tuple(found)


def _has_objects(tail: bytes) -> bool:
    return any(line.lstrip()[:1] == b"{" or b'": ' in line for line in tail.split(b"\n"))


def _was_rotated(entry: Entry, filesystem: Filesystem) -> bool:
    beside = filesystem.folder(os.path.dirname(entry.path), follow=True)
    older = (other for other in beside if other.name != entry.name and other.size)
    return any(other.name.startswith(entry.name) for other in older)


@probe(deadline=40.0, every=30.0)
def log_hits(
    system: ClaudeDocker, filesystem: Filesystem, logs: Logs, commands: Host, run: Run
) -> LogHits:
    """Every known issue that shows in the logs of the kit, each log read once for all."""
    settings, signatures = system.settings, load(table_beside(__file__))
    since = commands.call(reading.now) - settings.log_hours * 3600.0
    cursors = str(run.state / "cursors")
    names = (*settings.text_logs, settings.errors_log, settings.events_log)
    entries = [entry for entry in _kept(system, filesystem, names) if entry.kind == "file"]
    if not entries:
        raise WrongKind("where the logs should be there is no file")
    scans = (
        logs.scan(entry.path, signatures, since=since, cursor_folder=cursors).hits
        for entry in entries
    )
    return LogHits(together(scans))
