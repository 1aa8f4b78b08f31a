"""DGMO's session store: found in its four places, judged as it is, and left alone while written."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest

from healthchecks.dgmo import probes_indexes, probes_store
from healthchecks.dgmo.mending import restore_or_put_aside
from healthchecks.dgmo.system import Dgmo
from healthchecks.dgmo.test_indexes import rebuilt
from healthchecks.dgmo.world import World
from plugins import configuration
from plugins.hosts import Host
from plugins.journal import Journal
from plugins.outcomes import Absent
from plugins.rounds import Round
from plugins.steps import Refusal, Step

SHIPPED = Path(__file__).parents[2] / "healthchecks/systems.toml"
RECORDED = Path(__file__).parents[3] / "shared/recordings/dgmo/opencode"
PARENT = "ses_8265d514cffeJtVYlbD526eTCt"
NOWHERE = {"config_home": "/nonexistent/config", "home": "/nonexistent"}


def look(tmp_path: Path, **keys: Any) -> Round:
    """Return a new look at a host with these keys of [dgmo]."""
    tables = configuration.shipped(SHIPPED).lay_over({"dgmo": NOWHERE | keys}, "test")
    run = SimpleNamespace(state=tmp_path / "state")
    return Round(tables, ("dgmo",), math.inf, {"run": run})


def found(tmp_path: Path, **keys: Any) -> Dgmo:
    system = look(tmp_path, **keys).system("dgmo")
    assert isinstance(system, Dgmo)
    return system


def seen(at: Round, probe: Any) -> Any:
    return at.fact("dgmo", probe.__probe__)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    yield made
    made.close()


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Return the data folder of a host with the recorded store."""
    if not RECORDED.is_dir():
        pytest.skip("the recordings are not here")
    shutil.copytree(RECORDED, tmp_path / "share/opencode")
    return tmp_path / "share"


def test_a_store_that_the_shipped_repair_ran_over_is_judged_rightly(
    recorded: Path, tmp_path: Path
) -> None:
    at = look(tmp_path, data_home=str(recorded))
    assert [one.kind for one in at.system("dgmo").stores] == ["opencode"]  # type: ignore[attr-defined]
    for name in ("broken_sessions", "interrupted_writes", "conflicts", "lacking_sessions"):
        assert seen(at, getattr(probes_store, name)).total == 0
    for name in ("misencoded_files", "unreachable_stores"):
        assert seen(at, getattr(probes_store, name)) == ()
    for name in ("broken_indexes", "short_indexes", "dangling_indexes"):
        assert seen(at, getattr(probes_indexes, name)) == ()
    strange = seen(at, probes_indexes.strangers).files
    assert {(Path(one.path).name, one.why) for one in strange} == {
        ("ses_q.json", "it names no parent"),
        ("ses_q.json", "its session is not there"),
        ("undefined.json", "the session that it is the index of is not there"),
    }


def test_the_order_of_a_recorded_index_stays_when_it_is_rebuilt(
    recorded: Path, tmp_path: Path
) -> None:
    folder = recorded / "opencode/project/p1/storage/session/sub-session-index"
    index = folder / f"{PARENT}.json"
    there = json.loads(index.read_bytes())
    index.write_text(json.dumps(["ses_gone", *there, there[0]]))
    dangling = seen(look(tmp_path, data_home=str(recorded)), probes_indexes.dangling_indexes)
    assert list(dangling[0].rebuilt) == there


def test_opencode_alone_is_no_dgmo(tmp_path: Path) -> None:
    store = tmp_path / "opencode/project/global/storage/session"
    (store / "info").mkdir(parents=True)
    (tmp_path / "opencode/User/workspaceStorage/1/state").mkdir(parents=True)
    with pytest.raises(Absent):
        found(tmp_path, data_home=str(tmp_path))
    assert found(tmp_path, data_home=str(tmp_path), enabled="yes").stores == ()
    (store / "sub-session-index").mkdir()
    kinds = [one.kind for one in found(tmp_path, data_home=str(tmp_path)).stores]
    assert kinds == ["opencode"]


