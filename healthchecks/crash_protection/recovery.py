"""Recovery of conversations, for `--recover`: recover all, export, list, find, restore one.

The guide's scripts copy the newest crash file over whatever is there, look for a text in one of
the places, and overwrite on restore. Here the longest valid file of all places wins, nothing that
differs is lost, and every place is looked in.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime

from healthchecks.crash_protection import recovering_exports as exports
from healthchecks.crash_protection.probes_monitor import Monitors
from healthchecks.crash_protection.recovering_asked import found_lines, listed_lines
from healthchecks.crash_protection.recovering_one import Home, brought_home, home_of, named
from healthchecks.crash_protection.recovering_places import (
    Summary,
    everything,
    exports_folder,
    read,
)
from healthchecks.crash_protection.recovering_winners import Homecoming, choices, notes
from healthchecks.crash_protection.system import CrashProtection
from healthchecks.crash_protection.volume import volume_origin
from plugins.endpoints.filesystem import Filesystem
from plugins.hands import prefixes
from plugins.hosts import Host
from plugins.inquiries import Note, inquiry
from plugins.outcomes import Absent, CannotTell
from plugins.recovery import Within, procedure
from plugins.run import Run
from plugins.steps import Step

CURRENT = "crash_protection.every_conversation_has_a_current_copy"
RUNS = "crash_protection.a_monitor_runs"


@procedure(verify=(CURRENT, RUNS), settle=30.0, deadline=1800.0)
def recover(
    system: CrashProtection, filesystem: Filesystem, commands: Host, monitors: Monitors
) -> Iterator[Step | Note | Within]:
    """Bring the copies of every conversation to its longest valid file, and protect them again.

    Nothing is lost: a copy that differs is kept in crash-recovery/ before it is replaced, and what
    Claude itself writes is not touched (`crash_protection.restore_one` does that, one by one). A
    monitor is started where none runs.
    """
    everywhere = everything(system, filesystem, commands)
    chosen = tuple(choices(everywhere.by_key(), read(everywhere.files, commands, None)))
    if not chosen:
        raise Absent("a conversation to recover", everywhere.looked_in)
    homecoming = Homecoming(system, filesystem, commands)
    yield from homecoming.folders(system.realtime, system.conversations)
    yield from homecoming.steps(chosen, (system.realtime, system.conversations))
    if all(one.suspended for one in monitors.running):
        # The check's own remedy; imported here, as an inquiry needs none of it.
        from healthchecks.crash_protection.test_monitor import start_one

        yield from start_one(monitors)
    for one in chosen:
        yield from notes(one)
    yield from map(Note, everywhere.unseen)


@procedure(deadline=1800.0)
def export(
    system: CrashProtection, filesystem: Filesystem, commands: Host, *, to: str = ""
) -> Iterator[Step | Note | Within]:
    """Export every conversation and every copy to a new folder, with summaries to read.

    Nothing is lost. What is exported holds whole conversations: it is for its owner alone (0700),
    and should stay so.

    Args:
        to: the folder in which the export is made; ~/Desktop, or the home folder.
    """
    folder = _typed(to) if to else exports_folder(system, filesystem)
    if not filesystem.exists(folder):
        raise CannotTell(f"{folder} is not there: make it, or give another with --with to=FOLDER")
    now = datetime.now().astimezone()
    everywhere = everything(system, filesystem, commands)
    if not everywhere.files:
        raise Absent("a conversation to export", everywhere.looked_in)
    target = exports.free(filesystem, folder, now)
    yield Within(target)
    tops = _tops(system, filesystem, commands)
    yield from exports.exported(filesystem, target, system.folder, tops)
    told = read(everywhere.files, commands, None)
    summary = exports.account(everywhere.by_key(), told, now, everywhere.unseen)
    yield exports.WriteAccount(f"{target}/SUMMARIES.md", summary, 0o600)
    how = exports.instructions(now)
    yield exports.WriteAccount(f"{target}/RECOVERY_INSTRUCTIONS.md", how, 0o600)
    yield from map(Note, everywhere.unseen)


@procedure(deadline=600.0)
def restore_one(
    system: CrashProtection,
    filesystem: Filesystem,
    commands: Host,
    *,
    id: str,  # noqa: A002 - what a person types
    to: str = "",
) -> Iterator[Step | Note | Within]:
    """Put one conversation's longest valid file back to where it came from.

    Nothing is lost: what stands there and differs is kept in crash-recovery/ first. A session that
    has this very conversation open goes on writing from where it was, so end it before.

    Args:
        id: of the conversation, or its beginning.
        to: a folder to put it into instead, which is made where it is not there.
    """
    everywhere = everything(system, filesystem, commands)
    key = named(id, everywhere)
    files = everywhere.by_key()[key]
    told = read(files, commands, None)
    (choice,) = choices({key: files}, told)
    winner = choice.winner
    if winner is None:
        raise CannotTell("; ".join((*notes(choice), *choice.untold)))
    said = told[winner.path]
    assert isinstance(said, Summary)
    if to:
        folder = _typed(to)
        name = (
            os.path.basename(winner.path) if winner.place in ("host", "volume") else f"{key}.jsonl"
        )
        missing = () if filesystem.exists(folder) else (folder,)
        home = Home(f"{folder}/{name}", folder, missing)
    else:
        home = home_of(choice, said, system, filesystem, _tops(system, filesystem, commands))
    pairs = [[home.path, home.top, winner.path, winner.within, 0]]
    (row,) = commands.call(prefixes.compare, pairs, deadline=600.0)
    shared = -1 if row["why"] else int(row["common"])
    homecoming = Homecoming(system, filesystem, commands)
    yield from brought_home(choice, home, filesystem, homecoming, shared)
    yield from notes(choice)


@inquiry(deadline=1800.0)
def list(  # noqa: A001 - what a person types
    system: CrashProtection,
    filesystem: Filesystem,
    commands: Host,
    run: Run,
    *,
    limit: str = "50",
    since: str = "",
    until: str = "",
) -> Iterator[str]:
    """List the conversations of all places, the newest first.

    Each line has date, size, messages, project, id and first prompt; sub-agents are left out.

    Args:
        limit: how many at most.
        since: only those that went on after this date, such as 2026-11-20.
        until: only those that ended before the end of this date.
    """
    everywhere = everything(system, filesystem, commands)
    yield from listed_lines(everywhere, commands, run.state, limit, since, until)


@inquiry(deadline=3600.0)
def find(
    system: CrashProtection,
    filesystem: Filesystem,
    commands: Host,
    run: Run,
    *,
    text: str = "",
    id: str = "",  # noqa: A002 - what a person types
    since: str = "",
    until: str = "",
) -> Iterator[str]:
    """Find conversations by what was said in them, by id or by date, in all places.

    Each has the line that `list` gives, the places that hold it, and what was said around the text.

    Args:
        text: what was said, in any case; quotes, accents and other alphabets too.
        id: of the conversation, or its beginning.
        since: only those that went on after this date, such as 2026-11-20.
        until: only those that ended before the end of this date.
    """
    everywhere = everything(system, filesystem, commands)
    yield from found_lines(everywhere, commands, run.state, text, id, since, until)


def _typed(folder: str) -> str:
    """Return a folder as the command line means it."""
    return os.path.abspath(os.path.expanduser(folder))


def _tops(
    system: CrashProtection, filesystem: Filesystem, commands: Host
) -> dict[str, tuple[str, ...]]:
    """Return the folders of projects that can be reached, of the volume and of the host."""
    origins, _ = volume_origin(system, filesystem, commands)
    volume = tuple(one.folder for one in origins if not one.container)
    return {"volume": volume, "host": system.origins}


__all__ = ["export", "find", "list", "recover", "restore_one"]
