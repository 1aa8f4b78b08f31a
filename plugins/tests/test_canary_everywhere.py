"""Secrets planted in every place of both systems show in nothing that any command writes.

Containers of a real engine, conversations and their copies, logs, backups, the launcher and the
state of the monitor; and what looks, cures, takes back, watches, finds, recovers and crashes.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from healthchecks.claude_docker.world import World as Kit
from healthchecks.crash_protection.world import World as Talks
from healthchecks.crash_protection.world_conversations import SESSIONS, message
from plugins.proofs import lacking
from plugins.tests.runs import ROOT, Look, suite
from plugins.tests.test_canary import AWS, CRASH, SECRETS, WORD

SYSTEMS = ("claude_docker", "crash_protection")
ONE_LINE = [secret for secret in (*SECRETS.values(), AWS) if "\n" not in secret]
SPOKEN = " and ".join(ONE_LINE)
DOOMED = '''

@check(P3, guide="CP18", hint="Wait for it.")
def test_doom_is_told(doomed: int) -> None:
    """Doom is told.

    Somebody has to.
    """
    assert doomed
'''


@dataclass
class Planted:
    """Two worlds full of secrets, and the folder of the runs over them."""

    kit: Kit
    talks: Talks
    folder: Path

    def look(self, *options: str, before: tuple[str, ...] = (), root: Path = ROOT) -> Look:
        """Run the suite over both, into one folder, so that each run finds what others left."""
        tables = {"claude_docker": self.kit.settings(), "crash_protection": self.talks.settings()}
        systems = () if "--recover" in options else SYSTEMS
        more = {"OUR_TOKEN": SECRETS["anthropic"], "ANTHROPIC_API_KEY": f"plain-{WORD}-key"}
        look = suite(
            self.folder,
            tables,
            *options,
            systems=systems,
            before=before,
            env=more,
            limit=150.0,
            root=root,
        )
        assert_nothing_leaks(look)
        starts_a_monitor = {"--fix=unsafe", "--yes"} & {*options}
        assert starts_a_monitor or look.left == ()
        return look


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[Planted]:
    kit, talks = Kit(tmp_path / "kit"), Talks(tmp_path / "talks")
    kit.change(token_variables=["OUR_TOKEN", "ANTHROPIC_API_KEY"], run_mcp_servers=True)
    plant_in_configuration(kit)
    plant_in_logs(kit)
    plant_in_launcher(kit)
    plant_in_conversations(talks)
    plant_in_monitor(talks)
    try:
        if not lacking(("root", "dockerd", "docker", "busybox")):
            plant_in_containers(kit)
        yield Planted(kit, talks, tmp_path / "run")
    finally:
        kit.close()
        talks.close()


def plant_in_configuration(kit: Kit) -> None:
    """Plant in configuration and MCP servers, and in backups of both."""
    login = kit.login
    login.oauth |= {"accessToken": SECRETS["anthropic"], "refreshToken": f"{WORD}-refresh"}
    login.oauth["expiresAt"] = 1000
    login.settings["env"] = {"ANTHROPIC_API_KEY": f"{WORD}-in-settings"}
    login.serve("dead", command="sh", args=["-c", f"echo {SPOKEN!r} >&2; exit 3"])
    login.serve("keyed", command="/nowhere/serve", args=["--pat", WORD], env={"ODD": WORD})
    login.serve("staged", scope="guide", args=[f"/home/me/x?k={WORD}"], env={"ODD": WORD})
    login.write()
    login.credentials.chmod(0o644)
    kit.sync.stage()
    kit.sync.differ("CLAUDE.md", SPOKEN.encode(), f"not {SPOKEN}".encode())
    old = kit.backups.full(days=45, link=False)
    cut = old.with_name(f"{old.name}.tar.gz")
    cut.write_bytes(cut.read_bytes()[:-200])
    kit.sync.same_time("CLAUDE.md")
    kit.backups.full(days=3)
    for path in kit.backup_root.rglob("claude.json"):
        path.chmod(0o644)
    kit.backups.point(f"/nowhere/{SECRETS['anthropic']}\n")


def plant_in_logs(kit: Kit) -> None:
    """Plant in logs of events, metrics, errors and text, and where a line is broken."""
    for secret in (*SECRETS.values(), AWS):
        kit.logs.event("sync_failed", "ERROR", message=secret, api_key=WORD)
        kit.logs.event(f"failed {secret}", "critical")
        kit.logs.error(f"No space left on device {secret}")
    for secret in ONE_LINE:
        kit.logs.text(f"[ERROR] Authentication failed {secret}")
        kit.logs.raw(f'{{"rubbish": {secret}\n'.encode())


def plant_in_launcher(kit: Kit) -> None:
    """Plant in the options of a run that sets no limits, in a profile and in staging."""
    script = kit.sync.launcher.read_text("utf-8")
    given = f"--rm -e ANTHROPIC_AUTH_TOKEN={WORD}zzz -e 'ODD={SECRETS['anthropic']}'"
    bare = script.replace("--rm", given.removeprefix("--rm ")).replace("--memory 2g", "")
    kit.sync.launcher.write_text(bare, "utf-8")
    profile = f"export CLAUDE_DOCKER_DEBUG={WORD} ANTHROPIC_API_KEY={SECRETS['anthropic']}\n"
    (kit.folder / ".bashrc").write_text(profile, "utf-8")
    kit.servers.install(f"echo {SPOKEN!r} >&2; exit 1")
    kit.sync.locked(seconds_ago=7200.0)


def plant_in_containers(kit: Kit) -> None:
    """Plant in environment, labels, commands, health checks and output of real containers."""
    kit.containers.use()
    options = [word for secret in ONE_LINE for word in ("--env", f"ODD={secret}")]
    options += ["--env", f"ANTHROPIC_API_KEY={WORD}-plain", "--label", f"note={SPOKEN}"]
    probe = f"echo {SPOKEN!r}; exit 1"
    sick = ("--health-interval", "1s", "--health-retries", "1", "--health-cmd", probe)
    speak = ("sh", "-c", f"echo {SPOKEN!r}; sleep 3600")
    bare = ("--rm", "--memory", ":/workspace")
    kit.containers.session("claude-session-sick", leave=bare, add=(*options, *sick), command=speak)
    dead = kit.containers.engine.run("claude-session-dead", *options, command=("false", SPOKEN))
    kit.containers.engine.docker("wait", dead)
    kit.change(ended_session_hours=0.0)


def plant_in_conversations(talks: Talks) -> None:
    """Plant in what was said, first and last, in origins and copies, whole and broken."""
    lone = talks.conversations.origin("5ec7e700-0000-4000-8000-000000000000", b"")
    told = [message("s", number, secret) for number, secret in enumerate(SECRETS.values())]
    lone.write_bytes(b"".join([*told, message("s", 2, f"dashboard {SPOKEN}")]))
    talks.age(lone, 3600)
    talks.conversations.say(SESSIONS[0], f"the dashboard's key: {SPOKEN}")
    for folder in (talks.realtime, talks.saved, talks.crash_recovery):
        path = min(folder.glob("*.jsonl"))
        path.write_bytes(f'{{"type": "{SECRETS["anthropic"]}\n'.encode() + path.read_bytes())
        path.chmod(0o644)
    for path in talks.summaries():
        path.write_text(SPOKEN)
        talks.age(path, 90 * 86400)


def plant_in_monitor(talks: Talks) -> None:
    """Plant in the monitor's state, log and the unit that starts it."""
    talks.monitor.says(status=SECRETS["anthropic"], note=SPOKEN, monitor_pid=1)
    for secret in ONE_LINE:
        talks.monitor.line(f"[10:00:00] ERROR Failed to copy {secret}".encode())
        talks.monitor.line(f"Backup integrity check failed for {secret}".encode())
    unit = next(talks.monitor.units.glob("*.service"))
    unit.write_text(unit.read_text().replace("ExecStart=", f"Environment=T={WORD}\nExecStart="))


