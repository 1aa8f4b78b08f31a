"""Cures of broken session files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from healthchecks.dgmo.store_looks import StoreFile, StoreFiles
from plugins import SAFE, remedy
from plugins.steps import Quarantine, Step, Still


def guards(files: Iterable[StoreFile]) -> Iterator[Still]:
    """Yield for each store of these files the step that refuses while it is being written."""
    return iter(dict.fromkeys(file.still for file in files))


@remedy(SAFE)
def put_them_aside(broken_sessions: StoreFiles) -> Iterator[Step]:
    """Stop DGMO, and move each file that is listed out of the store: one broken file makes the
    whole session list fail. Keep them: what was in them may be told by a backup, or by hand."""
    yield from guards(broken_sessions.files)
    for file in broken_sessions.files:
        yield Quarantine(file.path, seen=file.seen)
