"""`--watch S`: after the ordinary first round, rounds every S seconds that tell only changes.

The session goes on as any other, its loop over the checks just does not end: the reports, the exit
status and what pytest does at its end come of the last round that was whole.
"""

from __future__ import annotations

import gc
import math
import os
import select
import signal
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from plugins.case import Case
from plugins.catalog import checks_of
from plugins.looking import absences
from plugins.report import standing
from plugins.report.account import looks, on_worker, opened, refuse_beside
from plugins.report.conclusion import after_round
from plugins.report.delivery import on_stdout
from plugins.report.shown import REDACTOR, cleaned
from plugins.report.terminal import Line
from plugins.run import RUN, Run
from plugins.watch import alone, heaps, pages
from plugins.watch.changes import differs, lines
from plugins.watch.rounds import Rounds, waited
from plugins.watch.voice import Voice
from plugins.watch.work import Work

_LOCK = pytest.StashKey[int]()
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WRITTEN_EVERY = 60.0  # seconds between two documents where nothing but numbers and time change


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.getgroup("health").addoption(
        "--watch",
        type=float,
        metavar="S",
        help="go on and look every S seconds, telling only what changes",
    )


@pytest.hookimpl
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Refuse what makes no sense with a watch, and a second watch of the same systems."""
    option = config.option
    if option.watch is None or on_worker(config) or option.print_systems:
        return None
    if not 0 < option.watch < math.inf:  # nan is no number of seconds either
        raise pytest.UsageError("--watch must be more than 0 seconds")
    refuse_beside(config, "--watch", "nagios_line")
    taken = on_stdout(config)
    if taken:
        raise pytest.UsageError(f"--watch tells changes on stdout: name a file for {taken}, not -")
    if not looks(config):
        raise pytest.UsageError("--watch looks at a host: give it healthchecks/ and nothing else")
    # One process: a worker has no signals, and no lock.
    option.dist, option.tx, option.numprocesses = "no", [], None
    run = config.stash[RUN]
    try:
        config.stash[_LOCK] = alone.held(run.state, run.only or run.systems)
    except alone.Taken as why:
        raise pytest.UsageError(f"--watch: {why}") from None
    except OSError as error:
        raise pytest.UsageError(f"--watch: {run.state}: {error.strerror}") from None
    config.add_cleanup(partial(_let_go, config))
    heaps.keep_few()
    return None


def _let_go(config: pytest.Config) -> None:
    """Let another watch begin, also where this one never did."""
    if _LOCK in config.stash:
        alone.released(config.stash[_LOCK])


@dataclass
class Ending:
    """Lets a signal end the watch between two steps; a second interrupt ends it at once.

    Args:
        run: is told, so that nothing more is begun.
        came: the signals that came.
    """

    run: Run
    came: list[int] = field(default_factory=list)
    _former: dict[int, Any] = field(default_factory=dict)
    _ends: tuple[int, int] = (-1, -1)

    def __enter__(self) -> Ending:
        """Take the signals, but those that somebody had us ignore (nohup)."""
        self._ends = os.pipe()
        for end in self._ends:
            os.set_blocking(end, False)
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._former[number] = signal.signal(number, self._end)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back."""
        for number, handler in self._former.items():
            # Who ended it may say so again (a terminal does): the reports are written all the same.
            again = self.came and number != signal.SIGINT
            signal.signal(number, _unheard if again else handler)
        for end in self._ends:
            os.close(end)

    def _end(self, number: int, _: object) -> None:
        if number == signal.SIGINT and signal.SIGINT in self.came:
            raise KeyboardInterrupt
        self.came.append(number)
        self.run.ending = True
        os.write(self._ends[1], b".")

    def sleep(self, seconds: float) -> None:
        """Sleep, or until the watch is to end."""
        if not self.run.ending:
            select.select([self._ends[0]], [], [], max(seconds, 0.0))