def assert_nothing_leaks(look: Look) -> None:
    """Assert it of all that runs left so far.

    What was moved aside, and the words by which conversations are found, are no output: they are
    what they are taken from, and readable by nobody else.
    """
    for name, text in look.artefacts().items():
        if name == "systems.toml" or re.match("state/.*/(quarantine|words)/", name):
            continue
        for word in (WORD, AWS):
            at = text.lower().find(word.lower())
            assert at < 0, f"{name}: {text[max(0, at - 300) : at + 60]}"
    assert "INTERNALERROR" not in look.terminal


def outcomes(look: Look) -> dict[str, str]:
    return {row["id"]: row["outcome"] for row in look.document["findings"]}


def test_what_looks_and_plans(planted: Planted) -> None:
    look = planted.look("-vv", "--tb=long", "--showlocals", "--deep", "--fix=plan")
    seen = outcomes(look)
    ill = {name.partition(".")[2] for name, outcome in seen.items() if outcome == "ill"}
    assert ill >= {
        "every_mcp_server_answers",
        "what_was_synchronised_is_the_same_on_both_sides",
        "the_claude_cli_works",
        "every_conversation_has_a_current_copy",
        "every_copy_can_be_read",
        "known_issue.no_space",
        "query.critical_events",
    }, sorted(ill)
    if not lacking(("root", "dockerd", "docker", "busybox")):
        assert ill >= {"no_session_fails", "running_sessions_are_limited"}, sorted(ill)


