"""Other programs that have a SQLite database open: they write, or they hold a lock."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HOLDS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
connection.execute(sys.argv[2])
print("ready", flush=True)
sys.stdin.read()
"""
# Without a busy_timeout, as portagent's: whatever hinders it, it sees.
_WRITES = """
import os, sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
connection.execute("PRAGMA synchronous = OFF")
written = failed = 0
longest = 0.0
os.set_blocking(0, False)
print("ready", flush=True)
while not sys.stdin.buffer.read(1):
    began = time.perf_counter()
    try:
        connection.execute("INSERT INTO job VALUES (1, 'written')")
        written += 1
    except sqlite3.OperationalError:
        failed += 1
    longest = max(longest, time.perf_counter() - began)
    time.sleep(float(sys.argv[2]))
print(written, failed, longest, flush=True)
"""


@dataclass
class Told:
    """What a writer came to: how often it wrote and failed, and its longest wait in seconds."""

    written: int = 0
    failed: int = 0
    longest: float = 0.0


@contextlib.contextmanager
def held(path: Path, sql: str) -> Iterator[int]:
    """Let a process have the database open, after one statement; yield its pid."""
    with _started(_HOLDS, str(path), sql) as process:
        yield process.pid


@contextlib.contextmanager
def writing(path: Path, pause: float = 0.001) -> Iterator[Told]:
    """Let a process commit one row after another to the table `job`; told at the end."""
    told = Told()
    with _started(_WRITES, str(path), str(pause)) as process:
        yield told
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"x")
        process.stdin.flush()
        written, failed, longest = process.stdout.readline().split()
    told.written, told.failed, told.longest = int(written), int(failed), float(longest)


@contextlib.contextmanager
def _started(program: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    argv = [sys.executable, "-c", program, *words]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


def filled(path: Path, mode: str, mib: int) -> None:
    """Make a database of a table with an index, of so many MiB or a little more."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as one:
        one.execute(f"PRAGMA journal_mode = {mode}")
        one.execute("PRAGMA synchronous = OFF")
        one.execute("CREATE TABLE job (id INTEGER, word TEXT)")
        one.execute("CREATE INDEX job_id ON job (id)")
        one.execute("BEGIN")
        rows = ((number, f"{number:08d}" * 110) for number in range(mib * 1150))
        one.executemany("INSERT INTO job VALUES (?, ?)", rows)
        one.execute("COMMIT")