def _unheard(*_: object) -> None:
    pass


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Let the first round be as ever; then watch."""
    if session.config.option.watch is None or on_worker(session.config):
        return (yield)
    watch = Watch(session)
    with watch.ending, pages.held_back(session) as held:
        try:
            watch.begin()
            result = yield
            watch.go_on()
        finally:
            watch.end()
            held.give(watch.findings())
    return result


class Watch:
    """One watch, from its first round to its last.

    Args:
        session: of pytest.
    """

    def __init__(self, session: pytest.Session) -> None:
        config = session.config
        self._config = config
        self._session = session
        self._run = run = config.stash[RUN]
        self._interval = float(config.option.watch)
        self._items = {item.nodeid: item for item in session.items}
        systems = dict.fromkeys(check.system for _, check in checks_of(session.items))
        self._work = Work(run, tuple(systems), self._interval, lambda some: waited(run, some))
        self._voice = Voice(config, run.state)
        run.progress = self._voice.progress
        self._rounds: Rounds | None = None
        self._written = time.monotonic()
        self.ending = Ending(run)

    def begin(self) -> None:
        """Take the duties, before anything is judged; they do not eat the looks' deadline."""
        taken, news = self._work.duties()
        if taken:
            self._run.look_again()
        self._run.began = time.monotonic()
        self._voice.say(map(Line, news))

    def go_on(self) -> None:
        """Tell what the first round came to, and go from round to round until a signal comes."""
        cases = {
            node: Case.of(item)
            for node, item in self._items.items()
            if isinstance(item, pytest.Function) and node in opened(self._config).reported
        }
        reported = opened(self._config).reported
        findings = {node: reported[node] for node in cases if node in reported}
        if not cases:
            return  # there is nothing to watch, and the session says so
        self._rounds = Rounds(self._run, cases, self._work, findings)
        self._work.rounds = 1
        self._voice.show(standing.so_far(self._config))
        told = f"watching {', '.join(self._work.systems)} every {self._interval:g} s"
        self._voice.say([Line(told), *map(Line, self._work.beats())])
        self._round_is_over()
        # What stands by now stands to the end: to look through it again and again is dear.
        gc.collect()
        gc.freeze()
        gc.set_threshold(700, 10, 10)  # what a round leaves behind goes soon
        due = self._run.began + self._interval
        while not self._run.ending:
            self.ending.sleep(due - time.monotonic())
            if not self._run.ending and self._alone():
                due = max(time.monotonic(), due) + self._interval
                self._round(self._rounds)

    def _alone(self) -> bool:
        """See to it that no other watch can begin; end this one where one did."""
        run, stash = self._run, self._config.stash
        try:
            stash[_LOCK] = alone.kept(stash[_LOCK], run.state, run.only or run.systems)
        except alone.Taken as why:
            self._voice.say([Line(f"{why}: this watch ends")])
            run.ending = True
        except OSError:
            pass  # what cannot be written there is told by who wants to
        return not run.ending

    def _round(self, rounds: Rounds) -> None:
        before = dict(rounds.findings)
        redactor = self._config.stash[REDACTOR]
        changes, news = rounds.round(redactor)
        altered = [node for node, now in rounds.findings.items() if differs(now, before.get(node))]
        account = opened(self._config)
        for node in altered:
            account.reported[node] = cleaned(rounds.findings[node], redactor)
        if altered:
            account.absences[:] = absences(self._run, self._work.systems)
        self._voice.say(lines(changes.values(), account.command))
        self._voice.say(map(Line, [*news, *self._work.beats()]))
        if changes or time.monotonic() - self._written > _WRITTEN_EVERY:
            self._written = time.monotonic()
            standing.write_so_far(self._config)
        self._round_is_over()

    def _round_is_over(self) -> None:
        status = standing.status_so_far(self._config)
        self._voice.say(map(Line, after_round(self._config, self._work.rounds, status)))

    def end(self) -> None:
        """Say that it ends, and let its systems know."""
        if self._rounds is not None or self._work.rounds:
            news = self._work.beats(ended=True)
            how = f" by {signal.Signals(self.ending.came[0]).name}" if self.ending.came else ""
            told = f"the watch ended{how} after {self._work.rounds} rounds"
            self._voice.say([*map(Line, news), Line(told)])
        self._voice.end()

    def findings(self) -> dict[str, Any]:
        """Return what each check came to in the end, by its item."""
        account = opened(self._config)
        self._config.hook.pytest_health_concluding(config=self._config)
        return {node: (item, account.reported.get(node)) for node, item in self._items.items()}