def test_what_cures_watches_finds_and_recovers(planted: Planted) -> None:
    planted.look("-n", "2", "-vv", "--fix=unsafe")
    planted.look("--undo")
    log = planted.folder / "state/agent-healthchecks/watch.log"
    for seconds in ("5", "30"):  # a machine that is busy may take long for the first round
        planted.look("--fix", "--watch", "0.3", before=("timeout", "--signal=TERM", seconds))
        if log.exists():
            break
    assert "the watch ended by SIGTERM" in log.read_text("utf-8")
    look = planted.look("--recover", "crash_protection.find", "--with", "text=dashboard")
    assert look.status == 0, look.terminal
    assert "dashboard" in look.terminal
    exported = planted.talks.folder / "out"
    exported.mkdir()
    planted.look("--recover", "crash_protection.export", "--yes", "--with", f"to={exported}")
    # What lies in copies/ is what the user had, to the byte.
    pages = [page for page in exported.rglob("*.md") if "copies" not in page.parts]
    assert pages
    for page in pages:
        assert WORD.lower() not in page.read_text("utf-8").lower(), page
    for procedure in ("crash_protection.recover", "claude_docker.reinstall"):
        planted.look("--recover", procedure, "--fix=plan")


def test_what_crashes(planted: Planted, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    ignored = shutil.ignore_patterns("__pycache__", "demo", ".git", "reports", ".*_cache", "docs")
    shutil.copytree(ROOT, root, ignore=ignored)
    folder = root / "healthchecks/crash_protection"
    with (folder / "conftest.py").open("a") as conftest:
        conftest.write("\nfrom healthchecks.crash_protection.system import CrashProtection\n")
        conftest.write("from plugins import probe\n")
        doomed = CRASH.replace("PocketAgent", "CrashProtection")
        conftest.write(doomed.format(secret=SECRETS["anthropic"] + " " + SECRETS["url"]))
    with (folder / "test_privacy.py").open("a") as checks:
        checks.write("\nfrom plugins import P3, check\n" + DOOMED)
    look = planted.look("-vv", "--tb=long", root=root)
    assert outcomes(look)["crash_protection.doom_is_told"] == "cannot_tell"
    assert "could not use ***" in json.dumps(look.document)
