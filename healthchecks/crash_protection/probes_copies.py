"""What is seen in the copies: lines that are no records, and metadata that are no JSON."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from healthchecks.crash_protection.probes_folders import tree
from healthchecks.crash_protection.system import CrashProtection
from plugins import Absent, CannotTell, NotThere, TooBig, printable, probe
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.records import RecordFile, record_files
from plugins.hosts import Host
from plugins.run import Run

_FIELD = "type"
_METADATA_LIMIT = 1 << 20
_SECONDS = 25.0


@dataclass(frozen=True)
class Unreadable:
    """A copy, or a file of metadata, that cannot be read as what it is, and why."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.why}"


@probe(deadline=40.0, every=600.0)
def unreadable_copies(
    system: CrashProtection, filesystem: Filesystem, commands: Host, run: Run
) -> tuple[Unreadable, ...]:
    """The copies with a line that is no record, other than a cut last one, and the empty ones."""
    folders = (
        system.realtime,
        system.crash_recovery,
        system.conversations,
        f"{system.folder}/named-conversations",
    )
    entries = [
        one
        for one in tree(system, filesystem)
        if one.name.endswith(".jsonl") and os.path.dirname(one.path) in folders
    ]
    if not entries:
        raise Absent("a copy of a conversation", folders)
    cursors = str(run.state / "cursors")
    found = [_no_file(one) for one in entries if one.kind != "file"]
    troubles: list[CannotTell] = []
    for folder in folders:
        paths = [
            one.path
            for one in entries
            if one.kind == "file" and os.path.dirname(one.path) == folder
        ]
        for told in record_files(
            commands, paths, _FIELD, cursor_folder=cursors, deadline=_SECONDS / len(folders)
        ):
            why = _why(told, troubles)
            found += [Unreadable(told.path, why)] if why else []
    if troubles and not found:
        raise troubles[0]
    return tuple(found)


def _no_file(entry: Entry) -> Unreadable:
    return Unreadable(entry.path, f"is a {entry.kind}, not a file")


def _why(told: RecordFile, troubles: list[CannotTell]) -> str:
    """Return what is wrong with a copy, "" when nothing is; what could not be told is noted."""
    if told.trouble:
        # The next copy took its place while we looked.
        troubles += [] if isinstance(told.trouble, NotThere) else [told.trouble]
        return ""
    if told.bad:
        return f"line {told.bad} is no JSON object with `{_FIELD}`"
    if told.long:
        troubles.append(TooBig(f"line {told.long} of {printable(told.path)}", 64 << 20))
    return "" if told.size else "is empty"


@probe(deadline=20.0, every=3600.0)
def broken_metadata(system: CrashProtection, filesystem: Filesystem) -> tuple[Unreadable, ...]:
    """The metadata files that are no JSON."""
    paths = [
        one.path
        for one in tree(system, filesystem)
        if one.kind == "file"
        and one.name.endswith(".json")
        and os.path.dirname(one.path) == system.metadata
    ]
    if not paths:
        raise Absent("metadata of conversations", (system.metadata,))
    found = []
    troubles = []
    for path, content in filesystem.contents(paths, _METADATA_LIMIT):
        if isinstance(content, CannotTell):
            troubles.append(content)
        elif not _is_json(content):
            found.append(Unreadable(path, "is not JSON"))
    if troubles and not found:
        raise troubles[0]
    return tuple(found)


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True