def test_all_stores_of_all_ages_are_found_the_newest_first(world: World) -> None:
    for layout in ("workspace", "opencode", "project"):
        world.sessions.another(layout, hours=100)
    (world.data_home / "dgmo/project/README").write_text("no store")
    system = found(world.folder, **world.settings())
    assert [one.kind for one in system.stores] == ["unified", "project", "opencode", "workspace"]
    assert [one.kind for one in system.in_use] == ["unified"]
    assert system.unreadable == ()


def steps_for(world: World, tmp_path: Path) -> tuple[Step, ...]:
    world.sessions.info(world.sessions.main).write_bytes(b"")
    broken = seen(look(tmp_path, **world.settings()), probes_store.broken_sessions)
    return tuple(restore_or_put_aside(broken))


def taken(steps: tuple[Step, ...], world: World, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state", "run", Host())
    for step in steps:
        journal.take("check", step, (str(world.sessions.root),))


def test_no_cure_while_the_program_holds_a_file_of_the_store(world: World, tmp_path: Path) -> None:
    steps = steps_for(world, tmp_path)
    world.sessions.hold(world.sessions.root / "app.json")
    with pytest.raises(Refusal, match=r"^DGMO is writing .*unified \(process \d+\): stop it first"):
        taken(steps, world, tmp_path)
    assert world.sessions.info(world.sessions.main).exists()


def test_no_cure_of_a_store_that_changed_since_it_was_looked_at(
    world: World, tmp_path: Path
) -> None:
    steps = steps_for(world, tmp_path)
    world.sessions.message(world.sessions.main, "msg_7")
    with pytest.raises(Refusal, match="changed since it was looked at"):
        taken(steps, world, tmp_path)
    steps = steps_for(world, tmp_path)
    taken(steps, world, tmp_path)
    assert json.loads(world.sessions.info(world.sessions.main).read_bytes())["title"]


def test_a_rebuilt_index_is_in_the_order_of_creation_and_stays(
    world: World, tmp_path: Path
) -> None:
    main = world.sessions.main
    oldest = world.sessions.sub_session(main, hours=9, indexed=False)
    short = seen(look(tmp_path, **world.settings()), probes_indexes.short_indexes)
    assert [one.rebuilt for one in short] == [(oldest, *world.sessions.children)]
    taken(tuple(rebuilt(short)), world, tmp_path)
    assert json.loads(world.sessions.index(main).read_bytes()) == [oldest, *world.sessions.children]
    assert seen(look(tmp_path, **world.settings()), probes_indexes.short_indexes) == ()


@pytest.mark.parametrize("layout", ["unified", "workspace"])
def test_no_index_is_made_for_a_parent_whose_name_leads_elsewhere(
    layout: Literal["unified", "workspace"], tmp_path: Path
) -> None:
    world = World(tmp_path / "world", layout)
    record = world.sessions.record(world.sessions.children[0])
    world.sessions.change(record, parentSessionId="../../../../evil")
    # Where no session is seen at all, the records alone say who is a parent.
    shutil.rmtree(world.sessions.root / "sessions", ignore_errors=True)
    at = look(tmp_path, **world.settings())
    assert seen(at, probes_indexes.short_indexes) == ()
    assert [one.why for one in seen(at, probes_indexes.strangers).files] == ["its parent is no id"]
    world.close()


def test_offenders_beyond_a_limit_are_counted(world: World, tmp_path: Path) -> None:
    for number in range(700):
        world.sessions.message(world.sessions.main, f"msg_x{number}").write_bytes(b"")
    broken = seen(look(tmp_path, **world.settings()), probes_store.broken_sessions)
    assert (len(broken.files), broken.total) == (500, 700)
    assert broken.sentence("broken") == "broken (700, of which these are the first)"
