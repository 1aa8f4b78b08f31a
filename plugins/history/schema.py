"""The tables of the history, and whether a file has them.

hosts      what runs are told apart by: a demo or not, the host, the systems file
runs       a row a run; in a watch also one whenever something changed
checks     the ids of checks; a renamed one keeps its number
results    a row a check and run
standings  what is remembered of a check on a host, as `plugins.history.standing` has it
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite3 import Connection

VERSION = 1
_APPLICATION = 0x41474843  # "AGHC"
_CHECKED_EVERY_S = 86_400.0
_CHECK_S = 1.0  # to look through 100 MiB takes a third of that
_TABLES = """
CREATE TABLE hosts (number INTEGER PRIMARY KEY, demo INTEGER NOT NULL, spec TEXT NOT NULL,
  name TEXT NOT NULL, systems TEXT NOT NULL, UNIQUE (demo, spec, name, systems));
CREATE TABLE runs (number INTEGER PRIMARY KEY, id TEXT NOT NULL, host INTEGER NOT NULL,
  started REAL NOT NULL, seconds REAL NOT NULL, status INTEGER NOT NULL, whole INTEGER NOT NULL,
  watch INTEGER NOT NULL, tally TEXT NOT NULL);
CREATE INDEX runs_of_host ON runs (host);
CREATE TABLE checks (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
CREATE TABLE results (run INTEGER NOT NULL, "check" INTEGER NOT NULL, outcome TEXT NOT NULL,
  severity TEXT NOT NULL, milliseconds INTEGER NOT NULL, measures TEXT,
  PRIMARY KEY (run, "check")) WITHOUT ROWID;
CREATE TABLE standings (host INTEGER NOT NULL, "check" INTEGER NOT NULL, outcome TEXT NOT NULL,
  outcome_since REAL NOT NULL, mind TEXT NOT NULL, mind_since REAL NOT NULL,
  first_ill REAL NOT NULL, last_ill REAL NOT NULL, recent TEXT NOT NULL, told REAL NOT NULL,
  PRIMARY KEY (host, "check")) WITHOUT ROWID;
CREATE TABLE upkeep (checked REAL NOT NULL);
"""
NAMES = frozenset({"hosts", "runs", "runs_of_host", "checks", "results", "standings", "upkeep"})


class Newer(Exception):  # noqa: N818 - what happened to us, in a sentence
    """A newer version of this project wrote the file: it is left as it is."""


def opened(database: Connection, *, writable: bool) -> str:
    """Make a fresh connection ready; give an empty file its tables.

    Args:
        database: just opened.
        writable: whether tables may be made.

    Returns:
        What is wrong with the file, "" for nothing that can be seen at a glance.

    Raises:
        Newer: another version's file.
        sqlite3.Error: it is no database, or cannot be read.
    """
    # What stands in a file that somebody else made must not run.
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "synchronous = FULL"):
        database.execute(f"PRAGMA {pragma}")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (application,) = database.execute("PRAGMA application_id").fetchone()
    rows = database.execute("SELECT type, name FROM sqlite_master").fetchall()
    if not rows and not version and not application and writable:
        _make(database)
        return ""
    if not rows and not version and not application:
        return "it is empty"
    if application != _APPLICATION:
        return "it is the database of another program"
    if version > VERSION:
        raise Newer(f"it was written by a newer version (form {version}), and is left alone")
    # A table or an index that a person added, or ANALYZE, harms nothing; a trigger writes with us.
    ours = {name for kind, name in rows if kind in {"table", "index"}} & NAMES
    if version < 1 or ours != NAMES or any(kind == "trigger" for kind, _ in rows):
        return "its tables are not those of a history"
    return ""


def _make(database: Connection) -> None:
    database.execute("BEGIN IMMEDIATE")
    for pragma in (f"application_id = {_APPLICATION}", f"user_version = {VERSION}"):
        database.execute(f"PRAGMA {pragma}")
    for table in _TABLES.split(";\n"):
        database.execute(table)
    database.execute("INSERT INTO upkeep VALUES (?)", (time.time(),))
    database.execute("COMMIT")


def damage(database: Connection) -> str:
    """Look through the whole file, for a second at most; return what is wrong with it, or ""."""
    import sqlite3

    ends = time.monotonic() + _CHECK_S
    database.set_progress_handler(lambda: time.monotonic() > ends, 10_000)
    try:
        (said,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorname", "") != "SQLITE_INTERRUPT":
            raise
        return ""
    finally:
        database.set_progress_handler(None, 0)
    return "" if said == "ok" else str(said)[:200]


def due(database: Connection, now: float) -> bool:
    """Tell whether the whole file is to be looked through: once a day."""
    (checked,) = database.execute("SELECT checked FROM upkeep").fetchone()
    if 0 <= now - checked < _CHECKED_EVERY_S:
        return False
    database.execute("UPDATE upkeep SET checked = ?", (now,))
    return True
