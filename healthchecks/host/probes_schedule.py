"""Whether the checks themselves are run on a schedule, and when they last were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from plugins import Absent, NoPermission, ToolMissing, probe
from plugins.configuration import Configuration
from plugins.endpoints.machine import Machine
from plugins.eyes import reading, space
from plugins.hosts import Host
from plugins.scheduled import Mark, marked

from .probes_space import moment
from .schedule_marks import Marks, units
from .system import WatchedHost

# A service starts a run within a minute; a CI may let one wait for hours.
_SLACK_S, _SLACK_ELSEWHERE_S = 600.0, 6 * 3600.0
_ELSEWHERE = {"github": "GitHub Actions", "gitlab": "GitLab CI"}


@dataclass(frozen=True)
class Schedule:
    """What runs the checks again and again, and when they last ran.

    Args:
        what: the timer, the service or the crontab, for people.
        active: whether it is switched on.
        since: since when it is, in seconds since 1970 (0: not known).
        last_run: when a run of it last left its mark, or any run its report; 0 when none did.
        now: the host's clock; every_s: seconds between two runs; slack_s: how late one may be.
        sure: whether only scheduled runs count, because those leave a mark.
        start: the command that switches it on, stop: the one that takes that back; () for cron.
    """

    what: str
    active: bool
    since: float
    last_run: float
    now: float
    every_s: float
    slack_s: float = 0.0
    sure: bool = False
    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()

    @property
    def overdue(self) -> bool:
        """Whether two intervals went by without a run since it ran or was switched on last."""
        counted = max(self.last_run, self.since if self.active else 0.0)
        return self.now - counted > 2 * self.every_s + self.slack_s

    @property
    def silence(self) -> str:
        """For how long no run may be missing, in words."""
        hours = 2 * self.every_s / 3600
        return f"{hours:g} hours" if hours >= 1 else f"{60 * hours:.0f} minutes"

    def __str__(self) -> str:
        state = "switched on" if self.active else "not switched on"
        if not self.last_run:
            never = "no run of it was ever seen" if self.sure else "it never ran"
            return f"{self.what} is {state}; {never}"
        last = "last scheduled run" if self.sure else "last run"
        return f"{self.what} is {state}; {last} {moment(self.last_run)}"


@dataclass(frozen=True)
class _Look:
    """What all schedules are judged by."""

    system: WatchedHost
    commands: Host
    now: float
    marks: Marks

    def schedule(self, what: str, since: float, mark: Mark | None) -> Schedule:
        """Return a schedule, by its runs' mark where they leave one, and else by any report."""
        if mark is None:
            last = dated(self.commands, list(self.system.last_run_files))
            every = self.system.settings.schedule_hours * 3600
            return Schedule(what, True, since, last, self.now, every)
        slack = _SLACK_ELSEWHERE_S if mark.by in _ELSEWHERE else _SLACK_S
        last = self.marks.last(mark, self.now)
        return Schedule(what, True, since, last, self.now, mark.every_s, slack, sure=True)


def dated(commands: Host, paths: list[str]) -> float:
    """Return when the newest of some files changed, in seconds since 1970; 0 without any."""
    newest = commands.call(space.dated, paths, 1e18, 1000)["newest"]
    return float(str(newest[1])) if isinstance(newest, list) and newest else 0.0


@probe(every=60.0)
def schedule(
    system: WatchedHost, commands: Host, machine: Machine, configuration: Configuration
) -> Schedule:
    """The timer, service, crontab or CI that runs the checks, and the time of the last run."""
    limits = system.settings
    marks = Marks.of(system, commands, configuration)
    look = _Look(system, commands, machine.now(), marks)
    every = [*_units(look), *_crontab(look), *_agents(look), *_elsewhere(look)]
    if not every:
        places = (limits.schedule_timer, *limits.crontabs, *limits.crontab_command[:1])
        raise Absent("no timer and no crontab runs the checks", (*places, *system.launch_agents))
    silent = [one for one in every if one.active and one.overdue]
    # One that is off may have been replaced by one that works.
    work = [one for one in every if not one.overdue]
    return (silent or work or every)[0]


def _units(look: _Look) -> Iterator[Schedule]:
    named = [mark.named for mark in look.marks.all().values() if mark.by == "systemd"]
    for found in units(look.system.settings, look.commands, named):
        mark = look.marks.of_user(marked(found.environment), found.user)
        yield replace(
            look.schedule(f"the {found.kind} {found.name}", found.since, mark),
            active=found.active,
            start=found.command("start"),
            stop=found.command("stop"),
        )


def _crontab(look: _Look) -> Iterator[Schedule]:
    limits, commands = look.system.settings, look.commands
    files = commands.call(space.within, list(limits.crontabs), 1000)
    rows = commands.call(reading.at, files, 1 << 20)
    texts = {file: str(row["text"]) for file, row in rows.items()}
    own = ""
    if limits.crontab_command:
        try:
            ran = commands.run(limits.crontab_command, deadline=4.0)
            own = ran.text if ran.status == 0 else ""
        except (ToolMissing, NoPermission):
            pass  # who has no such program, or may not use it, has no crontab
    for place, text in {**texts, "your crontab": own}.items():
        for line in map(str.strip, text.splitlines()):
            if _runs_checks(line, limits.schedule_words):
                # Whoever a crontab of the system runs it as leaves marks of their own.
                mark = look.marks.ours(marked(line)) if place == "your crontab" else None
                what = f"the entry {mark.named} in {place}" if mark else f"the entry in {place}"
                yield look.schedule(what, dated(commands, [place]), mark)


def _runs_checks(line: str, words: tuple[str, ...]) -> bool:
    return not line.startswith("#") and bool(words) and all(word in line for word in words)


def _agents(look: _Look) -> Iterator[Schedule]:
    files = look.commands.call(space.within, list(look.system.launch_agents), 1000)
    ours = [file for file in files if "agent-healthchecks" in file and file.endswith(".plist")]
    for file, row in look.commands.call(reading.at, ours, 1 << 20).items():
        mark = look.marks.ours(marked(str(row["text"])))
        if mark:
            yield look.schedule(f"the agent {file}", dated(look.commands, [file]), mark)


def _elsewhere(look: _Look) -> Iterator[Schedule]:
    """Yield each CI that left a mark here: where it stands, there is nothing else to be seen."""
    for path, mark in look.marks.all().items():
        if mark.by in _ELSEWHERE:
            yield look.schedule(f"{_ELSEWHERE[mark.by]} (known by {path})", 0.0, mark)
