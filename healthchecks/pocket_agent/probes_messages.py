"""What is seen in the message logs: lines that the server cannot read."""

from __future__ import annotations

import time
from dataclasses import dataclass

from healthchecks.pocket_agent.message_folders import message_folders, project_tree
from healthchecks.pocket_agent.system import PocketAgent
from plugins import CannotTell, NotThere, TimedOut, printable, probe
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.logs import Logs
from plugins.run import Run

READING = 25.0
# Reading less than this again costs less than remembering where it ended.
REMEMBERED = 8 << 20


@dataclass(frozen=True)
class BadLog:
    """A message log with lines that the server cannot read.

    Args:
        path: the log.
        what: the lines that are wrong, in a few words.
        live: whether the server may be writing it.
        numbers: all their numbers, from 1; () where they are too many to name, or the log is live.
        seen: the log's identity.
    """

    path: str
    what: str
    live: bool
    numbers: tuple[int, ...]
    seen: str

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.what}{' (the live log)' if self.live else ''}"


@probe(deadline=30.0)
def bad_logs(
    system: PocketAgent, filesystem: Filesystem, logs: Logs, run: Run
) -> tuple[BadLog, ...]:
    """Rotated message logs with a line that is no JSON or too long."""
    found = _bad_logs(system, filesystem, logs, str(run.state / "cursors"))
    return tuple(log for log in found if log.numbers)


@probe(deadline=30.0)
def untouchable_logs(
    system: PocketAgent, filesystem: Filesystem, logs: Logs, run: Run
) -> tuple[BadLog, ...]:
    """The same of live logs, whose last line may be cut, and of what is no file or too broken."""
    found = _bad_logs(system, filesystem, logs, str(run.state / "cursors"))
    return tuple(log for log in found if not log.numbers)


def _bad_logs(
    system: PocketAgent, filesystem: Filesystem, logs: Logs, cursors: str
) -> tuple[BadLog, ...]:
    tree = project_tree(system, filesystem)
    ends = time.monotonic() + READING
    found: list[BadLog] = []
    unseen: list[CannotTell] = []
    for folder in message_folders(system, tree):
        found += [
            BadLog(entry.path, f"a {entry.kind}, not a regular file", False, (), "")
            for entry in folder.unlike_logs()
        ]
        live = [folder.entries[name] for name in sorted(folder.live & folder.entries.keys())]
        for entry in (*folder.rotated(), *live):
            try:
                bad = _bad(entry, entry in live, system, logs, ends, cursors)
            except NotThere:
                continue  # the server is free to remove a log while we look
            except CannotTell as why:
                unseen.append(why)
            else:
                found += [bad] if bad else []
    tree.told(found)
    if unseen and not found:
        raise unseen[0]
    return tuple(found)


def _bad(
    entry: Entry, live: bool, system: PocketAgent, logs: Logs, ends: float, cursors: str
) -> BadLog | None:
    left = ends - time.monotonic()
    if left <= 0 or entry.kind != "file":
        raise TimedOut(f"reading {printable(entry.path)}", READING)
    kib = system.settings.line_kib
    kept_in = cursors if entry.size > REMEMBERED else None
    seen = logs.json_lines(entry.path, limit_line=kib << 10, deadline=left, cursor_folder=kept_in)
    total = seen.bad_count + seen.long_count
    if not total:
        return None
    numbers = tuple(sorted({line.number for line in (*seen.bad, *seen.long)}))
    said = [f"{_lines(seen.bad_count)} not JSON"] if seen.bad_count else []
    said += [f"{_lines(seen.long_count)} longer than {kib} KiB"] if seen.long_count else []
    first = f" (of {max(seen.lines, total)}; the first is line {numbers[0]})"
    every = numbers if len(numbers) == total and not live else ()
    return BadLog(entry.path, ", ".join(said) + first, live, every, entry.identity)


def _lines(count: int) -> str:
    return "1 line is" if count == 1 else f"{count} lines are"
