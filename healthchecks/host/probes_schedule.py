"""Whether the checks themselves are run on a schedule, and when they last were."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from plugins import Absent, NoPermission, ToolMissing, probe
from plugins.endpoints.machine import Machine
from plugins.eyes import reading, space
from plugins.hosts import Host

from .probes_space import moment
from .system import WatchedHost

SHOWN = "LoadState,ActiveState,ActiveEnterTimestamp"


@dataclass(frozen=True)
class Schedule:
    """What runs the checks again and again, and when they last ran.

    Args:
        what: the timer or the crontab, for people.
        active: whether it is switched on.
        since: since when it is, in seconds since 1970 (0: not known).
        last_run: when a run last left its report, 0 when none did.
        now: the host's clock; hours: how often the checks are meant to run.
        start: the command that switches it on, stop: the one that takes that back; () for cron.
    """

    what: str
    active: bool
    since: float
    last_run: float
    now: float
    hours: float
    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()

    @property
    def overdue(self) -> bool:
        """Whether two intervals went by without a run since it ran or was switched on last."""
        counted = max(self.last_run, self.since if self.active else 0.0)
        return self.now - counted > 2 * self.hours * 3600

    def __str__(self) -> str:
        state = "switched on" if self.active else "not switched on"
        last = f"last run {moment(self.last_run)}" if self.last_run else "it never ran"
        return f"{self.what} is {state}; {last}"


@probe(every=60.0)
def schedule(system: WatchedHost, commands: Host, machine: Machine) -> Schedule:
    """The timer or crontab that runs the checks, and the time of the last run."""
    limits = system.settings
    newest = commands.call(space.dated, list(system.last_run_files), 1e18, 1000)["newest"]
    last_run = float(str(newest[1])) if isinstance(newest, list) and newest else 0.0
    found = _timer(system, commands, last_run, machine.now())
    found = found or _crontab(system, commands, last_run, machine.now())
    if not found:
        places = (limits.schedule_timer, *limits.crontabs, *limits.crontab_command[:1])
        raise Absent("no timer and no crontab runs the checks", places)
    return found


def _timer(system: WatchedHost, commands: Host, last_run: float, now: float) -> Schedule | None:
    name, tool = system.settings.schedule_timer, system.settings.systemctl
    if not name or not tool:
        return None
    for own in ((), ("--user",)):
        base = (tool, *own)
        argv = (*base, "show", "--no-pager", f"--property={SHOWN}", "--", name)
        try:
            ran = commands.run(argv, env={"TZ": "UTC"}, deadline=4.0)
        except ToolMissing:
            return None
        shown = dict(line.split("=", 1) for line in ran.text.splitlines() if "=" in line)
        if ran.status == 0 and shown.get("LoadState") == "loaded":
            return Schedule(
                what=f"the timer {name}",
                active=shown.get("ActiveState") == "active",
                since=_moment(shown.get("ActiveEnterTimestamp", "")),
                last_run=last_run,
                now=now,
                hours=system.settings.schedule_hours,
                start=(*base, "start", name),
                stop=(*base, "stop", name),
            )
    return None


def _moment(text: str) -> float:
    """Return seconds since 1970 of `Thu 2026-01-08 12:00:00 UTC`, 0 for anything else."""
    found = re.search(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC$", text.strip())
    return datetime.fromisoformat(f"{found[1]}+00:00").timestamp() if found else 0.0


def _crontab(system: WatchedHost, commands: Host, last_run: float, now: float) -> Schedule | None:
    limits = system.settings
    files = commands.call(space.within, list(limits.crontabs), 1000)
    rows = commands.call(reading.at, files, 1 << 20)
    texts = {file: str(row["text"]) for file, row in rows.items()}
    if limits.crontab_command:
        try:
            ran = commands.run(limits.crontab_command, deadline=4.0)
            texts["your crontab"] = ran.text if ran.status == 0 else ""
        except (ToolMissing, NoPermission):
            pass  # who has no such program, or may not use it, has no crontab
    for place, text in texts.items():
        lines = [line.strip() for line in text.splitlines()]
        if any(_runs_checks(line, limits.schedule_words) for line in lines):
            newest = commands.call(space.dated, [place], 1e18, 1)["newest"]
            since = float(str(newest[1])) if isinstance(newest, list) and newest else 0.0
            what = f"the entry in {place}"
            return Schedule(what, True, since, last_run, now, limits.schedule_hours)
    return None


def _runs_checks(line: str, words: tuple[str, ...]) -> bool:
    return not line.startswith("#") and bool(words) and all(word in line for word in words)
