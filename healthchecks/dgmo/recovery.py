"""Recovery procedures of DGMO, for `--recover`.

The guide's options (`session-manager.ts --recover`, `--recover-missing`, `--recover-session`) are
read by no script, and each run of one makes a new empty session. Here only what is broken or
missing is laid anew, what stood there stays in the run's quarantine, and nothing is done while DGMO
writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from healthchecks.dgmo.backups import Backup, backups, folders
from healthchecks.dgmo.mending import mended
from healthchecks.dgmo.moving import moved
from healthchecks.dgmo.probes_indexes import Index
from healthchecks.dgmo.recovery_memories import (
    rebuild_memories,
    restore_memories,
    snapshot_memories,
    verify_snapshots,
)
from healthchecks.dgmo.restoring import Restoration, absent_copies, laid, newest_copies
from healthchecks.dgmo.store_looks import StoreFiles, looks
from healthchecks.dgmo.system import Dgmo
from plugins import Absent, printable
from plugins.arguments import Misgiven
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.json_folders import JsonFolders
from plugins.endpoints.machine import Machine
from plugins.hosts import Host
from plugins.inquiries import Note
from plugins.recovery import Within, procedure
from plugins.run import Run
from plugins.steps import Step

RESTORED = ("dgmo.every_session_can_be_read",)
INDEXED = (
    "dgmo.every_index_is_a_list_of_ids",
    "dgmo.every_sub_session_is_in_its_parents_index",
    "dgmo.no_index_names_what_is_not_there",
)

__all__ = [
    "move_store",
    "rebuild_indexes",
    "rebuild_memories",
    "recover_missing_sessions",
    "recover_session",
    "recover_sessions",
    "restore_memories",
    "snapshot_memories",
    "verify_snapshots",
]


@procedure(verify=RESTORED, settle=0.0, deadline=300.0)
def recover_sessions(
    system: Dgmo,
    filesystem: Filesystem,
    commands: Host,
    machine: Machine,
    json_folders: JsonFolders,
    run: Run,
    broken_sessions: StoreFiles,
    *,
    backup: str = "",
) -> Iterator[Step | Note]:
    """Restore every broken and every missing file of the sessions from backups.

    A broken file becomes what it was at the newest backup that holds a valid copy, or is put away
    where none does; what is missing comes from the newest whole backup, sessions among it that
    somebody deleted since. Files that can be read stay as they are, whatever their age.

    Args:
        backup: the name of the only backup to take from; all of them where it is empty.
    """
    found = _chosen(backup, system, filesystem, commands, machine)
    yield from _guarded(system, json_folders, run)
    yield from _mended(system, found, commands, broken_sessions, "")
    yield from _completed(system, found, commands, filesystem, "")


@procedure(settle=0.0, deadline=300.0)
def recover_missing_sessions(
    system: Dgmo,
    filesystem: Filesystem,
    commands: Host,
    machine: Machine,
    json_folders: JsonFolders,
    run: Run,
    *,
    backup: str = "",
) -> Iterator[Step | Note]:
    """Restore what the newest whole backup has of the sessions and the store has not.

    Sessions that somebody deleted since come back too; nothing that is there is touched.

    Args:
        backup: the name of the only backup to take from; all of them where it is empty.
    """
    found = _chosen(backup, system, filesystem, commands, machine)
    if not found:
        raise Absent("a backup of sessions", folders(system))
    yield from _guarded(system, json_folders, run)
    yield from _completed(system, found, commands, filesystem, "")


@procedure(settle=0.0, deadline=300.0)
def recover_session(
    system: Dgmo,
    filesystem: Filesystem,
    commands: Host,
    machine: Machine,
    json_folders: JsonFolders,
    run: Run,
    broken_sessions: StoreFiles,
    *,
    session: str,
    backup: str = "",
) -> Iterator[Step | Note]:
    """Restore the broken and missing files of one session, its messages and its index.

    A broken file becomes what it was at the newest backup that holds a valid copy, or is put away
    where none does. Files that can be read stay as they are, whatever their age.

    Args:
        session: its id, such as ses_8265d514cffeJtVYlbD526eTCt.
        backup: the name of the only backup to take from; all of them where it is empty.
    """
    if not session or "/" in session or session in {".", ".."}:
        raise Misgiven(f"session: {printable(session)!r} is no id of a session")
    found = _chosen(backup, system, filesystem, commands, machine)
    mended = tuple(_mended(system, found, commands, broken_sessions, session))
    completed = tuple(_completed(system, found, commands, filesystem, session))
    if not any(not isinstance(one, Note) for one in (*mended, *completed)):
        places = tuple(one.path for one in found) or folders(system)
        raise Absent(f"a broken file of {printable(session)}, or a missing one in a backup", places)
    yield from _guarded(system, json_folders, run)
    yield from mended
    yield from completed


@procedure(verify=INDEXED, settle=0.0, deadline=300.0)
def rebuild_indexes(
    broken_indexes: tuple[Index, ...],
    short_indexes: tuple[Index, ...],
    dangling_indexes: tuple[Index, ...],
) -> Iterator[Step]:
    """Write every index of sub-sessions anew that is not what the records say.

    Ids without a record are dropped from the indexes; the former indexes stay in the run's
    quarantine. Indexes that are right are not written.
    """
    # The checks' own cure; imported here, as whoever restores sessions needs none of it.
    from healthchecks.dgmo.test_indexes import rebuilt

    every = (*broken_indexes, *short_indexes, *dangling_indexes)
    return rebuilt(tuple({one.file.path: one for one in every}.values()))


@procedure(settle=0.0, deadline=120.0)
def move_store(
    system: Dgmo, filesystem: Filesystem, json_folders: JsonFolders, run: Run, *, to: str
) -> Iterator[Step | Note | Within]:
    """Copy the stores in use to another place, compared file by file, and tell what to set.

    Nothing is lost: the old place stays as it is, and is read until XDG_DATA_HOME is set. What is
    written there after the copy is not in the new place, so DGMO must not run until then.

    Args:
        to: the folder that is to be XDG_DATA_HOME, as a full path; DGMO makes dgmo/project in it.
    """
    yield from _guarded(system, json_folders, run)
    yield from moved(system, filesystem, to)


def _chosen(
    name: str, system: Dgmo, filesystem: Filesystem, commands: Host, machine: Machine
) -> tuple[Backup, ...]:
    """Return the backups to look through, the newest first."""
    if not system.stores:
        raise Absent("a session store to restore into", system.places)
    found = backups(system, filesystem, commands, machine)
    if not name:
        return found
    named = tuple(one for one in found if name in (one.entry.name, one.path))
    if not named:
        known = ", ".join(printable(one.entry.name) for one in found[:5]) or "none is there"
        raise Misgiven(f"backup: there is none named {printable(name)}; the newest are: {known}")
    return named


def _guarded(system: Dgmo, json_folders: JsonFolders, run: Run) -> Iterator[Step]:
    """Yield for each store the step that refuses while it is being written."""
    for one in looks(system, json_folders, run):
        if one.store in system.in_use:
            one.demand()
            yield one.still


def _mended(
    system: Dgmo, found: tuple[Backup, ...], commands: Host, broken: StoreFiles, session: str
) -> Iterator[Step | Note]:
    """Yield what puts valid copies, or nothing, in the place of broken files."""
    if broken.total > len(broken.files):
        yield Note(f"{broken.total} files are broken; this mends the first {len(broken.files)}")
    for store in system.stores:
        files = [
            one
            for one in broken.files
            if one.path.startswith(f"{store.root}/") and (not session or _is_of(one.path, session))
        ]
        copies = newest_copies(store.root, [one.path for one in files], found, commands)
        yield from _told(copies.values(), "broken")
        yield from mended(replace(one, copy=copies.get(one.path)) for one in files)
        if len(copies) < len(files):
            many = len(files) - len(copies)
            yield Note(f"no backup holds a valid copy of {many} broken files: they are put away")


def _is_of(path: str, session: str) -> bool:
    return session in path.removesuffix(".json").split("/")


def _completed(
    system: Dgmo, found: tuple[Backup, ...], commands: Host, filesystem: Filesystem, session: str
) -> Iterator[Step | Note]:
    """Yield what lays missing files anew, each in the store that it is of."""
    for store in system.in_use:
        others = [one.root for one in system.stores if one != store]
        absent = absent_copies(store.root, others, found, commands, session)
        for backup in absent.unclear:
            yield Note(
                f"{printable(backup)} may be of {printable(store.root)} or of another store, and"
                " is passed over: name one of them alone in `stores` of the systems file"
            )
        if not absent.copies:
            lacks = "no backup has anything that is missing from" if found else "no backup is of"
            yield Note(f"{lacks} {printable(store.root)}")
        yield from _told(absent.copies.values(), "missing")
        yield from laid(absent.copies.values(), filesystem)


def _told(copies: Iterable[Restoration], what: str) -> Iterator[Note]:
    tally = Counter(one.backup for one in copies)
    for backup, many in tally.most_common():
        yield Note(f"{many} {what} files come from {printable(backup)}")
