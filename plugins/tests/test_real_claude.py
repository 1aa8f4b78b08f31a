"""What the checks say of Claude Code is what the real one does; it is never given a network."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from healthchecks.claude_docker import probes_login
from healthchecks.claude_docker.logins import Access, Login
from plugins.configuration import shipped
from plugins.endpoints.filesystem import Filesystem
from plugins.hosts import Host
from plugins.systems import find
from plugins.tests.npm import installed
from plugins.tests.runs import ROOT, Look, suite

# One process of pytest-xdist: it is 235 MB that are installed once.
pytestmark = pytest.mark.xdist_group("claude")
PACKAGE = "@anthropic-ai/claude-code@2.1.197"
SYSTEM = "claude_docker"
ILL = {"ill", "cannot_tell"}
# Nothing answers at this port: no network, at once.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="session")
def program(pytestconfig: pytest.Config) -> Path:
    modules = installed(pytestconfig, PACKAGE)
    (found,) = modules.glob("@anthropic-ai/claude-code-*/claude")
    return found


class Installation:
    """A home folder in which the real Claude Code is used."""

    def __init__(self, folder: Path, program: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.project = folder / "project"
        self.program = program
        self.config = self.home / ".claude" / "settings.json"
        self.home.mkdir()
        self.project.mkdir()

    def claude(self, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run it once, without a network."""
        own = {"HOME": str(self.home), "PATH": os.environ["PATH"], "DISABLE_AUTOUPDATER": "1"}
        own |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ANTHROPIC_BASE_URL"), NOWHERE)
        return subprocess.run(
            [str(self.program), *args],
            check=False,
            cwd=self.project,
            env=own | {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"} | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def used(self) -> None:
        """Use it as somebody does who has just installed it."""
        assert self.claude("--version").returncode == 0
        assert "No MCP servers" in self.claude("mcp", "list").stdout
        assert "login" in self.claude("-p", "hi").stdout

    def put(self, name: str, value: object) -> Path:
        """Write a file of JSON in the home folder, private."""
        path = self.home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(value), "utf-8")
        path.chmod(0o600)
        return path

    def looked(self, *options: str) -> Look:
        """Let the checks look at it, as they look at a machine that nobody told them of."""
        here: dict[str, object] = {"home": str(self.home)}
        own = {"claude": str(self.program), "token_variables": [], "managed_settings": []}
        tables = {SYSTEM: here | own, "crash_protection": here}
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        target = f"healthchecks/{SYSTEM}"
        return suite(folder, tables, *options, systems=(), target=target)


@pytest.fixture
def installation(tmp_path: Path, program: Path) -> Installation:
    return Installation(tmp_path, program)


def oauth(**more: object) -> dict[str, Any]:
    """Return what a login leaves in .credentials.json."""
    held = {
        "accessToken": "sk-ant-oat01-no-token-at-all",
        "refreshToken": "sk-ant-ort01-no-token-at-all",
        "expiresAt": int(time.time() * 1000) + 8 * 3_600_000,
        "scopes": ["user:inference"],
    }
    return {"claudeAiOauth": held | more}


def sick(look: Look, system: str = SYSTEM) -> list[str]:
    """Return the ids of a system's checks that are ill, or cannot tell."""
    rows = look.document["findings"]
    return [
        f"{r['id']}: {r['message']}" for r in rows if r["system"] == system and r["outcome"] in ILL
    ]


def test_a_fresh_installation_is_healthy(installation: Installation) -> None:
    installation.used()
    look = installation.looked("healthchecks/crash_protection")
    assert not sick(look)
    assert not sick(look, "crash_protection")
    assert look.status == 0, look.terminal
    rows = {row["id"]: row["outcome"] for row in look.document["findings"]}
    assert rows[f"{SYSTEM}.claude_can_log_in"] == "absent"
    assert rows[f"{SYSTEM}.the_claude_configuration_is_whole"] == "healthy"


def test_an_installation_that_is_logged_in_is_healthy(installation: Installation) -> None:
    installation.put(".claude/.credentials.json", oauth())
    assert installation.claude("auth", "status").returncode == 0
    installation.claude("mcp", "add", "--scope", "user", "notes", "--", "true")
    look = installation.looked()
    assert not sick(look)
    row = look.row(f"{SYSTEM}.claude_can_log_in")
    assert row["outcome"] == "healthy"


def logins_seen(there: Installation) -> tuple[Login, ...]:
    """Return what the probe sees that lets Claude in."""
    over = {"home": str(there.home), "token_variables": [], "managed_settings": []}
    configuration = shipped(ROOT / "healthchecks" / "systems.toml")
    host = Host()
    found = find(configuration.lay_over({SYSTEM: over}, "test"), SYSTEM, host)
    look = probes_login.access.__probe__.function  # type: ignore[attr-defined]
    seen: Access = look(found, Filesystem(host), host)
    return seen.logins


def by_credentials(there: Installation) -> None:
    there.put(".claude/.credentials.json", oauth())


def by_an_expired_login(there: Installation) -> None:
    there.put(".claude/.credentials.json", oauth(expiresAt=1000))


def by_the_guides_place(there: Installation) -> None:
    there.put(".claude.json", {"oauthAccount": {"emailAddress": "me@example.invalid"}} | oauth())


def by_a_managed_key(there: Installation) -> None:
    there.put(".claude.json", {"primaryApiKey": "sk-ant-api03-no-key-at-all"})


def by_a_helper(there: Installation) -> None:
    there.put(".claude/settings.json", {"apiKeyHelper": "echo sk-ant-api03-no-key-at-all"})


def by_another_provider(there: Installation) -> None:
    there.put(".claude/settings.json", {"env": {"CLAUDE_CODE_USE_BEDROCK": "1"}})


def by_nothing(there: Installation) -> None:
    there.put(".claude.json", {"oauthAccount": {"emailAddress": "me@example.invalid"}})


def by_no_token(there: Installation) -> None:
    there.put(".claude/.credentials.json", oauth(accessToken=""))


@pytest.mark.parametrize(
    "login",
    [
        by_credentials,
        by_an_expired_login,
        by_the_guides_place,
        by_a_managed_key,
        by_a_helper,
        by_another_provider,
        by_nothing,
        by_no_token,
    ],
)
def test_what_logs_claude_in(
    installation: Installation, login: Callable[[Installation], None]
) -> None:
    login(installation)
    said = json.loads(installation.claude("auth", "status").stdout)
    assert said["loggedIn"] is any(one.read for one in logins_seen(installation))


def test_a_configuration_that_was_brought_back_is_accepted(installation: Installation) -> None:
    installation.put(".claude/.credentials.json", oauth())
    installation.put(".claude.json", {"mcpServers": {"first": {"command": "true", "args": []}}})
    installation.claude("mcp", "add", "--scope", "user", "second", "--", "true")
    file = installation.home / ".claude.json"
    file.write_bytes(file.read_bytes()[:120])
    look = installation.looked("--fix", "-k", "test_configuration.py")
    assert look.row(f"{SYSTEM}.the_claude_configuration_is_whole")["outcome"] == "fixed"
    assert file.stat().st_mode & 0o777 == 0o600
    told = installation.claude("mcp", "get", "first")
    assert told.returncode == 0, told
    assert "corrupted" not in told.stdout + told.stderr
    assert not list(installation.home.rglob("*.corrupted.*"))


def test_a_configuration_that_breaks_is_told_of_before_and_after(
    installation: Installation,
) -> None:
    installation.used()
    (installation.home / ".claude.json").write_bytes(b"")
    installation.claude("mcp", "list")
    look = installation.looked()
    rows = {row["id"]: row["outcome"] for row in look.document["findings"]}
    assert rows[f"{SYSTEM}.the_configuration_has_not_broken_lately"] == "ill"


def test_servers_in_the_guides_place_are_not_read(installation: Installation) -> None:
    servers = {"servers": {"notes": {"command": "true", "args": []}}}
    installation.put(".claude.json", {"mcp": servers})
    assert "No MCP servers" in installation.claude("mcp", "list").stdout
    look = installation.looked("-k", "test_paths.py")
    assert look.row(f"{SYSTEM}.mcp_servers_stand_where_claude_reads_them")["outcome"] == "ill"
