"""The provider of portagent: one request a run, its stage, the server's own way, no secret told."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from healthchecks.portagent import test_provider
from healthchecks.portagent.probes_provider import provider_pace
from healthchecks.portagent.provider import Provider, ask, is_within, provider_of
from healthchecks.portagent.world import World
from healthchecks.portagent.world_outside_provider import reply
from plugins.endpoints import history
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.http import Http
from plugins.hosts import Host
from plugins.kept import Kept
from plugins.outcomes import CannotTell
from plugins.run import Run
from plugins.scenarios import Scenario, scenarios_of
from plugins.tests.runs import ROOT, Look, suite
from plugins.tests.test_portagent_found import found
from plugins.worlds.wiring import request_of, serving

STAGES = {
    "no_such_name": "DNS: the name api.provider.invalid does not resolve",
    "nobody_listens": "TCP: 127.0.0.1:9: connection refused",
    "a_black_hole": "TCP: GET .* no answer in time (our limit of 1 s)",
    "of_an_unknown_authority": "TLS: .* not trusted (self-signed certificate)",
    "expired": "TLS: .* not trusted (certificate has expired)",
    "of_another_name": "TLS: .* not trusted (Hostname mismatch",
    "plain_text": "TLS: .* does not speak TLS with us",
    "silent_under_tls": "TLS: .* no answer in time",
    "silent_over_tls": "HTTP: .* no answer in time",
    "dripping": "HTTP: .* no answer in time",
    "broken": "HTTP: it answers HTTP 500",
    "limiting": "HTTP: it limits requests (HTTP 429)",
    "a_captive_portal": "HTTP: a page answers in its place (HTTP 403, text/html)",
    "sent_to_a_captive_portal": "HTTP: it answers HTTP 302 and sends us to portal.example",
    "a_proxy_that_is_gone": "TCP: 127.0.0.1:9: connection refused",
    "a_proxy_that_asks": "proxy: .* does not let us through (HTTP 407)",
    "a_proxy_that_forbids": "proxy: .* does not let us through (HTTP 403)",
    "a_proxy_that_hangs": "proxy: .* no answer in time",
    "a_proxy_of_another_kind": "proxy: it uses none of the kind socks5",
    "a_proxy_that_is_no_url": "proxy: what the variable names is no URL",
    "no_url": "URL: api.anthropic.com/v1/models is not a URL",
}
REACH = scenarios_of(test_provider.test_the_provider_can_be_reached)
KEY = "sk-ant-api03-cAnArY-of-this-test-0123456789"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "world").mkdir()
    made = World(tmp_path / "world")
    yield made
    made.close()


def provider(world: World) -> Provider:
    return provider_of(found(world), Host(), Filesystem(Host()))


def looked(world: World, folder: Path, *options: str, kinds: str = "provider") -> Look:
    words = ("-k", kinds, "--require=portagent.the_provider_can_be_reached", *options)
    target = str(ROOT / "healthchecks/portagent")
    tables = {"portagent": world.settings()}
    return suite(folder, tables, *words, systems=("portagent",), target=target)


def test_a_url_that_is_set_to_nothing_is_the_usual_one(world: World) -> None:
    world.change(provider_url="")
    world.outside.given(LLM_PROVIDER_URL="")
    assert provider(world).url == "https://api.anthropic.com/v1/models"


def test_every_fault_has_its_stage() -> None:
    assert {one.name for one in REACH if one.outcome == "ill"} == set(STAGES)


@pytest.mark.parametrize("scenario", [s for s in REACH if s.name in STAGES], ids=lambda s: s.name)
def test_the_stage_is_named(world: World, scenario: Scenario) -> None:
    scenario.make(world)
    where = provider(world)
    limit = found(world).settings.provider_deadline
    met = ask(Http(Host()), where, with_key=False, deadline=limit)
    begin, dots, end = STAGES[scenario.name].partition(".* ")
    assert met.trouble.startswith(begin)
    assert not dots or end in met.trouble
    assert met.stage == met.trouble.partition(":")[0]
    assert "pass" not in f"{met}{where}"


def test_one_request_a_run_and_no_key_unless_asked(world: World, tmp_path: Path) -> None:
    asked: list[str] = []

    def listen(wire: socket.socket) -> None:
        asked.append(request_of(wire).decode("latin-1").lower())
        reply(wire, "200 OK", "application/json", '{"data":[]}')

    world.outside.given(LLM_PROVIDER_KEY=KEY)
    with serving(listen) as port:
        world.change(provider_url=f"http://localhost:{port}")
        looked(world, tmp_path / "one")
        assert len(asked) == 1
        assert "x-api-key" not in asked[0]
        looked(world, tmp_path / "two", "--deep")
        assert len(asked) == 2
        world.change(provider_ask=True)
        seen = looked(world, tmp_path / "three")
        assert len(asked) == 3
        # A cure of something else makes the run look again.
        for number in range(1, 12):
            (world.data_dir / f"logs/portagent.log.{number}").write_bytes(b"x" * 1000)
        world.change(provider_ask=False)
        cured = looked(world, tmp_path / "four", "--fix", kinds="provider or log_files")
        assert len(asked) == 4
        assert any(row["outcome"] == "fixed" for row in cured.document["findings"])
    for request in asked[1:3]:
        assert request.startswith("get /v1/models http/1.1")
        assert f"x-api-key: {KEY.lower()}" in request
        assert "anthropic-version: 2023-06-01" in request
    assert seen.row("portagent.the_provider_takes_its_key")["outcome"] == "healthy"


def test_a_refused_key_and_a_proxys_password_are_told_without_them(
    world: World, tmp_path: Path
) -> None:
    world.outside.provider(takes="another")
    world.outside.way_out(user="agent:cAnArY-password-1")
    world.outside.given(LLM_PROVIDER_KEY=KEY)
    world.change(provider_ask=True)
    seen = looked(world, tmp_path / "run", "-vv", "--showlocals", "--tb=long")
    assert seen.row("portagent.the_provider_takes_its_key")["outcome"] == "ill"
    assert "HTTP 401" in seen.told("portagent.the_provider_takes_its_key")
    world.outside.way_out("asks_who", user="agent:cAnArY-password-1")
    other = looked(world, tmp_path / "other", "-vv", "--showlocals", "--tb=long")
    assert "407" in other.told("portagent.the_provider_can_be_reached")
    for look in (seen, other):
        for name, text in look.artefacts().items():
            assert name == "systems.toml" or "cAnArY" not in text


def test_the_servers_own_variables_are_heeded_and_ours_are_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://ours.invalid:3128")
    world.change(provider_url="")
    assert "ours.invalid:3128, HTTPS_PROXY (our own environment)" in provider(world).way
    assert provider(world).url == "https://api.anthropic.com/v1/models"
    world.server.environment |= {
        "HTTPS_PROXY": "http://user:cAnArY@theirs.invalid:8080",
        "LLM_PROVIDER_URL": "https://user:cAnArY@gate.invalid/anthropic/v1/?x=1",
    }
    pid = world.server.start()
    seen = provider(world)
    assert seen.url == "https://gate.invalid/anthropic/v1/models"
    assert seen.named_by == f"LLM_PROVIDER_URL (process {pid})"
    assert seen.way == (
        f"through the proxy http://theirs.invalid:8080, HTTPS_PROXY (process {pid})"
    )
    assert "cAnArY" not in repr(seen)


def test_a_server_without_a_proxy_uses_none_of_ours(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://ours.invalid:3128")
    world.server.start()
    assert provider(world).way == "directly"


def test_the_key_does_not_go_over_open_lines(world: World) -> None:
    world.outside.given(LLM_PROVIDER_KEY=KEY)
    world.change(provider_url="http://gate.invalid")
    assert not provider(world).is_private
    world.change(provider_url="http://127.0.0.1:4000")
    assert provider(world).is_private


@pytest.mark.parametrize(
    ("url", "proxy", "within"),
    [
        ("https://api.anthropic.com", "", False),
        ("http://localhost:4000", "", True),
        ("http://gateway:4000", "", True),
        ("http://host.docker.internal:4000", "", True),
        ("https://api.anthropic.com", "http://proxy:8080", True),
        ("https://api.anthropic.com", "http://proxy.example:8080", False),
    ],
)
def test_what_only_a_container_knows_is_not_judged_from_outside(
    world: World, url: str, proxy: str, within: bool
) -> None:
    world.outside.given(HTTPS_PROXY=proxy)
    world.change(provider_url=url)
    assert is_within(replace(found(world), container="portagent"), provider(world)) is within
    assert not is_within(found(world), provider(world))


def test_a_far_host_goes_another_way(world: World) -> None:
    with pytest.raises(CannotTell, match="cannot be told from here"):
        provider_of(found(world), Host("ssh://me@box"), Filesystem(Host()))


def test_one_slow_answer_among_many_is_no_finding(world: World, tmp_path: Path) -> None:
    world.outside.provider()
    run = Run(None, state=tmp_path)  # type: ignore[arg-type]
    system, host = found(world), Host()
    where = provider(world)
    question = (host.spec, "provider", where.url, where.way)
    rows = [[time.time() - 60 + n, 50.0] for n in range(30)]

    def pace() -> tuple[float, int]:
        look = provider_pace.__probe__.function  # type: ignore[attr-defined]
        seen = look(system, host, Filesystem(host), Http(host), run, Kept())
        return seen.slowest.value, seen.looks

    for number, (slow, ill) in enumerate(((1, False), (4, True))):
        told = {"looks": [*rows, *([[time.time(), 9000.0]] * slow)]}
        history.keep(str(tmp_path / "cursors"), question, told)
        high, looks = pace()
        assert (high > system.settings.provider_ms) is ill, number
        assert looks == 30 + slow + 1
    old = {"looks": [[time.time() - 8 * 86400, 9000.0], [time.time() + 999, 9000.0]]}
    history.keep(str(tmp_path / "cursors"), question, old)
    assert pace()[1] == 1
