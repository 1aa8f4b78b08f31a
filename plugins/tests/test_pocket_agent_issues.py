"""Pocket Agent's known issues know their own lines, and no others."""

from __future__ import annotations

import contextlib
import ssl
from pathlib import Path

import pytest
import websocket

from healthchecks.pocket_agent.probes_issues import LogHits
from healthchecks.pocket_agent.world import World
from plugins.endpoints.hits import Hits
from plugins.endpoints.signatures import Signature, load
from plugins.worlds.running import until

_REPOSITORY = Path(__file__).parents[2]
_SIGNATURES = load(str(_REPOSITORY / "healthchecks/pocket_agent/known_issues.toml"))
_RECORDED = _REPOSITORY.parent / "shared/recordings/pocket_agent/t1/server.log"
_NAMES = [signature.key for signature in _SIGNATURES]


@pytest.mark.parametrize("signature", _SIGNATURES, ids=_NAMES)
def test_an_issue_matches_its_own_lines_and_no_others(signature: Signature) -> None:
    assert [line for line in signature.matches if not signature.fits(line)] == []
    assert [line for line in signature.ignores if signature.fits(line)] == []


@pytest.mark.parametrize("signature", _SIGNATURES, ids=_NAMES)
def test_a_line_belongs_to_one_issue_only(signature: Signature) -> None:
    for line in signature.matches:
        assert [other.key for other in _SIGNATURES if other.fits(line)] == [signature.key], line


def test_normal_closes_are_nobodys_issue_and_stand_in_several_ignores() -> None:
    for number in (1000, 1001, 1005):
        closes = [
            line for each in _SIGNATURES for line in each.ignores if f"close {number}" in line
        ]
        assert closes
        assert not [each.key for each in _SIGNATURES for line in closes if each.fits(line)]


def test_healthy_runs_show_no_issue_that_matters(tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    with contextlib.closing(world):
        world.start()
        trust = {"cert_reqs": ssl.CERT_NONE}
        url = f"wss://127.0.0.1:{world.port}/ws"
        websocket.create_connection(url, timeout=5, sslopt=trust).close(timeout=1)
        until(lambda: b"close 1000" in world.log.read_bytes()[-500:], "the close is logged")
        world.stop()
        _shows_none_that_matters(world.log.read_bytes())
    # The recordings stand beside the repository of those who made it only.
    if _RECORDED.exists():
        _shows_none_that_matters(_RECORDED.read_bytes())


def _shows_none_that_matters(log: bytes) -> None:
    lines = log.splitlines()
    assert len(lines) > 10
    for signature in _SIGNATURES:
        if signature.severity in {"P0", "P1"}:
            assert not [line for line in lines if signature.fits(line)]


def test_what_kept_a_server_from_starting_is_over_where_one_runs() -> None:
    line = '{"level":"ERROR","msg":"Server error","error":"… bind: address already in use"}'
    seen = {
        "address_in_use": Hits(1, 200.0, 200.0, (line,)),
        "no_space": Hits(1, 9.0, 200.0, ("x",)),
    }
    by_key = {one.key: one for one in _SIGNATURES}
    for started, counts in ((None, (1, 1)), (100.0, (0, 1)), (300.0, (0, 0))):
        hits = LogHits(seen, started)
        shown = (hits.of(by_key["address_in_use"]).count, hits.of(by_key["no_space"]).count)
        assert shown == counts
