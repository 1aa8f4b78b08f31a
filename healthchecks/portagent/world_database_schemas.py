"""The databases as the real server makes them: its own statements, taken from recordings."""

from __future__ import annotations

import sqlite3
from pathlib import Path

SCHEMAS: dict[str, tuple[str, ...]] = {
    "portagent": (
        """CREATE TABLE IF NOT EXISTS users (
        userId TEXT PRIMARY KEY,
        username TEXT UNIQUE NOT NULL,
        email TEXT UNIQUE NOT NULL,
        passwordHash TEXT NOT NULL,
        containerId TEXT NOT NULL,
        displayName TEXT,
        avatar TEXT,
        isActive INTEGER NOT NULL DEFAULT 1,
        createdAt INTEGER NOT NULL,
        updatedAt INTEGER NOT NULL
      )""",
        "CREATE INDEX IF NOT EXISTS idx_users_username ON users(username)",
        "CREATE INDEX IF NOT EXISTS idx_users_email ON users(email)",
        "CREATE INDEX IF NOT EXISTS idx_users_containerId ON users(containerId)",
    ),
    "agentx": (
        """CREATE TABLE IF NOT EXISTS kv_storage (
      key TEXT PRIMARY KEY,
      value TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL
    )""",
        "CREATE INDEX IF NOT EXISTS idx_kv_key ON kv_storage(key)",
    ),
    "queue": (
        """CREATE TABLE IF NOT EXISTS queue_entries (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      cursor TEXT NOT NULL UNIQUE,
      topic TEXT NOT NULL,
      event TEXT NOT NULL,
      timestamp INTEGER NOT NULL
    )""",
        "CREATE INDEX IF NOT EXISTS idx_queue_topic_cursor ON queue_entries(topic, cursor)",
        "CREATE INDEX IF NOT EXISTS idx_queue_timestamp ON queue_entries(timestamp)",
        """CREATE TABLE IF NOT EXISTS queue_consumers (
      consumer_id TEXT NOT NULL,
      topic TEXT NOT NULL,
      cursor TEXT NOT NULL,
      updated_at INTEGER NOT NULL,
      PRIMARY KEY (consumer_id, topic)
    )""",
    ),
}
JOURNALS = {"portagent": "delete", "agentx": "delete", "queue": "wal"}


def opened(path: Path, name: str) -> sqlite3.Connection:
    """Open a database as the server does, and make what is missing in it.

    Every statement is a transaction of its own, and nothing waits for a lock: the real program sets
    no busy_timeout.
    """
    connection = sqlite3.connect(path, isolation_level=None, timeout=0.0)
    connection.execute(f"PRAGMA journal_mode = {JOURNALS[name]}")
    for statement in SCHEMAS[name]:
        connection.execute(statement)
    return connection
