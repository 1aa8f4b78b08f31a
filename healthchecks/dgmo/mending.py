"""Cures of broken session files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from healthchecks.dgmo.store_looks import StoreFile, StoreFiles
from plugins import SAFE, remedy
from plugins.steps import Quarantine, Step, Still


def guards(files: Iterable[StoreFile]) -> Iterator[Still]:
    """Yield for each store of these files the step that refuses while it is being written."""
    return iter(dict.fromkeys(file.still for file in files))


def mended(files: Iterable[StoreFile]) -> Iterator[Step]:
    """Yield what puts a valid copy in the place of each file, or nothing where there is none."""
    for file in files:
        if file.copy is None or not file.regular:
            yield Quarantine(file.path, seen=file.seen)
        if file.copy is not None:
            yield file.copy.step(file.seen if file.regular else "")


@remedy(SAFE)
def restore_or_put_aside(broken_sessions: StoreFiles) -> Iterator[Step]:
    """Stop DGMO, move each file that is listed out of the store, and take its newest valid copy
    from a backup: `tar -xzOf ARCHIVE MEMBER > FILE`, where one has it. One broken file makes the
    whole session list fail. Keep what was there: what was in it may be told by hand."""
    yield from guards(broken_sessions.files)
    yield from mended(broken_sessions.files)
