"""What is left of a Qdrant when any request of a rebuilding comes to nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.hosts import Host
from plugins.journal import Journal
from plugins.recovery import take_back
from plugins.tests.qdrant_box import (
    NAME,
    REQUESTS,
    Site,
    carried_out,
    rebuilt,
    recoverable,
    site_in,
    whole,
)

# 1 breaks every request in every way, which takes minutes: on a change of the steps.
STRIDE = int(os.environ.get("HEALTHCHECKS_STRIDE", "4"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_in(tmp_path) as found:
        found.fill()
        yield found


@pytest.mark.parametrize(("first", "how"), list(enumerate(["lose", "refuse", "page", "drop"], 1)))
def test_one_broken_request_leaves_the_collection_as_it_was_or_rebuilt(
    site: Site, first: int, how: str
) -> None:
    before = site.points()
    for number in range(first, REQUESTS + 1, STRIDE):
        site.wire.seen, site.wire.at, site.wire.how = 0, number, how
        site.journal = Journal(site.folder / f"state-{number}", "r", Host())
        why = carried_out(site)
        site.wire.at = 0
        where = f"request {number}, {site.wire.paths[number - 1 - REQUESTS :][:1]}: {why}"
        assert rebuilt(site) if not why else site.points() == before, where
        assert NAME in site.names(), where
        site.clear()
        site.fill()
        for left in site.shelf.iterdir():
            left.unlink()


def test_a_server_that_dies_leaves_the_collection_or_a_whole_snapshot(site: Site) -> None:
    before = site.points()
    site.wire.how, site.wire.on = "drop", True
    for number in range(1, REQUESTS + 1, STRIDE):
        site.wire.seen, site.wire.at = 0, number
        site.journal = Journal(site.folder / f"state-{number}", "r", Host())
        why = carried_out(site)
        site.wire.at = 0
        assert recoverable(site, before), f"request {number}: {why}"
        # When it is back, what could not be taken back can be.
        for _ in range(2):
            list(take_back(site.journal))
        assert why == "" or whole(site, before), f"request {number}: {why}"
        site.clear()
        site.fill()
        for left in site.shelf.iterdir():
            left.unlink()


KILLED = """
import sys
from pathlib import Path
from plugins.hosts import Host
from plugins.journal import Journal
from plugins.recovery import take
from plugins.tests.qdrant_box import Site, rebuilding
from types import SimpleNamespace
site = Site(Path(sys.argv[1]), SimpleNamespace(url=sys.argv[2]), None)
sys.stdin.readline()
journal = Journal(site.folder / sys.argv[3], "r", Host())
for step in take(journal, "x.y", rebuilding(site), site.roots):
    pass
"""


@pytest.mark.parametrize("how", ["kill", "kill late"])
def test_who_is_killed_leaves_the_collection_or_a_whole_snapshot(site: Site, how: str) -> None:
    before = site.points()
    for number in range(2, REQUESTS + 1, STRIDE):
        site.wire.seen, site.wire.at, site.wire.how = 0, number, how
        words = [str(site.folder), site.wire.url, f"state-{number}"]
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, *words], stdin=subprocess.PIPE
        ) as child:
            site.wire.victim = child.pid
            assert child.stdin
            child.stdin.write(b"\n")
            child.stdin.flush()
            status = child.wait(60)
        site.wire.at = 0
        assert status in (0, -9)
        assert recoverable(site, before), f"request {number}"
        site.clear()
        site.fill()
        for left in site.shelf.iterdir():
            left.unlink()
