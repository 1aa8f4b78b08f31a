"""What belongs to others in a Qdrant is not touched, and other programs are not taken for it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from healthchecks.dgmo.rebuilding import body_of
from healthchecks.dgmo.world import World
from plugins.endpoints import qdrant_rows
from plugins.endpoints.qdrant import Qdrant, Vector
from plugins.hosts import Host
from plugins.outcomes import NotThere, WrongKind
from plugins.recovery import take_back
from plugins.steps import (
    CopyCollection,
    CreateCollection,
    CreateSnapshot,
    DropCopy,
    DropOriginal,
    Hands,
    PutAwaySnapshot,
    Refusal,
    RestoreSnapshot,
    Step,
    TakeSnapshot,
)
from plugins.tests.boxes import Box, opened
from plugins.tests.qdrant_box import BODY, COPY, NAME, VECTOR, Site, site_in, whole_on_disk
from plugins.worlds.wiring import HTTP_OK, answer, serving

_404 = b"HTTP/1.1 404 Not Found\r\n\r\n"
_OWN = b'{"status": {"error": "Not found: Collection `m` doesn\'t exist!"}, "time": 0}'


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_in(tmp_path) as found:
        found.fill()
        yield found


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box[World]]:
    with opened(World(tmp_path / "world"), tmp_path, "dgmo") as made:
        yield made


@pytest.mark.parametrize(
    "said",
    [
        b'{"status": "ok", "qdrant": "connected"}',
        b"Health check passed",
        b"qdrant: down for maintenance",
        b'{"title": "An application over Qdrant", "version": "1"}',
    ],
)
def test_an_application_that_uses_qdrant_is_not_taken_for_it(said: bytes) -> None:
    with serving(answer(HTTP_OK + b"\r\n" + said)) as port:
        told = Qdrant(Host()).at(f"http://127.0.0.1:{port}").health()
    assert told.strange
    assert not told.well


def test_a_proxy_that_has_lost_it_does_not_say_that_a_collection_is_gone() -> None:
    for said, kind in ((_404, WrongKind), (_404 + b"404 page not found", WrongKind)):
        with serving(answer(said)) as port:
            server = Qdrant(Host()).at(f"http://127.0.0.1:{port}")
            with pytest.raises(kind, match="not as Qdrant does"):
                server.count("m")
    with serving(answer(_404 + _OWN)) as port, pytest.raises(NotThere, match="doesn't exist"):
        Qdrant(Host()).at(f"http://127.0.0.1:{port}").count("m")


def test_a_collection_that_somebody_made_meanwhile_is_not_dropped(site: Site) -> None:
    site.ask("PUT", "/collections/new", json.loads(BODY))
    site.wire.at, site.wire.how = 1, "gone"  # it was not there yet when it was looked for
    hands = Hands(Host(), site.roots, str(site.folder / "slots" / "0-x"))
    with pytest.raises(Refusal, match="already exists"):
        CreateCollection(site.wire.url, "new", BODY).take(hands)
    assert site.names() == [NAME, "new"]


def test_a_new_collection_is_configured_as_the_old_one_was() -> None:
    params = {"vectors": {"size": 4, "distance": "Cosine"}, "payload": {"memory": "cold"}}
    strict = {"enabled": True, "max_query_limit": 1000, "max_timeout": None}
    noted = {"made by": "us", "until": None}
    config = {"params": params, "strict_mode_config": strict, "metadata": noted}
    told = {"status": "green", "config": config}
    info = qdrant_rows.collection("m", told)
    body = json.loads(body_of(info, info.vectors[0], Vector("v", 4, "Cosine")))
    assert body["metadata"] == noted
    assert body["strict_mode_config"] == {"enabled": True, "max_query_limit": 1000}
    assert body["payload"] == {"memory": "cold"}


def _alias(world: World) -> None:
    alias = {"collection_name": world.memory.collection, "alias_name": "ours"}
    world.memory.ask("POST", "/collections/aliases", {"actions": [{"create_alias": alias}]})


def test_a_restoring_drops_no_alias(box: Box[World]) -> None:
    memory = box.world.memory
    memory.stand_in()
    memory.snapshot()
    _alias(box.world)
    status, said = box.run("--recover", "dgmo.restore_memories", "--yes")
    assert status == 11, said
    assert "an alias leads to AgentMemories" in said
    assert memory.ask("GET", "/aliases")["aliases"]


def test_what_was_written_since_a_restoring_is_kept_when_it_is_undone(site: Site) -> None:
    hands = Hands(Host(), site.roots, str(site.folder / "slots" / "0-x"))
    TakeSnapshot(site.wire.url, NAME, str(site.snapshot), 3).take(hands)
    site.ask("DELETE", f"/collections/{NAME}")
    step = RestoreSnapshot(site.wire.url, NAME, str(site.snapshot))
    site.journal.take("x.y", step, site.roots)
    path = f"/collections/{NAME}/points"
    new = {"id": 70, "vector": [1, 1, 1, 1], "payload": {"document": "new"}}
    site.ask("POST", f"{path}/delete?wait=true", {"points": [7]})
    site.ask("PUT", f"{path}?wait=true", {"points": [new]})  # as many as came
    since = site.points()
    assert all(done for done, _ in take_back(site.journal))
    assert site.names() == []
    (kept,) = site.journal.quarantine.glob("undone-*.snapshot")
    assert kept.stat().st_mode & 0o777 == 0o600
    here = kept.rename(site.shelf / kept.name)
    RestoreSnapshot(site.wire.url, NAME, str(here)).take(hands)
    assert site.points() == since


def test_the_only_copy_of_what_was_dropped_is_not_put_away(site: Site) -> None:
    hands = Hands(Host(), site.roots, str(site.folder / "slots" / "0-x"))
    old = str(site.shelf / "old.snapshot")
    TakeSnapshot(site.wire.url, NAME, old, 3).take(hands)
    site.ask("POST", f"/collections/{NAME}/points/delete?wait=true", {"points": [7]})
    words, kept = (site.wire.url, NAME), str(site.snapshot)
    for step in (TakeSnapshot(*words, kept, 2), DropOriginal(*words, kept, 2)):
        site.journal.take("x.y", step, site.roots)
    site.wire.seen, site.wire.at, site.wire.how, site.wire.on = 0, 4, "refuse", True
    with pytest.raises(Refusal, match="may be there in part"):
        site.journal.take("x.y", RestoreSnapshot(*words, old), site.roots)
    site.wire.at = 0
    assert [done for done, _ in take_back(site.journal)] == [False, False]
    assert whole_on_disk(site)
    site.ask("DELETE", f"/collections/{NAME}")
    assert all(done for done, _ in take_back(site.journal))
    assert len(site.points()) == 2


def shell(step: Step) -> int:
    """Type the line of a step, and return its status."""
    line = ["bash", "-c", str(step)]
    return subprocess.run(line, check=False, timeout=20, capture_output=True).returncode


def test_a_line_that_fails_stops_and_drops_nothing(site: Site) -> None:
    words = {"source": NAME, "total": 3, "fitting": 3, "moved": ("", VECTOR)}
    copy = CopyCollection(site.wire.url, COPY, BODY, **words)  # type: ignore[arg-type]
    site.wire.seen, site.wire.at, site.wire.how = 0, 2, "refuse"  # the first page of points
    assert shell(copy)
    site.wire.at = 0
    site.behind.faults.upserts_left = 0
    site.ask("DELETE", f"/collections/{COPY}")
    assert shell(copy)
    site.behind.faults.upserts_left = None
    row = {"id": 9, "vector": {VECTOR: [1, 1, 1, 1]}, "payload": {}}
    site.ask("PUT", f"/collections/{COPY}/points?wait=true", {"points": [row]})
    assert shell(DropCopy(site.wire.url, NAME, COPY))
    assert site.names() == [NAME, COPY]
    assert shell(DropCopy(site.wire.url, COPY, NAME)) == 0
    put_away = PutAwaySnapshot(site.wire.url, COPY, str(site.shelf / "s"), "slot", 1)
    (site.shelf / "s").touch()
    assert shell(put_away)
    assert (site.shelf / "s").exists()


@pytest.mark.parametrize("kind", [CreateSnapshot, TakeSnapshot, CreateCollection, DropOriginal])
def test_a_password_in_a_url_is_not_written_down(site: Site, kind: Any) -> None:
    url = site.wire.url.replace("://", "://somebody:canary5ings@")
    words = {CreateSnapshot: (), DropOriginal: ("s", 1)}.get(kind, ("{}",))
    step: Step = kind(url, NAME, *words)
    with pytest.raises(Refusal, match="name and password"):
        site.journal.take("x.y", step, site.roots)
    assert "canary5ings" not in site.journal.path.read_text()
