"""What the server's log says of late: its files, or the journal of its unit."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.pocket_agent.records import PathWatch, Record, RefusedPath, record, within
from healthchecks.pocket_agent.system import PocketAgent
from plugins import Absent, Measure, NotThere, printable, probe
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.systemd import Systemd

# The end of a log that is judged: some ten thousand lines.
_TAIL = 4 << 20
_SHOWN = 5


@dataclass(frozen=True)
class LogErrors:
    """The errors of the server itself, of late.

    Args:
        busiest: the greatest number of them within an hour, with the number that is too many.
        kinds: each kind with its count, the most frequent first; a few of them.
    """

    busiest: Measure
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class LastStart:
    """What the latest start failed with, and the crashes of late; empty when all is well.

    A panic at a stop is a known issue, and no crash: nothing runs any more that could be lost.
    """

    failures: tuple[str, ...]
    crashes: tuple[str, ...]


def no_log(system: PocketAgent) -> NotThere:
    """The failure to raise where not one of the logs is there: silence is not health."""
    return NotThere(f"no log of the server is there: {', '.join(map(printable, system.logs))}")


class ServerLog:
    """The end of the server's log, wherever it is written."""

    def __init__(self, system: PocketAgent, filesystem: Filesystem, systemd: Systemd) -> None:
        self._system = system
        self._filesystem = filesystem
        self._systemd = systemd

    def records(self) -> Iterator[Record]:
        """The records of the window that is judged, the oldest first.

        Raises:
            Absent: the server writes no file, and has no unit with a journal.
            CannotTell: it may not be read.
        """
        window = self._system.settings.log_hours * 3600.0
        texts = [*self._files(), *([] if self._system.logs else self._journal(window))]
        since = time.time() - window
        for text in texts:
            lines = text.decode("utf-8", "backslashreplace").split("\n")
            yield from within((record(line) for line in lines if line), since)

    def _files(self) -> Iterator[bytes]:
        """The end of each log file, without the piece of a line that it begins with."""
        found = False
        for path in self._system.logs:
            try:
                text = self._filesystem.tail(path, _TAIL, follow=True)
            except NotThere:
                continue
            found = True
            yield text.partition(b"\n")[2] if len(text) >= _TAIL else text

        if self._system.logs and not found:
            raise no_log(self._system)

    def _journal(self, window: float) -> Iterator[bytes]:
        """The unit's own messages."""
        unit = self._system.unit
        if not unit:
            raise Absent("a log of the server: no file, and no unit with a journal")
        yield self._systemd.journal(unit, window, _TAIL)


@probe
def log_errors(system: PocketAgent, filesystem: Filesystem, systemd: Systemd) -> LogErrors:
    """The errors of the server itself: no closed connections, scanners or clients' mistakes."""
    faults = [one for one in ServerLog(system, filesystem, systemd).records() if one.matters]
    hours = Counter(int((one.when or 0.0) // 3600) for one in faults)
    kinds = Counter(printable(one.text, 160) for one in faults)
    most = max(hours.values(), default=0)
    limit = float(system.settings.errors_per_hour)
    shown = tuple(f"{count} x {kind}" for kind, count in kinds.most_common(_SHOWN))
    return LogErrors(Measure("errors in the log within an hour", most, "", limit), shown)


@probe
def last_start(system: PocketAgent, filesystem: Filesystem, systemd: Systemd) -> LastStart:
    """What the latest start failed with, and every crash of late."""
    failures: list[str] = []
    crashes: list[str] = []
    stopping = False
    for one in ServerLog(system, filesystem, systemd).records():
        stopping = one.stops or (stopping and not one.begins)
        if one.begins:
            failures.clear()
        if one.failed_start:
            failures.append(printable(one.text))
        elif one.panics and not stopping and not one.message.startswith("goroutine"):
            crashes.append(printable(one.message))
    return LastStart(tuple(failures[-_SHOWN:]), tuple(crashes[-_SHOWN:]))


@probe
def refused_paths(
    system: PocketAgent, filesystem: Filesystem, systemd: Systemd
) -> tuple[RefusedPath, ...]:
    """The paths that clients asked for and were refused, the newest first."""
    watch = PathWatch()
    for one in ServerLog(system, filesystem, systemd).records():
        watch.see(one)
    return watch.refused()
