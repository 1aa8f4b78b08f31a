"""What is seen of old messages, in the key-value form in which the program keeps them.

A key `messages:<session>` holds one JSON array, rewritten whole with each message. What was not
written to since then is old as a whole; only what is left is read as JSON, inside of SQLite.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from healthchecks.portagent.probes_databases import readable, unless_broken
from healthchecks.portagent.system import Portagent
from plugins import CannotTell, probe
from plugins.endpoints.sqlite import Sqlite

_MIB = 1 << 20
_LARGEST = 64 * _MIB  # of one session that is read as JSON: SQLite holds it several times over
_SECONDS = 60.0
_OF_MESSAGES = "FROM kv_storage WHERE key >= 'messages:' AND key < 'messages;'"
_SIZE = "coalesce(sum(length(CAST(value AS BLOB))), 0)"
_ALL = f"SELECT {_SIZE} {_OF_MESSAGES}"
_UNTOUCHED = f"{_ALL} AND updated_at < ?1"
_HUGE = f"{_ALL} AND updated_at >= ?1 AND length(value) > ?2"
_READ = """
SELECT coalesce(sum(length(CAST(one.value AS BLOB))), 0)
FROM kv_storage AS kept, json_each(
  CASE WHEN json_valid(kept.value) AND json_type(kept.value) = 'array'
  THEN kept.value ELSE '[]' END
) AS one
WHERE kept.key >= 'messages:' AND kept.key < 'messages;'
  AND kept.updated_at >= ?1 AND length(kept.value) <= ?2
  AND one.type = 'object' AND json_extract(one.value, '$.timestamp') < ?1
"""


@dataclass(frozen=True)
class OldMessages:
    """How much old messages take.

    Args:
        path: of the database.
        mib: MiB of messages that are older than `days`; at most, where all together are few.
        limit: MiB that they may take.
        days: from which age on a message is old.
    """

    path: str
    mib: float
    limit: float
    days: int


@probe(deadline=5 * _SECONDS, every=3600.0)
def old_messages(system: Portagent, sqlite: Sqlite) -> OldMessages:
    """How much the messages take that are older than the configured days."""
    settings = system.settings
    path = readable(system, sqlite, "agentx")
    before = int((time.time() - settings.message_days * 86400) * 1000)

    def size(sql: str, *args: int) -> int:
        rows = unless_broken(lambda: sqlite.query(path, sql, args, deadline=_SECONDS))
        return int(rows[0][0])

    def told(size: int) -> OldMessages:
        return OldMessages(path, size / _MIB, settings.messages_mib, settings.message_days)

    total = size(_ALL)
    if total <= settings.messages_mib * _MIB:
        return told(total)
    old = size(_UNTOUCHED, before)
    if old > settings.messages_mib * _MIB:
        return told(old)
    old += size(_READ, before, _LARGEST)
    unread = size(_HUGE, before, _LARGEST)
    if old <= settings.messages_mib * _MIB < old + unread:
        raise CannotTell(
            f"sessions of {unread // _MIB} MiB are too large to be read (our limit of"
            f" {_LARGEST // _MIB} MiB for one)"
        )
    return told(old)
