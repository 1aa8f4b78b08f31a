"""Secrets planted in every place of dgmo and portagent show in nothing that any command writes.

Sessions, indexes, configuration, MCP entries, logs, databases, the server's environment, its
variables' files, its page, what a container was made with and printed; and what looks, plans,
cures, takes back and recovers.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from healthchecks.dgmo.world import World as Store
from healthchecks.portagent.world import World as Portal
from plugins.proofs import lacking
from plugins.tests.runs import ROOT, Look, suite
from plugins.tests.test_canary import AWS, CRASH, SECRETS, WORD

SYSTEMS = ("dgmo", "portagent")
ONE_LINE = [secret for secret in (*SECRETS.values(), AWS) if "\n" not in secret]
SPOKEN = " and ".join(ONE_LINE)
NAME = f"sk-ant-api03-{WORD}AAAAAAAA"
# A password that has no shape of its own: only who holds it can mask it.
PLAIN = f"correct-horse-{WORD}"
DOOMED = '''

@check(P3, guide="PT28", hint="Wait for it.")
def test_doom_is_told(doomed: int) -> None:
    """Doom is told.

    Somebody has to.
    """
    assert doomed
'''


@dataclass
class Planted:
    """Two worlds full of secrets, and the folder of the runs over them."""

    store: Store
    portal: Portal
    folder: Path

    def look(self, *options: str, root: Path = ROOT) -> Look:
        """Run the suite over both, into one folder, so that each run finds what others left."""
        tables = {"dgmo": self.store.settings(), "portagent": self.portal.settings()}
        systems = () if "--recover" in options else SYSTEMS
        more = {
            "PORTAGENT_TEST_TOKEN": SECRETS["jwt"],
            "LLM_PROVIDER_KEY": f"plain-{WORD}-key",
            "QDRANT_API_KEY": PLAIN,
        }
        look = suite(
            self.folder, tables, *options, systems=systems, env=more, root=root, limit=150.0
        )
        assert_nothing_leaks(look)
        return look


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[Planted]:
    store, portal = Store(tmp_path / "store"), Portal(tmp_path / "portal")
    try:
        plant_in_sessions(store)
        plant_in_configuration(store)
        plant_in_portal(portal)
        plant_in_logs(store, portal)
        yield Planted(store, portal, tmp_path / "run")
    finally:
        store.close()
        portal.close()


def plant_in_sessions(store: Store) -> None:
    """Plant in sessions, messages, records and indexes, whole and broken, and in names."""
    sessions = store.sessions
    for secret in (*SECRETS.values(), AWS):
        parent = sessions.session(secret)
        child = sessions.sub_session(parent, status="running", hours=40, summary=secret)
        sessions.message(parent, "msg_2", secret)
        sessions.write(sessions.index(parent), [child, secret, secret])
        broken = sessions.info(sessions.session("cut"))
        broken.write_bytes(f'{{"title": "{secret}'.encode())
    odd = sessions.session("odd")
    sessions.change(sessions.info(odd), id=SECRETS["anthropic"], parentID=SECRETS["url"])
    latin = sessions.message(odd, "msg_3")
    latin.write_bytes(f'{{"text": "caf\xe9 {SECRETS["anthropic"]}"}}'.encode("latin-1"))
    sessions.write(sessions.folder / "info" / f"{odd}.json.conflict-{NAME}", b"{}")


def plant_in_configuration(store: Store) -> None:
    """Plant in configuration and memory entries, and in the answers of a Qdrant that has a key."""
    files = store.files
    faults = store.memory.stand_in(key=PLAIN)
    faults.optimizer = f"cannot reach https://u:{WORD}@storage.example/, api_key={WORD}"
    store.change(qdrant_key_env="QDRANT_API_KEY")
    url = store.memory.url.replace("http://", f"http://me:{WORD}@")
    files.serve_as(
        "memory",
        type="local",
        command=["uvx", "mcp-server-qdrant", "--token", PLAIN],
        environment={"QDRANT_URL": url, "QDRANT_API_KEY": PLAIN, "COLLECTION_NAME": "Other"},
    )
    files.project("dgmo.json", f'{{"provider": {{"key": "{SECRETS["anthropic"]}')
    files.lock(SPOKEN)
    old = files.backup(hours=200)
    files.cut(old)


def plant_in_portal(portal: Portal) -> None:
    """Plant in the environment, command, files and databases of a server that runs."""
    portal.server.environment |= {
        "LLM_PROVIDER_KEY": SECRETS["anthropic"],
        "JWT_SECRET": f"{WORD}-signs",
        "INVITE_CODE_REQUIRED": SECRETS["password"],
        "LOG_LEVEL": SECRETS["environment"],
        "HTTPS_PROXY": f"http://me:{PLAIN}@127.0.0.1:9",
    }
    portal.databases.user(SECRETS["anthropic"], active=False, password_hash=SECRETS["password"])
    portal.databases.entry("messages:first", f'[{{"content": "{SECRETS["anthropic"]}')
    portal.databases.entry(f"images:{SECRETS['anthropic']}", {"note": SPOKEN})
    (portal.server.app / ".env").write_text(f"JWT_SECRET={WORD}\nODD={SPOKEN}\n", "utf-8")
    (portal.server.app / ".env").chmod(0o644)
    page = portal.server.public / "index.html"
    script = f"<script src='/assets/{SECRETS['github']}.js?token={WORD}'></script>"
    page.write_text(page.read_text("utf-8").replace("</head>", f"{script}</head>"), "utf-8")
    portal.change(provider_ask=True, provider_url=f"http://me:{PLAIN}@127.0.0.1:9/?key={WORD}")
    portal.change(idle_timeout=1.0, idle_slack=1.0)
    portal.server.start(api_key=SECRETS["anthropic"])
    portal.databases.break_page("queue", "queue_entries")


def plant_in_logs(store: Store, portal: Portal) -> None:
    """Plant where known issues show, in records over several lines too."""
    for secret in ONE_LINE:
        store.log_line(f"ERROR MCP server {secret} failed to start {secret}".encode())
        store.log.script_line(f"ENOSPC: no space left on device, {secret}".encode())
        inner = (f"text: '{secret}'", f"error: 'SQLITE_FULL {secret}'")
        portal.log.record("ERR", "runtime/Session", f"Failed to persist message {secret}", *inner)


def assert_nothing_leaks(look: Look) -> None:
    """Assert it of all that runs left so far; what was moved aside is what it was.

    To take a step back, and to find a file again, the journal and what is kept between runs have
    to know the files' names.
    """
    for name, text in look.artefacts().items():
        if name == "systems.toml" or re.match("state/.*/quarantine/", name):
            continue
        knows_names = re.match("state/.*/(journal|cursors)/", name)
        said = text.replace(NAME, "") if knows_names else text
        for word in (WORD, AWS):
            at = said.lower().find(word.lower())
            assert at < 0, f"{name}: {said[max(0, at - 300) : at + 60]}"
    assert "INTERNALERROR" not in look.terminal


def ill(look: Look) -> set[str]:
    """Return the checks that are ill."""
    return {row["id"] for row in look.document["findings"] if row["outcome"] == "ill"}


def test_what_looks_and_plans(planted: Planted) -> None:
    look = planted.look("-vv", "--tb=long", "--showlocals", "--deep", "--fix=plan")
    assert ill(look) >= {
        "dgmo.every_session_can_be_read",
        "dgmo.every_index_is_a_list_of_ids",
        "dgmo.no_sub_session_is_stuck",
        "dgmo.files_are_utf_8",
        "dgmo.the_collection_is_green",
        "dgmo.known_issue.mcp_not_started",
        "portagent.its_env_files_are_private",
        "portagent.no_secret_is_on_its_command_line",
        "portagent.the_provider_can_be_reached",
        "portagent.tokens_are_accepted",
        "portagent.its_databases_are_whole",
        "portagent.known_issue.message_not_saved",
    }, sorted(ill(look))


def test_what_cures_and_recovers(planted: Planted) -> None:
    planted.look("-n", "2", "-vv", "--fix=unsafe")
    planted.look("--undo")
    for procedure in ("dgmo.recover_sessions", "dgmo.rebuild_indexes"):
        planted.look("--recover", procedure, "--fix=plan")
    recover = ("--recover", "portagent.recover_database", "--with", "database=queue")
    planted.look(*recover, "--fix=plan")


@pytest.mark.skipif(
    bool(lacking(("root", "dockerd", "docker", "busybox"))), reason="needs a Docker engine"
)
def test_what_a_container_was_made_with(tmp_path: Path) -> None:
    store, portal = Store(tmp_path / "store"), Portal(tmp_path / "portal")
    try:
        options = [word for one in ONE_LINE for word in ("--env", f"ODD={one}")]
        options += ["--label", f"note={SPOKEN}", "--env", f"DATABASE_PASSWORD={PLAIN}"]
        said = f"echo {SPOKEN!r}; echo '  API Key: {SECRETS['anthropic'][:15]}...'; exit 3"
        portal.containers.run(
            *options, script=said, key=SECRETS["anthropic"], secret=f"{WORD}-signs"
        )
        look = Planted(store, portal, tmp_path / "run").look("-vv", "--tb=long", "--fix=plan")
        assert "portagent.its_container_stays_up" in ill(look)
    finally:
        store.close()
        portal.close()


def test_what_crashes(planted: Planted, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    ignored = shutil.ignore_patterns("__pycache__", "demo", ".git", "reports", ".*_cache", "docs")
    shutil.copytree(ROOT, root, ignore=ignored)
    folder = root / "healthchecks/portagent"
    with (folder / "conftest.py").open("a") as conftest:
        conftest.write("\nfrom healthchecks.portagent.system import Portagent\n")
        conftest.write("from plugins import probe\n")
        doomed = CRASH.replace("PocketAgent", "Portagent")
        conftest.write(doomed.format(secret=SECRETS["anthropic"] + " " + SECRETS["url"]))
    with (folder / "test_server.py").open("a") as checks:
        checks.write("\nfrom plugins import P3, check\n" + DOOMED)
    look = planted.look("-vv", "--tb=long", root=root)
    told = look.row("portagent.doom_is_told")
    assert told["outcome"] == "cannot_tell"
    assert "could not use ***" in told["message"]
