"""MCP servers: real ones are understood, bad ones are named, and nothing of any of them is left."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plugins.endpoints.mcp import Mcp, Spoken
from plugins.hosts import Host
from plugins.outcomes import NotThere, ToolMissing
from plugins.worlds.mcp_programs import BEHAVIOURS, SERVE, SERVER

PACKAGE = "@modelcontextprotocol/server-filesystem"


def speak(
    folder: Path, behaviour: str, env: dict[str, str] | None = None, deadline: float = 10.0
) -> Spoken:
    script = folder / "server.py"
    script.write_text(f"{SERVER}\n{BEHAVIOURS.get(behaviour, behaviour)}\n{SERVE}")
    words = (sys.executable, str(script), str(folder))
    return Mcp(Host()).speak(words, env or {}, str(folder), deadline=deadline)


def left(folder: Path) -> list[str]:
    """Return the processes whose command names the folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in words and place.parent.name != str(os.getpid()):
            found.append(words.decode())
    return found


@pytest.mark.parametrize(
    ("behaviour", "noise"), [("good", 0), ("noisy", 4), ("curious", 0), ("early", 0)]
)
def test_a_good_server_is_understood(tmp_path: Path, behaviour: str, noise: int) -> None:
    spoken = speak(tmp_path, behaviour, deadline=10.0)
    assert (spoken.trouble, spoken.tools, spoken.noise) == ("", 1, noise)
    assert not left(tmp_path)


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("mute", "it does not answer initialize within 0.6 s"),
        ("deaf", "it does not answer initialize within 0.6 s"),
        ("dead", "it ends (status 1) before it answers initialize; it says: password=***"),
        ("moduleless", "it says: Error: Cannot find module '/srv/index.js'"),
        ("flooding", "it prints over 16 MiB and no answer to initialize"),
        ("flooding_lines", "it prints over 16 MiB and no answer to initialize"),
        ("complaining", "it does not answer initialize within 0.6 s"),
        ("refusing", "it refuses to initialize: Unsupported protocol version"),
        ("leaving_a_child", "it ends (status 3) before it answers initialize"),
        ("closing", "it closes its output before it answers initialize"),
        ("odd", "it refuses to initialize: its answer is no result"),
        ("answer(json.loads(sys.stdin.readline())); sys.exit(4)", "before it answers tools/list"),
        ("os.kill(os.getpid(), 9)", "it ends (signal 9)"),
        ("sys.stdin.close(); time.sleep(60)", "it does not answer initialize within 0.6 s"),
        ("print('[' * 100_000, flush=True); sys.exit(5)", "it ends (status 5)"),
        ("toolless", "it does not tell its tools: no \\x1b[31m key"),
    ],
)
def test_a_bad_server_is_named_in_time(tmp_path: Path, behaviour: str, said: str) -> None:
    began = time.monotonic()
    spoken = speak(tmp_path, behaviour, deadline=0.6 if "0.6 s" in said else 10.0)
    assert said in spoken.trouble
    assert time.monotonic() - began < 8.0
    assert "\x1b" not in spoken.trouble
    assert not left(tmp_path)


def test_a_server_without_tools_need_not_know_the_question(tmp_path: Path) -> None:
    server = (
        "asked = json.loads(sys.stdin.readline())\n"
        "say(id=1, result={'protocolVersion': '2024-11-05', 'capabilities': {'prompts': {}}})\n"
        "for line in sys.stdin: say(id=2, error={'code': -32601, 'message': 'Method not found'})"
    )
    assert speak(tmp_path, server).trouble == ""


def test_what_it_says_holds_no_value_of_its_environment(tmp_path: Path) -> None:
    secret = "entirely-plain-words"
    spoken = speak(tmp_path, "sys.exit('bad key ' + os.environ['MY_KEY'])", {"MY_KEY": secret})
    assert "it says: bad key ***" in spoken.trouble
    assert secret not in repr(spoken)


def test_a_flood_leaves_our_memory_alone(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    speak(tmp_path, "flooding")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


def test_what_cannot_be_started_is_said(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing):
        Mcp(Host()).speak(("no-such-program",), {}, str(tmp_path))
    with pytest.raises(NotThere):
        Mcp(Host()).speak(("sh",), {}, str(tmp_path / "gone"))
    with pytest.raises(ToolMissing, match="on this machine"):
        Mcp(Host("ssh://me@box")).speak(("sh",), {}, "/")


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the published server once, as a person would; its command."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("npm")
    words = [npm, "install", "--no-audit", "--no-fund", "--prefer-offline"]
    words += ["--fetch-retries=1", PACKAGE]
    subprocess.run(words, cwd=folder, check=True, capture_output=True, timeout=120)
    return folder / "node_modules" / ".bin" / "mcp-server-filesystem"


def test_the_published_server_answers(published: Path, tmp_path: Path) -> None:
    look = Mcp(Host())
    words = (str(published), str(tmp_path))
    spoken = look.speak(words, {}, str(tmp_path), deadline=20.0)
    assert spoken.trouble == ""
    assert spoken.tools > 5
    # Without a folder among its arguments it lives on the roots that we tell it when it asks.
    assert look.speak(words[:1], {}, str(tmp_path), deadline=20.0).trouble == ""
    assert not left(published)


def test_the_published_server_tells_what_it_lacks(published: Path, tmp_path: Path) -> None:
    look = Mcp(Host())
    gone = look.speak((str(published), str(tmp_path / "gone")), {}, str(tmp_path), deadline=20.0)
    assert "it ends (status 1) before it answers initialize" in gone.trouble
    copied = tmp_path / "index.js"
    copied.write_bytes(published.resolve().read_bytes())
    (tmp_path / "package.json").write_text('{"type": "module"}')
    alone = look.speak(("node", str(copied), str(tmp_path)), {}, str(tmp_path), deadline=20.0)
    assert "Cannot find package" in alone.trouble
