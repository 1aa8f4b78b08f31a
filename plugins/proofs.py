"""`--scenarios`: the proof of every check, instead of a look at this machine."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from plugins.case import Case, Told, told
from plugins.catalog import Check, checks_of
from plugins.configuration import Configuration
from plugins.finding import Safety
from plugins.fixing import cure, undo
from plugins.hosts import Host
from plugins.outcomes import Absent, Blocked, NoFact, ToolMissing
from plugins.run import RUN, Run
from plugins.scenarios import Scenario, scenarios_of
from plugins.steps import Refusal

Tree = dict[str, tuple[object, ...]]


class Proof(pytest.Item):
    """One scenario of one check, as an item of pytest."""

    def __init__(self, *, of: pytest.Function, scenario: Scenario, check: Check, **kw: Any) -> None:
        super().__init__(**kw)
        self.of = of
        self.scenario = scenario
        self.check = check
        self.others: list[pytest.Function] = []  # that must come to the same in the same world
        self.own_markers.extend(of.own_markers)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say where the check stands, and the scenario's name."""
        return self.path, self.of.location[1], f"{self.of.name}::{self.scenario.name}"

    def runtest(self) -> None:
        """Build the world, make it well or ill, and prove what the scenario promises."""
        missing = lacking(self.scenario.needs)
        if missing:
            pytest.skip(f"needs {missing}, which this machine has not got")
        with tempfile.TemporaryDirectory(prefix="world-") as folder:
            prove(self, Path(folder))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show a broken promise as its sentence, a crash as a traceback."""
        if isinstance(excinfo.value, Broken):
            return f"{self.check.id}: {self.scenario.name}: {excinfo.value}"
        return super().repr_failure(excinfo, style or "short")


class Broken(Exception):  # noqa: N818 - a promise of a scenario that was not kept
    """The check, its cure or its plan did not do what the scenario promises."""


def lacking(needs: tuple[str, ...]) -> str:
    """Return what this machine lacks of the needs, in words; empty when it has all."""
    met = {need: os.geteuid() == 0 if need == "root" else shutil.which(need) for need in needs}
    return " and ".join(need for need, has in met.items() if not has)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the scenarios of each check in the place of the check."""
    if not config.option.scenarios:
        return
    run = config.stash[RUN]
    chosen = run.only or tuple(run.configuration.tables)
    proofs: dict[str, Proof] = {}
    for item, check in checks_of(items):
        if check.system in chosen and isinstance(item, pytest.Function):
            for scenario in [*scenarios_of(item.obj), *_examples(item)]:
                if not scenario.only or scenario.only == item.callspec.id:
                    proof = _proof(item, scenario, check)
                    kept = proofs.setdefault(proof.nodeid, proof)
                    kept.others += [item] if kept is not proof else []
    items[:] = proofs.values()


def _proof(item: pytest.Function, scenario: Scenario, check: Check) -> Proof:
    assert item.parent is not None
    # The same function may make worlds of several kinds: each is an item with a name of its own.
    kind = "".join(f"[{value}]" for value in scenario.options.values())
    # Each known issue must come to the same where nothing is wrong: they share that world.
    shared = scenario.outcome != "ill" and not scenario.only and _signature_of(item) is not None
    name = f"{item.originalname if shared else item.name}::{scenario.name}{kind}"
    proof: Proof = Proof.from_parent(
        item.parent, name=name, of=item, scenario=scenario, check=check
    )
    return proof


def _examples(item: pytest.Function) -> list[Scenario]:
    """Return the scenarios that a known issue's own example lines make."""
    signature = _signature_of(item)
    if signature is None:
        return []

    def write(lines: tuple[str, ...]) -> Any:
        return lambda world: [world.log_line(line.encode()) for line in lines] and None

    own = item.callspec.id
    return [
        Scenario("lines_that_do_not_count", "healthy", write(tuple(signature.ignores)), only=own),
        Scenario("a_line_that_counts", "ill", write(tuple(signature.matches)), cure=False),
    ]


def _signature_of(item: pytest.Function) -> Any:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("signature") if callspec else None


def build(check: Check, scenario: Scenario, folder: Path) -> Any:
    """Return the check's world in the folder, made as the scenario says."""
    module = importlib.import_module(f"healthchecks.{check.system}.world")
    folder.mkdir()
    world = module.World(folder, **scenario.options)
    try:
        scenario.make(world)
    except ToolMissing as why:
        world.close()
        pytest.skip(f"needs {why}")
    except BaseException:
        world.close()
        raise
    return world


def in_world(run: Run, check: Check, world: Any, state: Path) -> Run:
    """Return a run like this one that looks at the world alone."""
    tables = {check.system: world.settings()}
    if "suite" in run.configuration.tables:
        tables.setdefault("suite", {})["state"] = str(state)
    configuration = run.configuration.lay_over(tables, "scenario")
    arrange = getattr(world, "arrange", lambda arranged: arranged)
    arranged: Run = arrange(_private(run, configuration, check, state))
    return arranged


