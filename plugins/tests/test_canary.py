"""Secrets that are planted all over a world show in nothing that a run writes; names do show."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthchecks.pocket_agent.world import World
from plugins.tests.runs import CONTROLS, FORBIDDEN, QUICK, ROOT, Look, suite

# Each holds the word that is searched for; only a file's name may stand in the journal.
WORD = "cAnArY"
TOKEN = f"plain-{WORD}-token"
SECRETS = {
    "anthropic": f"sk-ant-api03-{WORD}AAAAAAAAAAAAAAAA",
    "bearer": f"Authorization: Bearer {WORD}.abcdef0123456789",
    "password": f"password={WORD}hunter2",
    "quoted": f"api_key: '{WORD} with spaces'",
    "url": f"https://user:{WORD}@example.net/repository",
    "pem": f"-----BEGIN PRIVATE KEY-----\n{WORD}MIIEvQ\n-----END PRIVATE KEY-----",
    "jwt": f"eyJhbGciOiJIUzI1NiJ9.{WORD}eyJzdWIiOiIxIn0.{WORD}abc",
    "github": f"ghp_{WORD}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "option": f"--api-key {WORD}secret",
    "cookie": f"Set-Cookie: session={WORD}",
    "environment": f"ANTHROPIC_AUTH_TOKEN={WORD}zzz",
}
AWS = "AKIACANARYCANARY1234"
FILE_NAME = "sk-ant-api03-pArRoTAAAAAAAA"
CRASH = '''

@probe
def doomed(system: PocketAgent) -> int:
    """Crashes with secrets in its message and its variables."""
    secret = {secret!r}
    raise RuntimeError(f"could not use {{secret}}")
'''
DOOMED = '''

@check(P3, guide="PA01", hint="Wait for it.")
def test_doom_is_told(doomed: int) -> None:
    """Doom is told.

    Somebody has to.
    """
    assert doomed
'''


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    made.environment = {
        "ANTHROPIC_API_KEY": SECRETS["anthropic"],
        "PA_LOG_LEVEL": SECRETS["password"],
        "PA_TRACE_ENABLED": f"{WORD}value",
    }
    plant_in_files(made)
    made.start(unhealthy=["disk"])
    plant_in_logs(made)
    plant_in_processes(made)
    made.configure(
        text=json.dumps(
            {
                "api_key": SECRETS["anthropic"],
                SECRETS["anthropic"]: 1,
                "log_level": SECRETS["password"],
                "tls_enabled": SECRETS["url"],
                "host": [SECRETS["bearer"]],
                "execution": {"auth_token": SECRETS["jwt"], "max_projects": SECRETS["pem"]},
            }
        ).encode()
    )
    made.change(server_name="agent.example", token_env="PROXY_TOKEN")
    yield made
    made.close()


def plant_in_files(world: World) -> None:
    for number, secret in enumerate((*SECRETS.values(), AWS)):
        world.project(path=f"/srv/{number}/{secret}", logs=False)
        world.project(f"p{number}", metadata={"id": secret, "created_at": secret}, logs=False)
    bad = "\n".join(SECRETS.values()).encode() + b"\n"
    world.message_log(0, b"{}\n" + bad, "messages_2026-01-01_00-00-00.jsonl")
    whole = world.metadata(1).read_bytes()
    held = json.loads(whole) | {"api_key": SECRETS["anthropic"], "note": SECRETS["password"]}
    world.metadata(1).with_name("metadata.json.backup").write_bytes(json.dumps(held).encode())
    world.metadata(1).write_bytes(whole[:40] + SECRETS["url"].encode())
    (world.data / "projects" / FILE_NAME).mkdir()
    left = world.metadata(0).with_name(f".tmp-{FILE_NAME}")
    left.write_text("".join(SECRETS.values()), "ascii")
    world.age(left, 3)
    world.certificate(names=(SECRETS["anthropic"].lower(), FILE_NAME.lower()))
    world.nginx_conf(
        "server { location ~ ^/ws|" + SECRETS["password"] + " {\n"
        f'proxy_set_header Authorization "Bearer {WORD}0123456789";\n'
        f"proxy_set_header X-Real-IP {SECRETS['anthropic']};\n"
        "proxy_pass http://localhost:$PORT; } }"
    )


def plant_in_logs(world: World) -> None:
    for _ in range(60):  # the value of a variable that the settings name, in no known shape
        world.log_line({"level": "ERROR", "msg": "Odd", "error": f"refused {TOKEN}"})
    # What is long is cut, and a cut must not leave the half of a secret that nobody recognises.
    for padding in range(90, 170, 5):
        error = "x" * padding + f" https://user:{WORD * 5}@example.net"
        world.log_line({"level": "ERROR", "msg": "Server error", "error": error})
    for secret in (*SECRETS.values(), AWS):
        for kind in ("Claude execution failed", "Server error", f"Said {secret}"):
            world.log_line({"level": "ERROR", "msg": kind, "error": secret})
        for line in secret.split("\n"):
            if "MIIEvQ" not in line:
                world.log_line(f"panic: {line}")
        asked = {"level": "ERROR", "msg": "Creating project", "path": f"/a/../{secret}"}
        world.log_line(asked | {"error": f"INVALID_PATH: path traversal in {secret}"})


def plant_in_processes(world: World) -> None:
    world.spawn_child(orphan=True)
    argv = [str(world.folder / "bin/claude"), *SECRETS["option"].split(), SECRETS["anthropic"]]
    world.change(execution_timeout=1, residue_seconds=0)
    with subprocess.Popen(
        [*argv, "-p"], stdin=subprocess.DEVNULL, env=os.environ | {"KEY": SECRETS["jwt"]}
    ):
        pass


def assert_nothing_leaks(look: Look) -> None:
    for name, text in look.artefacts().items():
        if (name.startswith("state/") and "/quarantine/" in name) or name == "systems.toml":
            continue
        for word in (WORD, AWS, "pArRoT"):
            # To take a step back, the journal has to know the names of the files.
            if word == "pArRoT" and "/journal/" in name:
                continue
            at = text.lower().find(word.lower())
            assert at < 0, f"{name}: {text[max(0, at - 300) : at + 60]}"
    assert "INTERNALERROR" not in look.terminal
    assert not CONTROLS.search(look.terminal)
    assert look.left == ()
    shown = json.dumps(look.document)
    for visible in ("api_key", "PA_LOG_LEVEL", "PA_TRACE_ENABLED", "execution.auth_token"):
        assert visible in shown, visible
    assert look.document["findings"]


@pytest.mark.parametrize(
    "options",
    [
        ("-v", "--tb=long", "--showlocals", "--fix=plan"),
        ("-vv", "--fix"),
        ("-n", "2", "-vv", "--tb=long", "--fix=unsafe"),
    ],
    ids=["plan", "fix", "workers"],
)
def test_no_secret_leaks(world: World, tmp_path: Path, options: tuple[str, ...]) -> None:
    tables = {"pocket_agent": world.settings() | QUICK}
    look = suite(tmp_path / "run", tables, *options, env={"PROXY_TOKEN": TOKEN})
    assert_nothing_leaks(look)
    assert look.document["exit_status"] == look.status == 10
    assert "60 x Odd: refused ***" in look.told("the_log_shows_few_errors")


def test_no_secret_leaks_from_a_crash(world: World, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    ignored = shutil.ignore_patterns("__pycache__", "demo", ".git", "reports", ".*_cache", "docs")
    shutil.copytree(ROOT, root, ignore=ignored)
    folder = root / "healthchecks/pocket_agent"
    with (folder / "conftest.py").open("a") as conftest:
        conftest.write("\nfrom healthchecks.pocket_agent.system import PocketAgent\n")
        conftest.write("from plugins import probe\n")
        conftest.write(CRASH.format(secret=SECRETS["anthropic"] + " " + SECRETS["url"]))
    with (folder / "test_port.py").open("a") as checks:
        checks.write("\nfrom plugins import P3, check\n" + DOOMED)
    tables = {"pocket_agent": world.settings() | QUICK}
    secret = {"PROXY_TOKEN": TOKEN}
    look = suite(tmp_path / "run", tables, "-vv", "--tb=long", env=secret, root=root)
    assert_nothing_leaks(look)
    told = look.told("doom_is_told")
    assert told.startswith("cannot_tell: ")
    assert "could not use ***" in told
    assert not [word for word in FORBIDDEN if word in told]
