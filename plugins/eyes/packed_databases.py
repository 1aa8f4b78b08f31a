"""SQLite databases in a compressed archive: each is judged in memory, nothing is unpacked.

Standard library only; a far host's python3 runs this source.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from typing import Any

from plugins.eyes.tarballs import Member, read

_MAGIC = b"SQLite format 3\0"
_LARGEST = 64 << 20  # bytes of a database that is judged; a larger one is only read
_MOST = 100  # databases of an archive that are told of
_PATIENCE = 30.0  # seconds that one of them may take


def packed(path: str, seconds: float) -> dict[str, Any]:
    """Read a tar.gz to its last byte, and judge the files in it whose names end in .db.

    Returns:
        fault: what is wrong with the archive, "" when it is whole; late: whether it was given up;
        members: how many were read; databases: for each, by its name in the archive, why it is no
        whole database, "" when it is, or is too large to be judged.
    """
    found: dict[str, str] = {}

    def visit(member: Member) -> None:
        if member.regular and member.name.endswith(".db") and len(found) < _MOST:
            found[member.name] = _fault(member.read()) if member.size <= _LARGEST else ""

    told = read(path, seconds, visit)
    return {**told, "databases": found}


def _fault(content: bytes) -> str:
    if not content.startswith(_MAGIC):
        return "it is no SQLite database" if content else "it is empty (0 bytes)"
    ends = time.monotonic() + _PATIENCE
    try:
        with contextlib.closing(sqlite3.connect(":memory:")) as one:
            # In memory there is no write-ahead log, which two bytes of the header may ask for.
            one.deserialize(content[:18] + b"\1\1" + content[20:])
            one.set_progress_handler(lambda: time.monotonic() > ends, 10_000)
            one.execute("PRAGMA trusted_schema = OFF")
            rows = one.execute("PRAGMA integrity_check(3)").fetchall()
            return "; ".join(str(row[0]) for row in rows if row[0] != "ok")
    except sqlite3.Error as error:
        return f"it is not whole: {error}"