def _private(run: Run, configuration: Configuration, check: Check, state: Path) -> Run:
    fix = "unsafe" if check.safety is Safety.UNSAFE else "safe"
    return replace(
        run,
        configuration=configuration,
        only=(check.system,),
        fix=fix,
        fix_only=(),
        state=state,
        deadline=120.0,
        began=time.monotonic(),
        verdicts={},
        alone=True,
        kept={},
        tell=lambda line: None,
        _round=None,
        _journal=None,
    )


def judged(case: Case) -> tuple[str, Told]:
    """Return (outcome, what was said) after a new look."""
    case.run.look_again()
    try:
        case.judge(case.look())
    except AssertionError as error:
        return "ill", told(error)
    except NoFact as why:
        kinds = {Absent: "absent", Blocked: "blocked"}
        return kinds.get(type(why), "cannot_tell"), Told(str(why))
    return "healthy", Told("")


@contextlib.contextmanager
def seen(proof: Proof, folder: Path, name: str) -> Iterator[tuple[Any, Case]]:
    """Yield the world of the scenario and the case of its check in it; end it whatever happens."""
    world = build(proof.check, proof.scenario, folder / name)
    try:
        run = in_world(proof.config.stash[RUN], proof.check, world, folder / "state")
        yield world, Case.of(proof.of, run)
    finally:
        world.close()


def prove(proof: Proof, folder: Path) -> None:
    """Prove one scenario; raise `Broken` with the promise that was not kept."""
    check, scenario = proof.check, proof.scenario
    with seen(proof, folder, "world") as (world, case):
        for each in (case, *(Case.of(other, case.run) for other in proof.others)):
            of = f" for {each.check.id}" if each is not case else ""
            _expect(each, scenario.outcome, f"as it was made{of}")
            _carried(each, scenario.outcome)
        if scenario.outcome != "ill" or check.safety is Safety.MANUAL or not scenario.cure:
            return
        before = tree(world)
        lines = _plan(case)
        _cured(case)
        if check.safety is Safety.SAFE:
            _undone(case, world, before)
            _typed(case, lines)
            return
    # What an UNSAFE fix did is not taken back: the plan is shown a world of its own.
    with seen(proof, folder, "again") as (_, case):
        _expect(case, "ill", "when it was made again")
        _typed(case, _plan(case))


def _plan(case: Case) -> list[str]:
    return [str(step) for step in case.steps(case.look())]


def _expect(case: Case, outcome: str, when: str) -> Told:
    came, said = judged(case)
    if came != outcome:
        words = f" ({said.sentence} {list(said.evidence)})" if said.sentence else ""
        raise Broken(f"{when} it must be {outcome}, and was {came}{words}")
    return said


def _carried(case: Case, outcome: str) -> None:
    """Let what was seen be judged as a support bundle carries it, masked, to another machine."""
    from plugins.bundle.judging import carried

    came = carried(case)
    if came.outcome.value != outcome:
        said = f"it must be {outcome}, and was {came.outcome.value} ({came.message})"
        raise Broken(f"from a support bundle {said}")


def _cured(case: Case) -> None:
    _, said = judged(case)
    fix = cure(case, case.look(), said)
    if fix is None or fix.state != "taken":
        raise Broken(f"the fix did not heal it: {fix}")
    _expect(case, "healthy", "after the fix")


def _undone(case: Case, world: Any, before: Tree) -> None:
    try:
        refused = [sentence for done, sentence in undo(case.run, "") if not done]
    except Refusal as why:
        refused = [str(why)]
    if refused:
        raise Broken(f"undo: {refused}")
    _expect(case, "ill", "after undo")
    after = tree(world)
    changed = sorted(n for n in before.keys() | after.keys() if before.get(n) != after.get(n))
    if changed:
        raise Broken(f"after undo these are not what they were: {changed[:5]}")


def _typed(case: Case, lines: list[str]) -> None:
    """Run the printed plan by a shell, as a person would, and look."""
    ran = Host().run(("bash", "-euc", "\n".join(lines)), deadline=60.0)
    if ran.status:
        said = ran.err.decode("utf-8", "replace")[-400:]
        raise Broken(f"the plan ended with status {ran.status} in a shell: {lines} {said}")
    assert case.check.remedy
    until = time.monotonic() + case.check.remedy.settle
    while judged(case)[0] != "healthy" and time.monotonic() < until:
        time.sleep(0.1)
    _expect(case, "healthy", f"after a shell ran {lines}")


def tree(world: Any) -> Tree:
    """Return what stands in the world's folder: kind, mode, owner and content of everything.

    Times are left out: a command that takes a command back writes anew what it writes.
    """
    root = os.fspath(world.folder)
    found: Tree = {}
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            path = os.path.join(folder, name)
            short = path[len(root) + 1 :]
            if any(fnmatch(short, pattern) for pattern in world.volatile):
                continue
            status = os.lstat(path)
            content = ""
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    content = hashlib.file_digest(file, "sha256").hexdigest()
            owner = (status.st_uid, status.st_gid)
            found[short] = (f"{status.st_mode:o}", owner, content)
    return found
