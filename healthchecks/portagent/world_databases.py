"""The three SQLite databases of a world: whole and in use by nobody, until a method breaks them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from healthchecks.portagent.world_database_backups import Backups
from healthchecks.portagent.world_database_schemas import JOURNALS, SCHEMAS, opened

if TYPE_CHECKING:
    from healthchecks.portagent.world import World

HASH = "$2b$10$im02.73QQ2h4LR8.R9xLsOnFPIsdHIDk5LdMkXbIBbMZqgtXSwWcO"
DAY = 86_400_000  # ms
# Programs that stand beside the server; each says a word when it is as it should be.
_OPENED = """
import sqlite3, sys
path, mode, sql = sys.argv[1:4]
connection = sqlite3.connect(f"file:{path}?mode={mode}", uri=True, isolation_level=None)
connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
for statement in sql.split("; "):
    connection.execute(statement).fetchone()
print("ready", flush=True)
sys.stdin.read()
"""
_KILLED = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 5")
connection.execute("BEGIN IMMEDIATE")
for number in range(2000):
    connection.execute(sys.argv[2], (f"half-{number}", "x" * 400, 1, 1))
os.kill(os.getpid(), signal.SIGKILL)
"""
_LOGGED = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA wal_autocheckpoint = 0")
connection.execute("BEGIN")
for number in range(int(sys.argv[2])):
    row = (f"wal-{number}", "global", "x" * 1_000_000, 1)
    connection.execute("INSERT INTO queue_entries VALUES (NULL, ?, ?, ?, ?)", row)
