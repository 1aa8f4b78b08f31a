"""What is seen of the session stores: which there are, and their files one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from healthchecks.dgmo.backups import Backup, backups
from healthchecks.dgmo.relations import INFO, MESSAGES, RECORDS
from healthchecks.dgmo.restoring import newest_copies
from healthchecks.dgmo.store_looks import (
    WHOLE,
    Look,
    StoreFile,
    StoreFiles,
    gathered,
    looks,
    sure,
    told,
)
from healthchecks.dgmo.system import Dgmo
from plugins import CannotTell, printable, probe
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.json_folders import JsonFolders
from plugins.endpoints.machine import Machine
from plugins.endpoints.processes import Processes
from plugins.hosts import Host
from plugins.run import Run

# An unfinished write is this old, in seconds, before it counts as one that was cut off.
_YOUNG = 300.0
_VARIABLE = "OPENCODE_DATA_PATH"


@probe(deadline=WHOLE)
def unreachable_stores(system: Dgmo, json_folders: JsonFolders, run: Run) -> tuple[str, ...]:
    """What keeps the stores from being found and looked into."""
    denied = [f"{printable(folder)}: {why}" for folder, why in system.unreadable]
    if not system.stores:
        return tuple(denied) or tuple(f"{printable(one)} holds none" for one in system.places)
    for one in looks(system, json_folders, run):
        denied += [f"{printable(one.path(below))}: {why}" for below, why in one.seen.denied]
    return tuple(denied)


@probe(deadline=WHOLE)
def astray_stores(
    system: Dgmo, json_folders: JsonFolders, processes: Processes, run: Run
) -> tuple[str, ...]:
    """Stores that somebody writes and the program does not read."""
    every = looks(system, json_folders, run)
    newest = {one.store: max((row[1] for row in one.rows("newest")), default=0) for one in every}
    read = max(newest[one] for one in system.in_use)
    found = [
        f"{printable(one.root)}: it has sessions that are newer than all that are read in"
        f" {printable(system.in_use[0].root)}"
        for one in system.stores
        if one not in system.in_use and newest[one] > read
    ]
    found += [
        f"{printable(one.root)}: a shell made it, of a pattern that matched nothing"
        for one in system.stores
        if one.name == "*"
    ]
    here = [f"{one.root}/" for one in system.in_use]
    return (
        *found,
        *(
            f"{_VARIABLE} says {printable(path)}, which no program reads"
            for path in sorted({system.data_path, *_given(system, processes)} - {""})
            if not any(one.startswith(f"{path.rstrip('/')}/") for one in here)
        ),
    )


def _given(system: Dgmo, processes: Processes) -> Iterator[str]:
    """Yield where the running programs of this home were told that their data is."""
    for process in processes.by_program(("dgmo",)):
        try:
            said = processes.environment(process.pid, ("HOME", _VARIABLE))
        except CannotTell:
            continue  # it is another user's, or went: no matter of this store
        if said.get("HOME") == system.home:
            yield said.get(_VARIABLE, "")


@probe(deadline=WHOLE)
def broken_sessions(
    system: Dgmo,
    json_folders: JsonFolders,
    run: Run,
    filesystem: Filesystem,
    commands: Host,
    machine: Machine,
) -> StoreFiles:
    """Files of sessions, messages and sub-sessions that are no JSON, or not of the right shape.

    Each has its newest valid copy in a backup, where there is one.
    """
    every = looks(system, json_folders, run)
    broken = gathered(every, "broken")
    if not broken.total:
        for one in every:
            one.demand()
        unjudged = gathered(every, "unjudged")
        if unjudged.total:
            raise CannotTell(f"{unjudged.total} files were not read, such as {unjudged.files[0]}")
        return broken
    try:
        found = backups(system, filesystem, commands, machine)
    except CannotTell:
        return broken  # what cannot be restored is put aside, and can be undone
    return StoreFiles(tuple(_with_copies(every, broken, found, commands)), broken.total)


def _with_copies(
    every: tuple[Look, ...], broken: StoreFiles, found: tuple[Backup, ...], commands: Host
) -> Iterator[StoreFile]:
    for one in every:
        files = [file for file in broken.files if file.path.startswith(f"{one.store.root}/")]
        paths = [file.path for file in files]
        copies = newest_copies(one.store.root, paths, found, commands)
        yield from (replace(file, copy=copies.get(file.path)) for file in files)


@probe(deadline=WHOLE)
def interrupted_writes(system: Dgmo, json_folders: JsonFolders, run: Run) -> StoreFiles:
    """Temporary files of writes that did not end, but for those of this very moment."""
    every = looks(system, json_folders, run)
    found: list[StoreFile] = []
    for one in every:
        old = [row for row in one.rows("left") if one.seen.now - row[4] > _YOUNG]
        found += one.files(old)
        if not old:
            one.demand()
    total = sum(one.seen.judged["left_total"] - len(one.rows("left")) for one in every)
    return StoreFiles(tuple(found[:500]), len(found) + total)


@probe(deadline=WHOLE)
def misencoded_files(
    system: Dgmo, json_folders: JsonFolders, run: Run
) -> tuple[tuple[StoreFile, str], ...]:
    """Files that are JSON in another encoding than UTF-8, each with that encoding."""
    every = looks(system, json_folders, run)
    rows = [(one, row) for one in every for row in one.rows("recoded")]
    if not rows:
        for one in every:
            one.demand_content()
    return tuple((one.files([row])[0], row[4]) for one, row in rows[:500])


@probe(deadline=WHOLE)
def conflicts(system: Dgmo, json_folders: JsonFolders, run: Run) -> StoreFiles:
    """What a consolidation set aside, as it differed from what was there."""
    every = looks(system, json_folders, run)
    return sure(every, gathered(every, "conflicts"))


@probe(deadline=WHOLE)
def lacking_sessions(system: Dgmo, json_folders: JsonFolders, run: Run) -> StoreFiles:
    """Sessions without what the program needs, and files whose id is not their name."""
    every = looks(system, json_folders, run)
    found = told(every, "lacking")
    if not found.total:
        for one in every:
            one.demand_content(INFO, MESSAGES, RECORDS)
    return found


@probe(deadline=WHOLE)
def stuck_sub_sessions(system: Dgmo, json_folders: JsonFolders, run: Run) -> StoreFiles:
    """Sub-sessions that run or wait for longer than the limit."""
    found: list[StoreFile] = []
    limit = system.settings.stuck_hours
    every = looks(system, json_folders, run)
    for one in every:
        for path, status, since in one.rows("unfinished"):
            hours = (one.seen.now - (since or 0) / 1000) / 3600
            if hours > limit:
                words = f"{status} for {hours:.1f} h" if since else f"{status}, since nobody knows"
                found.append(StoreFile(one.path(path), words, "", 0, one.still))
    if not found:
        for one in every:
            one.demand_content(RECORDS)
    return StoreFiles(tuple(found), len(found))
