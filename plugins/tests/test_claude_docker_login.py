"""How Claude's login and configuration are read, and how words of a file are changed."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from healthchecks.claude_docker import keychain
from healthchecks.claude_docker.container_paths import changed, inward, spelled, words_for
from healthchecks.claude_docker.logins import in_keychain, is_token, moment, oauth_in
from healthchecks.claude_docker.probes_configuration import broken_configuration
from healthchecks.claude_docker.probes_login import _access
from healthchecks.claude_docker.system import ClaudeDocker
from healthchecks.claude_docker.test_configuration import bring_back_the_newest_copy
from healthchecks.claude_docker.world import World
from plugins.configuration import shipped
from plugins.documents import Document, document, parsed
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.processes import Processes
from plugins.hosts import Host
from plugins.outcomes import CannotTell
from plugins.steps import Hands, Refusal, Substitute, Word
from plugins.systems import find
from plugins.tests.runs import ROOT

WORKSPACE = "/workspace"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1_795_184_001_954, 1_795_184_001.954),
        (1_795_184_001, 1_795_184_001.0),
        ("1795184001954", 1_795_184_001.954),
        ("2026-11-20T14:13:21Z", 1_795_184_001.0),
        (0, 0.0),
        (None, None),
        (True, None),
        ("soon", None),
        ("nan", None),
        ("1e999", None),
        (10**400, None),
        ({"at": 1}, None),
    ],
)
def test_an_expiry_is_read_as_what_it_is(value: object, seconds: float | None) -> None:
    assert moment(value) == seconds


@pytest.mark.parametrize("value", [None, "", "  ", 7, ["x"], "YOUR_ACCESS_TOKEN", "${TOKEN}"])
def test_what_is_no_token(value: object) -> None:
    assert not is_token(value)
    assert oauth_in({"claudeAiOauth": {"accessToken": value}}, "here", read=True) is None


def test_no_token_is_kept_in_a_login() -> None:
    held = {"accessToken": "of-no-known-shape", "refreshToken": "of-none-either", "expiresAt": 1}
    for text in (json.dumps({"claudeAiOauth": held}), json.dumps(held), "of-no-known-shape"):
        login = in_keychain(text, "the Keychain", read=True)
        assert login is not None
        assert "of-no" not in repr(login)


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        (b"", "it is empty (0 bytes)"),
        (b" \n", "it holds nothing but blanks"),
        (b"[]", "it is JSON, but no object: a list"),
        (b'{"a": Infinity}', "it is not JSON: a number is none"),
        (b'{"a": "\xff"}', "it is not UTF-8 at byte 7"),
        (b'{"a": 1', "it is not JSON: it breaks at line 1 column 8"),
        (b"\xef\xbb\xbf{}", ""),
    ],
)
def test_json_is_what_claude_takes_for_it(text: bytes, trouble: str) -> None:
    assert parsed(text)[0] == trouble


def test_json_that_we_cannot_read_is_not_called_broken() -> None:
    for text in (b'{"a":' * 100_000, b'{"a": %s}' % (b"9" * 5000)):
        with pytest.raises(CannotTell):
            parsed(text)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world", "own")
    yield made
    made.close()


def seen(world: World) -> ClaudeDocker:
    keys = {name: list(v) if isinstance(v, tuple) else v for name, v in world.settings().items()}
    configuration = shipped(ROOT / "healthchecks" / "systems.toml")
    found = find(configuration.lay_over({"claude_docker": keys}, "test"), "claude_docker", Host())
    assert isinstance(found, ClaudeDocker)
    return found


def test_the_keychain_answers_in_hexadecimal_too(world: World) -> None:
    text = json.dumps({"claudeAiOauth": {"accessToken": "ünlike plain text"}})
    world.login.keychain({"Claude Code-credentials": text.encode().hex()})
    held = keychain.held(seen(world), Host(), "me", "Claude Code-credentials")
    assert held is not None
    assert held.reveal() == text
    assert "ünlike" not in repr(held)


def test_another_folder_has_an_item_of_its_own(world: World) -> None:
    world.change(config_dir=str(world.folder / "moved"))
    first = keychain.service_names(seen(world))[0]
    assert first.startswith("Claude Code-credentials-")
    assert len(first) == len("Claude Code-credentials-") + 8


def test_a_mark_before_the_credentials_is_what_claude_stumbles_over(world: World) -> None:
    credentials = world.login.credentials
    credentials.write_bytes(b"\xef\xbb\xbf" + credentials.read_bytes())
    found = _access(seen(world), Filesystem(Host()), Host())
    assert not found.logins
    assert "byte order mark" in found.without[0]


@pytest.mark.parametrize("whose", ["ours", "another's"])
def test_a_running_claude_is_ended_before_its_configuration_is_replaced(
    world: World, whose: str
) -> None:
    world.login.safety_copy()
    world.config_file.write_bytes(b'{"cut')
    look = vars(broken_configuration)["__probe__"].function
    home = world.folder if whose == "ours" else world.folder.parent
    process = subprocess.Popen(["claude", "60"], executable="/bin/sleep", env={"HOME": str(home)})
    try:
        found = look(seen(world), Filesystem(Host()), Processes(Host()))[0]
    finally:
        process.kill()
        process.wait()
    assert found.copy
    assert found.busy == (process.pid if whose == "ours" else 0)
    assert ("end it first" in str(found)) == (whose == "ours")
    assert bool([*bring_back_the_newest_copy((found,))]) == (whose != "ours")


def test_a_link_in_a_circle_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    found = document(Filesystem(Host()), str(tmp_path / "a"))
    assert found is not None
    assert found.trouble == "it is a link, no file"


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("/home/me/x", "/workspace/x"),
        ("/Users/My Name/x y", "/workspace/x y"),
        ("/home/me", "/workspace"),
        ("--dir=/home/me/x", "--dir=/workspace/x"),
        ("/home/me/a:/home/you/b:/usr/bin", "/workspace/a:/workspace/b:/usr/bin"),
        ("file:///Users/me/x", "file:///workspace/x"),
        ("/home//x", "/home//x"),
        ("/homeless/x", "/homeless/x"),
        ("/opt/home/me/x", "/opt/home/me/x"),
        ("https://example.net/home/me/", "https://example.net/home/me/"),
        ("git@example.net:/home/git/x", "git@example.net:/home/git/x"),
        ("/workspace/x", "/workspace/x"),
    ],
)
def test_paths_of_the_host_become_the_containers(text: str, rewritten: str) -> None:
    assert changed(text, inward(text, WORKSPACE)) == rewritten
    assert not inward(rewritten, WORKSPACE)


VALUES = (
    *(
        "/home/me/x",
        "/home/home/home/home/c",
        "/Users/My Name/é",
        "a:/home/b:/home/c/d",
        "/home/me",
    ),
    *('/home/me/"|&[x]*.$^\\', "/home/ü/\n\t", "none", "", "/home/me/\ud800", "\x00/home/me/\x7f"),
    *("--a=/home/me/ /home/me/", "'/home/me/'", "/home/a|b/", "/home/$(x)/`y`", "{}[],:/home/me/"),
)
KEYS = ("/home/me/x", 'say "/home/me/x"', "args", "é")


def configured(chance: random.Random) -> dict[str, Any]:
    """Return a configuration with servers in all scopes and things beside that must stay."""

    def server() -> dict[str, Any]:
        texts = [chance.choice(VALUES) for _ in range(chance.randint(0, 5))]
        variables = {key: chance.choice(VALUES) for key in KEYS}
        return {"args": [*texts, 1.50, None], "command": chance.choice(VALUES), "env": variables}

    return {
        "mcp": {"servers": {key: server() for key in KEYS}, "other": list(VALUES)},
        "big": 123456789012345678901234567890,
        "mcpServers": {"s": server(), "docker": server() | {"command": "/usr/bin/docker"}},
        "projects": {key: {"mcpServers": {"p": server()}, "history": VALUES} for key in KEYS},
    }


def expected(value: Any, here: tuple[str, ...] = ()) -> Any:
    """Return what rewriting must make of a configuration, by another way than by its text."""
    if isinstance(value, dict):
        if value.get("command") == "/usr/bin/docker":
            return value
        return {key: expected(one, (*here, key)) for key, one in value.items()}
    if isinstance(value, list):
        return [expected(one, (*here, "0")) for one in value]
    scope = here[2:] if here[:1] == ("projects",) else here
    inside = scope[:1] == ("mcpServers",) or here[:2] == ("mcp", "servers")
    part = scope[2:] if scope[:1] == ("mcpServers",) else here[3:]
    if isinstance(value, str) and inside and part[:1] in {("args",), ("command",), ("env",)}:
        return changed(value, inward(value, WORKSPACE))
    return value


@pytest.mark.parametrize("seed", range(24))
def test_only_the_words_change_and_a_shell_does_the_same(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    value = configured(chance)
    indent, plain = chance.choice([None, 1]), chance.choice([True, False])
    written = json.dumps(value, indent=indent, ensure_ascii=plain).encode("utf-8", "replace")
    text = written.replace(b"1.5,", b"1.50,")
    trouble, held = parsed(text)
    assert not trouble
    file, other = tmp_path / "file.json", tmp_path / "other.json"
    file.write_bytes(text)
    other.write_bytes(text)
    step = rewriting(file)
    step.take(Hands(Host(), (str(tmp_path),), str(tmp_path / "slot")))
    assert json.loads(file.read_bytes()) == expected(held)
    assert file.read_bytes().count(b"1.50,") == text.count(b"1.50,")
    typed = Substitute(str(other), step.words, 0o600)
    subprocess.run(["bash", "-euc", str(typed)], check=True, timeout=20)
    assert other.read_bytes() == file.read_bytes()


def rewriting(file: Path) -> Substitute:
    """Return the step that rewrites a configuration's paths."""
    found: Document | None = document(Filesystem(Host()), str(file))
    assert found is not None
    words: list[Word] = []
    for one in spelled(found):
        changes = inward(one.literal.value, WORKSPACE)
        words += words_for(found.text, one.literal, changes) if changes else ()
    return Substitute(str(file), tuple(words), 0o600, seen=found.entry.identity)


def test_words_are_refused_where_something_else_stands(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"one two")
    step = Substitute(str(file), (Word.at(4, b"three", b"four", b"one three"),), 0o600)
    with pytest.raises(Refusal, match="changed since"):
        step.take(Hands(Host(), (str(tmp_path),), str(tmp_path / "slot")))
    assert file.read_bytes() == b"one two"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file"]


def test_a_difference_shows_the_words_alone(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b'secret\n"/home/me/x", secret')
    step = Substitute(str(file), (Word.at(8, b"/home/me/", b"/w/", file.read_bytes()),), 0o600)
    lines = step.difference(Hands(Host(), (str(tmp_path),), str(tmp_path / "slot")))
    assert lines[2:] == ("@@ line 2, a part of it @@", "-/home/me/", "+/w/")
    assert "secret" not in str(step) + step.brief + repr(step) + "".join(lines)