connection.execute("COMMIT")
print("ready", flush=True)
sys.stdin.read()
os.kill(os.getpid(), signal.SIGKILL)
"""
_HALVES = {
    "portagent": "INSERT INTO users VALUES (?1, ?1, ?1, ?2, ?1, NULL, NULL, 1, ?3, ?4)",
    "agentx": "INSERT INTO kv_storage VALUES (?, ?, ?, ?)",
    "queue": "INSERT INTO queue_entries (cursor, topic, event, timestamp) VALUES (?1, ?2, ?3, ?4)",
}


class Databases:
    """The three SQLite databases of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._running: list[subprocess.Popen[bytes]] = []
        self.folder = world.data_dir / "data"
        self.backups = Backups(world, self)

    def build(self) -> None:
        """Make them as a healthy host has them, with a backup of an hour ago."""
        self._world.change(backups=[str(self.backups.folder)])
        if self._world.generation != 1:
            self._successors()
            return
        for name in SCHEMAS:
            opened(self.path(name), name).close()
        self.user("alice")
        self.session("first")
        self.messages("first", count=2, days=0.1)
        with closing(self.open("queue")) as connection:
            for number in range(3):
                row = (f"mwotdvs9-000{number}", "global", '{"type":"container_created"}', self.now)
                connection.execute("INSERT INTO queue_entries VALUES (NULL, ?, ?, ?, ?)", row)
        self.backups.folder.mkdir(parents=True, mode=0o700)
        self.backups.take(hours=1.0)

    def close(self) -> None:
        """End its processes."""
        for process in self._running:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
        self._running.clear()

    @property
    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(time.time() * 1000)

    def path(self, name: str) -> Path:
        """Give the path of "portagent", "agentx" or "queue"."""
        return self.folder / f"{name}.db"

    def open(self, name: str) -> sqlite3.Connection:
        """Open one as the server does: no transaction by itself, and no waiting for locks."""
        return opened(self.path(name), name)

    def run(self, name: str, sql: str, *args: object) -> None:
        """Run one statement in a database."""
        with closing(self.open(name)) as connection:
            connection.execute(sql, args)

    def user(self, name: str, *, active: bool = True, password_hash: str = HASH) -> None:
        """Add a user with a container of their own."""
        key = str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
        email, container = f"{key}@noemail.portagent", f"user-{key}"
        row = (key, name, email, password_hash, container, None, None, int(active))
        sql = "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        self.run("portagent", sql, *row, self.now, self.now)
        self.entry(f"containers:{container}", {"containerId": container})

    def entry(self, key: str, value: object, *, days: float = 0.0) -> None:
        """Put a value under a key of agentx.db, last written some days ago; text stays as it is."""
        when = self.now - int(days * DAY)
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        self.run("agentx", "REPLACE INTO kv_storage VALUES (?, ?, ?, ?)", key, text, when, when)

    def many_entries(self, count: int) -> None:
        """Fill agentx.db with so many small entries."""
        sql = (
            "INSERT INTO kv_storage WITH RECURSIVE n(i) AS"
            " (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) SELECT i, i, i, i FROM n"
        )
        self.run("agentx", sql, count)

    def session(self, name: str) -> None:
        """Add an image and a session of it, with their indexes."""
        told = {"sessionId": name, "imageId": f"img_{name}", "containerId": "user-1"}
        self.entry(f"images:img_{name}", {**told, "name": name})
        self.entry(f"sessions:{name}", told)
        self.entry(f"idx:sessions:image:img_{name}:{name}", name)
        self.entry(f"idx:images:container:user-1:img_{name}", f"img_{name}")

    def messages(self, session: str, *, count: int, days: float, size: int = 40) -> None:
        """Let a session hold so many messages, written some days ago, of `size` bytes each."""
        when = self.now - int(days * DAY)
        rows = [
            {
                "id": f"msg_{number}",
                "role": "user" if number % 2 == 0 else "assistant",
                "subtype": "text",
                "content": "x" * size,
                "timestamp": when + number,
            }
            for number in range(count)
        ]
        self.entry(f"messages:{session}", rows, days=days)

    # How they break.

    def overwrite(self, name: str, at: int, content: bytes) -> None:
        """Put other bytes somewhere into a database file."""
        with self.path(name).open("r+b") as file:
            file.seek(at)
            file.write(content)

    def break_page(self, name: str, of: str) -> None:
        """Overwrite the root page of a table or index."""
        with closing(self.open(name)) as connection:
            found = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (of,))
            page = found.fetchone()[0]
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.overwrite(name, (page - 1) * 4096, b"\xff" * 2048)

    def break_header(self, name: str) -> None:
        """Overwrite the schema's page behind its first 16 bytes."""
        self.overwrite(name, 16, b"\xff" * 400)

    def break_freelist(self, name: str) -> None:
        """Let the list of free pages lead nowhere."""
        self.overwrite(name, 32, (99_999).to_bytes(4, "big") + (7).to_bytes(4, "big"))

    def users_without_end(self) -> None:
        """Put a view that never ends in the place of the table of users."""
        with closing(sqlite3.connect(self.path("portagent"))) as connection:
            connection.execute("DROP TABLE users")
            connection.execute(
                "CREATE VIEW users AS WITH RECURSIVE n(isActive) AS"
                " (SELECT 1 UNION ALL SELECT isActive + 1 FROM n) SELECT * FROM n"
            )

    def cut(self, name: str, size: int) -> None:
        """Cut a database file to so many bytes; 0 empties it."""
        os.truncate(self.path(name), size)

    def leave_journal(self, name: str) -> None:
        """Let a writer be killed in the middle of a large transaction: its journal is hot."""
        if JOURNALS[name] == "wal":
            raise ValueError(f"{name}.db keeps no rollback journal")
        words = [sys.executable, "-c", _KILLED, str(self.path(name)), _HALVES[name]]
        status = subprocess.run(words, check=False).returncode
        assert status == -signal.SIGKILL
        assert Path(f"{self.path(name)}-journal").stat().st_size > 512

    def grow_log(self, mib: int, *, open_still: bool = False) -> None:
        """Let the write-ahead log of queue.db grow; its writer goes on, or is killed."""
        process = self._start(_LOGGED, str(self.path("queue")), str(mib))
        if not open_still:
            self._end(process)

    def hold(self, name: str, sql: str = "BEGIN IMMEDIATE", *, mode: str = "rw") -> int:
        """Let another process open a database and run a statement, or more; return its pid."""
        return self._start(_OPENED, str(self.path(name)), mode, sql).pid

    def let_go(self) -> None:
        """End the other processes, without a last word."""
        for process in tuple(self._running):
            self._end(process)

    def _start(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-c", program, *words]
        pipe = subprocess.PIPE
        process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, start_new_session=True)
        self._running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        self._running.remove(process)
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _successors(self) -> None:
        (self.folder / "agentx").mkdir()
        with closing(sqlite3.connect(self.folder / "app.db")) as connection:
            connection.execute("CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT UNIQUE)")
            connection.execute("CREATE TABLE system_config (key TEXT PRIMARY KEY, value TEXT)")
        opened(self.folder / "agentx" / "agentx.db", "agentx").close()
