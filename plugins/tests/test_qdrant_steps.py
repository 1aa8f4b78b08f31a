"""What is done to a Qdrant, and what is left of it when any request of it comes to nothing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.hands import qdrant_wire
from plugins.hosts import Host
from plugins.recovery import take_back
from plugins.steps import (
    CopyCollection,
    CreateCollection,
    CreateSnapshot,
    DropCopy,
    Hands,
    Refusal,
    RestoreSnapshot,
    TakeSnapshot,
)
from plugins.tests.qdrant_box import (
    BODY,
    COPY,
    NAME,
    POINTS,
    REQUESTS,
    VECTOR,
    Site,
    carried_out,
    rebuilding,
    rebuilt,
    site_in,
    whole_on_disk,
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_in(tmp_path) as found:
        found.fill()
        yield found


def test_a_collection_is_rebuilt_and_given_back(site: Site) -> None:
    before = site.points()
    assert carried_out(site) == ""
    assert rebuilt(site)
    assert site.names() == [NAME]
    assert site.snapshot.stat().st_mode & 0o777 == 0o600
    assert site.wire.seen <= REQUESTS, site.wire.seen
    assert any("3 of 3 points are copied" in line for line in site.told)
    assert all(done for done, _ in take_back(site.journal))
    assert site.points() == before
    assert site.names() == [NAME]
    assert list(site.shelf.iterdir()) == []


def hands(site: Site) -> Hands:
    return Hands(Host(), site.roots, str(site.folder / "slots" / "0-x"))


def test_points_that_do_not_come_are_noticed(site: Site) -> None:
    before = site.points()
    site.behind.faults.loses = 2
    assert "was written, and is not there" in carried_out(site)
    site.behind.faults.loses = 0
    assert site.points() == before
    assert site.names() == [NAME]


FAULTY: dict[str, tuple[dict[str, Any], str]] = {
    "full": ({"full": True}, "507"),
    "stopped": ({"upserts_left": 0}, "update worker has stopped"),
    "stopped_later": ({"upserts_left": 1}, "update worker has stopped"),
    "cut": ({"cut": 0.5}, "GET /collections/AgentMemories/snapshots/"),
    "short": ({"cut": 0.5, "short": True}, "cut"),
    "short_and_empty": ({"cut": 0.0, "short": True}, "empty"),
    "other_sum": ({"checksum": "0" * 64}, "SHA-256"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_server_is_told_in_words_and_nothing_changes(site: Site, name: str) -> None:
    planted, words = FAULTY[name]
    before = site.points()
    vars(site.behind.faults).update(planted)
    assert words in carried_out(site)
    vars(site.behind.faults).update(type(site.behind.faults)().__dict__)
    assert site.points() == before
    assert site.names() == [NAME]
    assert list(site.shelf.iterdir()) == []


@pytest.mark.parametrize("ending", ["/snapshots", "/points", "/points/scroll", f"/{COPY}"])
def test_a_server_that_hangs_is_cut(
    site: Site, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = site.points()
    monkeypatch.setattr(qdrant_wire, "PATIENCE", 1.0)
    monkeypatch.setattr("plugins.hands.qdrant_snapshots._SETTLING", 1.0)
    site.behind.faults.hung = (ending,)
    assert "no answer in time (our limit of 1 s)" in carried_out(site)
    site.behind.faults.hung = ()
    assert site.points() == before


def test_an_answer_that_comes_byte_by_byte_is_cut(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qdrant_wire, "PATIENCE", 1.0)
    site.behind.faults.dripping = ("/points/scroll",)
    with pytest.raises(Refusal, match="our limit of 1 s"):
        rebuilding(site)[1].take(hands(site))


def test_who_writes_meanwhile_loses_nothing(site: Site) -> None:
    steps = rebuilding(site)
    for step in steps[:2]:
        step.take(hands(site))
    path = f"/collections/{NAME}/points?wait=true"
    site.ask("PUT", path, {"points": [{"id": 8, "vector": [1, 1, 1, 1], "payload": {}}]})
    with pytest.raises(Refusal, match="holds 4 points by now, and not 3"):
        steps[2].take(hands(site))
    site.ask("POST", f"/collections/{NAME}/points/delete?wait=true", {"points": [8]})
    site.ask("PUT", path, {"points": [{**POINTS[2], "payload": {"document": "new"}}]})
    with pytest.raises(Refusal, match="not in AgentMemories as it is there"):
        steps[2].take(hands(site))
    assert len(site.points()) == 3


def test_a_copy_is_dropped_only_while_the_other_one_has_all(site: Site) -> None:
    site.ask("PUT", f"/collections/{COPY}", json.loads(BODY))
    row = {"id": 9, "vector": {VECTOR: [1, 1, 1, 1]}, "payload": {}}
    site.ask("PUT", f"/collections/{COPY}/points?wait=true", {"points": [row]})
    step = DropCopy(site.wire.url, COPY, NAME)
    with pytest.raises(Refusal, match=r"point 9 of .* nothing is dropped"):
        step.take(hands(site))
    with pytest.raises(Refusal, match="is not there: it is not dropped"):
        DropCopy(site.wire.url, COPY, "another").take(hands(site))
    assert COPY in site.names()


def test_what_is_lacking_is_copied_and_what_is_there_stays(site: Site) -> None:
    made = {"id": 7, "vector": {VECTOR: [1, 0, 0, 0]}, "payload": {"document": "newer"}}
    site.ask("PUT", f"/collections/{COPY}", json.loads(BODY))
    site.ask("PUT", f"/collections/{COPY}/points?wait=true", {"points": [made]})
    words = {"source": NAME, "total": 3, "fitting": 3, "moved": ("", VECTOR), "onto": True}
    CopyCollection(site.wire.url, COPY, BODY, **words).take(hands(site))  # type: ignore[arg-type]
    rows = {row["id"]: row for row in site.points(COPY)}
    assert len(rows) == 3
    assert rows[7]["payload"] == {"document": "newer"}


def test_a_new_collection_is_dropped_again_only_while_it_is_empty(site: Site) -> None:
    step = CreateCollection(site.wire.url, "new", BODY)
    site.journal.take("x.y", step, site.roots)
    row = {"id": 1, "vector": {VECTOR: [1, 1, 1, 1]}}
    site.ask("PUT", "/collections/new/points?wait=true", {"points": [row]})
    assert [done for done, _ in take_back(site.journal)] == [False]
    site.ask("POST", "/collections/new/points/delete?wait=true", {"points": [1]})
    assert [done for done, _ in take_back(site.journal)] == [True]
    assert site.names() == [NAME]


def test_a_snapshot_on_the_server_is_taken_back_if_it_is_still_that(site: Site) -> None:
    site.journal.take("x.y", CreateSnapshot(site.wire.url, NAME), site.roots)
    (row,) = site.ask("GET", f"/collections/{NAME}/snapshots")
    site.behind.faults.checksum = "1" * 64
    assert [done for done, _ in take_back(site.journal)] == [False]
    site.behind.faults.checksum = ""
    assert [done for done, _ in take_back(site.journal)] == [True]
    assert row["name"].startswith(NAME)
    assert site.ask("GET", f"/collections/{NAME}/snapshots") == []


def test_a_collection_that_is_there_is_not_written_over(site: Site) -> None:
    TakeSnapshot(site.wire.url, NAME, str(site.snapshot), 3).take(hands(site))
    before = site.points()
    with pytest.raises(Refusal, match="is there: it is not written over"):
        RestoreSnapshot(site.wire.url, NAME, str(site.snapshot)).take(hands(site))
    site.ask("DELETE", f"/collections/{NAME}")
    location = site.snapshot.as_uri()
    step = RestoreSnapshot(site.wire.url, NAME, str(site.snapshot), total=3, location=location)
    site.journal.take("x.y", step, site.roots)
    assert site.points() == before
    assert all(done for done, _ in take_back(site.journal))
    assert site.names() == []


def test_a_snapshot_that_changed_since_is_not_restored(site: Site) -> None:
    TakeSnapshot(site.wire.url, NAME, str(site.snapshot), 3).take(hands(site))
    site.ask("DELETE", f"/collections/{NAME}")
    text = bytearray(site.snapshot.read_bytes())
    text[text.find(b"Cosine")] ^= 1
    site.snapshot.write_bytes(text)
    with pytest.raises(Refusal, match="SHA-256 is not what it should be"):
        RestoreSnapshot(site.wire.url, NAME, str(site.snapshot)).take(hands(site))


def test_an_older_server_without_checksums_is_judged_by_the_tar(site: Site) -> None:
    site.behind.faults.without_checksums = True
    assert carried_out(site) == ""
    assert whole_on_disk(site)


def test_the_key_comes_from_the_environment_and_is_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_KEY", "hush-hush-hush")
    with site_in(tmp_path) as site:
        site.fill()
        site.behind.key = "hush-hush-hush"
        closed = CreateSnapshot(site.wire.url, NAME)
        with pytest.raises(Refusal, match="it wants an API key"):
            closed.take(hands(site))
        step = CreateSnapshot(site.wire.url, NAME, key="SITE_KEY")
        site.journal.take("x.y", step, site.roots)
        assert "hush" not in str(step) + site.journal.path.read_text() + "".join(site.told)
        line = ["bash", "-euc", str(step)]
        assert subprocess.run(line, check=False, capture_output=True).returncode == 0
        site.behind.key = ""
        assert len(site.ask("GET", f"/collections/{NAME}/snapshots")) == 2


def test_a_far_host_does_it_too(site: Site) -> None:
    before = site.points()
    far = Host("ssh://nobody@nowhere.invalid")
    far.run = Host().run  # type: ignore[method-assign] # its own python3 is this machine's
    there = Hands(far, site.roots, str(site.folder / "slots" / "0-x"), site.told.append)
    for step in rebuilding(site):
        step.take(there)
    assert rebuilt(site)
    with pytest.raises(Refusal, match="is there: it is not written over"):
        RestoreSnapshot(site.wire.url, NAME, str(site.snapshot)).take(there)
    site.ask("DELETE", f"/collections/{NAME}")
    RestoreSnapshot(site.wire.url, NAME, str(site.snapshot), total=3).take(there)
    assert site.points() == before


@pytest.mark.parametrize("how", ["cut", "gone", "turned"])
def test_nothing_is_dropped_whose_snapshot_is_not_whole_any_more(site: Site, how: str) -> None:
    steps = rebuilding(site)
    for step in steps[:2]:
        step.take(hands(site))
    text = site.snapshot.read_bytes()
    if how == "gone":
        site.snapshot.unlink()
    else:
        at = text.find(b"Cosine")
        turned = text[:at] + b"X" + text[at + 1 :]
        site.snapshot.write_bytes(text[:5000] if how == "cut" else turned)
    before = site.points()
    with pytest.raises(Refusal, match=r"No such file|is cut|is broken|SHA-256"):
        steps[2].take(hands(site))
    assert site.points() == before
