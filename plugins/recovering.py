"""`--recover SYSTEM.PROCEDURE`: show the plan, ask, take the steps, and look what came of them.

Exit status: 4 when nothing was done as nobody confirmed it (or no such procedure exists), 5 when
the system is not here, 11 when the plan could not be made; otherwise that of the checks which
verify the procedure, and never 0 when a step was refused. `--fix=plan` shows the plan and ends
with 0.
"""

from __future__ import annotations

import contextlib
import math
import shlex
import signal
import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import pytest

from plugins.arguments import Misgiven
from plugins.called import answer, called, misused
from plugins.case import Case
from plugins.catalog import check_of
from plugins.inquiries import Inquiry
from plugins.journal import Journal, alone
from plugins.outcomes import Absent, NoFact
from plugins.recovery import Plan, Procedure, shown, take, take_back
from plugins.redaction import redact
from plugins.report.account import on_worker, opened
from plugins.report.status import ILL, NOTHING_RAN, UNTOLD
from plugins.report.terminal import say
from plugins.run import RUN, Run
from plugins.steps import Refusal, Step
from plugins.telling import draw, tell
from plugins.text import printable

VERIFIES = pytest.StashKey[Procedure]()
NOT_CONFIRMED = 4


@dataclass(frozen=True)
class Recovery:
    """One procedure in one run.

    Args:
        config: of the session that verifies it.
        run: whose system, journal and configuration hold.
        procedure: what is declared.
        plan: what it would do.
        told: the words of `--with`.
    """

    config: pytest.Config
    run: Run
    procedure: Procedure
    plan: Plan
    told: tuple[str, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the plan."""
        return self.plan.steps

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the command line that call for it."""
        return ("--recover", self.procedure.name, *(w for t in self.told for w in ("--with", t)))

    def tell(self, line: str = "") -> None:
        """Write a line."""
        tell(self.config, line)

    def command(self, *more: str) -> str:
        """Return the command line that a person would type, with the same systems file."""
        file = self.config.option.systems
        systems = ("--systems", file) if file else ()
        return shlex.join(("pytest", "healthchecks/", *systems, *more))


@pytest.hookimpl
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Carry the procedure out; then let the session go on to verify it; or answer an inquiry."""
    name = config.option.recover
    if on_worker(config):
        return None
    if name is None:
        if config.option.told:
            raise pytest.UsageError("--with tells a --recover something: give that too")
        return None
    run = config.stash[RUN]
    wanted, told = called(config, run)
    if isinstance(wanted, Inquiry):
        return answer(config, run, wanted, told)
    try:
        run.began, run.deadline = time.monotonic(), max(run.deadline, wanted.deadline)
        run.only = (wanted.system,)
        plan = wanted.plan(run, told)
    except Misgiven as why:
        raise misused(why) from None
    except Absent as why:
        tell(config, f"{name}: not here: {printable(str(why), 600)}")
        return NOTHING_RAN
    except NoFact as why:
        tell(config, f"{name}: it cannot be planned: {redact(printable(str(why), 600))}")
        return UNTOLD
    recovery = Recovery(config, run, wanted, plan, tuple(config.option.told))
    _show(recovery)
    if config.option.fix == "plan":
        return 0
    if not _confirmed(recovery):
        return NOT_CONFIRMED
    done = _carry_out(recovery)
    if not wanted.verify:
        return 0 if done else ILL
    _go_on(recovery)
    return None


def _show(recovery: Recovery) -> None:
    declared, tell = recovery.procedure, recovery.tell
    tell(f"{declared.name}: {declared.title}")
    tell(f"What may be lost: {declared.loses}")
    tell()
    tell(f"The plan, {len(recovery.steps)} steps:")
    for number, step in enumerate(recovery.steps, 1):
        tell(f"{number:3}. {shown(step)}")
    for folder in recovery.plan.within:
        tell(f"     it writes in {printable(folder, 600)} too")
    if declared.verify:
        tell(f"     then it is verified by: {', '.join(declared.verify)}")
    for note in recovery.plan.notes:
        tell(f"note: {redact(printable(note, 2000))}")
    tell()


def _confirmed(recovery: Recovery) -> bool:
    """Ask a person to type the name; nobody there and no `--yes` is a no."""
    config, name, tell = recovery.config, recovery.procedure.name, recovery.tell
    if config.option.yes:
        return True
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is not None:
        capture.suspend_global_capture(in_=True)
    if not (sys.stdin and sys.stdin.isatty()):
        tell("Nobody is here to confirm it, so nothing was done. To go on:")
        tell(f"  {recovery.command(*recovery.words, '--yes')}")
        return False
    sys.stderr.write("Type the name of the procedure to go on: ")
    sys.stderr.flush()
    try:
        typed = sys.stdin.readline().strip()
    except KeyboardInterrupt:
        typed = ""
    if typed != name:
        tell("That is not its name: nothing was done.")
    return typed == name


@contextlib.contextmanager
def _whole_steps() -> Iterator[list[int]]:
    """Let a signal wait for the end of the step: a server that is half stopped helps nobody.

    Yields:
        The signals that came meanwhile.
    """
    came: list[int] = []
    former = {
        number: signal.signal(number, lambda got, _: came.append(got))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield came
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _carry_out(recovery: Recovery) -> bool:
    """Take the steps, one line each; a refused one ends it, and what can be is taken back.

    Returns:
        Whether all were taken.
    """
    run, declared, tell = recovery.run, recovery.procedure, recovery.tell
    host = run.round.host(declared.system)
    journal = Journal(run.state, run.id, host, lambda line: tell(f"      {_safe(line)}"))
    uses = run.round.system(declared.system).uses
    roots = (*uses.roots, *uses.recovery, *recovery.plan.within)
    count, done = len(recovery.steps), 0
    try:
        with alone(run.state), _whole_steps() as signals:
            try:
                draw(recovery.config, 0, count, declared.name)
                for step in take(journal, declared.name, recovery.steps, roots):
                    done += 1
                    tell(f"[{done}/{count}] taken: {shown(step)}")
                    draw(recovery.config, done, count, declared.name)
                    if signals and done < count:
                        raise Refusal(f"somebody ended this ({signal.Signals(signals[0]).name})")
            except Refusal as why:
                _back_out(recovery, journal, done, redact(printable(str(why), 600)))
                return False
    except Refusal as why:
        _failed(recovery, f"{why}; nothing was done")
        return False
    tell(f"All steps were taken. To take them back: {recovery.command('--undo', run.id)}")
    return True


def _safe(line: str) -> str:
    return redact(printable(line, 600))


def _back_out(recovery: Recovery, journal: Journal, done: int, said: str) -> None:
    """Take back what can be, and say what is left for a person to do."""
    recovery.tell(f"[{done + 1}/{len(recovery.steps)}] NOT taken: {said}")
    left = []
    for well, sentence in take_back(journal):
        recovery.tell(f"      {sentence if well else f'NOT taken back: {sentence}'}")
        left += [] if well else [f"not taken back: {sentence}"]
    done_so_far = "what could be was taken back" if done else "nothing was changed"
    again = recovery.command(*recovery.words)
    lines = (f"step {done + 1} was not taken: {said}", done_so_far, *left)
    _failed(recovery, "\n".join((*lines, f"when it is put right: {again}")))


def _failed(recovery: Recovery, said: str) -> None:
    """Have the session end with what went wrong, and not with 0."""
    if not recovery.procedure.verify:
        recovery.tell(said)
    opened(recovery.config).strangers.append((f"--recover {recovery.procedure.name}", said))


def _go_on(recovery: Recovery) -> None:
    """Turn the session into a look at what verifies the procedure, all of which is required."""
    config, run, declared = recovery.config, recovery.run, recovery.procedure
    option = config.option
    option.recover = run.fix = option.fix = None
    option.told = []
    # One process: a worker would begin with the command line, and so with the procedure.
    option.dist, option.tx, option.numprocesses = "no", [], None
    run.look_again()
    run.began, run.deadline = time.monotonic(), max(run.deadline, 60.0)
    opened(config).required |= set(declared.verify)
    config.stash[VERIFIES] = declared
    config.args[:] = [str(config.rootpath / "healthchecks" / declared.system)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the checks that verify the procedure."""
    declared = config.stash.get(VERIFIES, None)
    if declared is None:
        return
    wanted = {id(item) for item in items if _verifies(item, declared)}
    config.hook.pytest_deselected(items=[item for item in items if id(item) not in wanted])
    items[:] = [item for item in items if id(item) in wanted]


def _verifies(item: pytest.Item, declared: Procedure) -> bool:
    check = check_of(item)
    return check is not None and check.id in declared.verify


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Give what was recovered the time to settle; the last look is the one that is judged."""
    config = session.config
    declared = config.stash.get(VERIFIES, None)
    if declared is not None:
        run = config.stash[RUN]
        # After a procedure that was broken off there is little to wait for.
        whole = not opened(config).strangers
        until = time.monotonic() + (declared.settle if whole else min(declared.settle, 3.0))
        cases = [Case.of(item) for item in session.items if isinstance(item, pytest.Function)]
        say(config, f"verifying {declared.name}")
        run.began = math.inf
        while not all(map(_healthy, cases)) and time.monotonic() < until:
            time.sleep(0.5)
            run.look_again()
        run.began = time.monotonic()
    return (yield)


def _healthy(case: Case) -> bool:
    try:
        case.judge(case.look())
    except (AssertionError, NoFact):
        return False
    return True
