"""One conversation: which one is meant, and the steps that bring it back to where it came from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from healthchecks.crash_protection.keys import ENDING
from healthchecks.crash_protection.recovering_places import (
    ORIGINS,
    Everything,
    Standing,
    Summary,
)
from healthchecks.crash_protection.recovering_winners import Choice, Homecoming
from healthchecks.crash_protection.system import CrashProtection
from plugins.arguments import Misgiven
from plugins.endpoints.filesystem import Filesystem
from plugins.inquiries import Note
from plugins.outcomes import CannotTell
from plugins.recovery import Within
from plugins.steps import Chmod, Copy, Mkdir, Step
from plugins.text import printable

_SESSION = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def named(text: str, everywhere: Everything) -> str:
    """Return the key of the one conversation whose id is this, or begins with it.

    Raises:
        Misgiven: several do, or none.
    """
    by_key = everywhere.by_key()
    if text in by_key:
        return text
    found = sorted(key for key in by_key if key.startswith(text))
    own = [key for key in found if not all(one.sub_agent for one in by_key[key])]
    found = own or found
    if len(found) == 1:
        return found[0]
    if found:
        rows = "\n  ".join(printable(key, 200) for key in found[:20])
        raise Misgiven(f"id={printable(text, 80)} could be {len(found)}:\n  {rows}")
    places = ", ".join(everywhere.looked_in)
    raise Misgiven(f"id={printable(text, 80)}: no conversation is called so (looked in {places})")


@dataclass(frozen=True)
class Home:
    """Where a conversation belongs: its file, the folder above that stands, and what must be made.

    Args:
        path: of the file.
        top: the folder of origin.
        missing: the folders between the two that must be made, the topmost first.
    """

    path: str
    top: str
    missing: tuple[str, ...]


def home_of(
    choice: Choice,
    said: Summary,
    system: CrashProtection,
    filesystem: Filesystem,
    tops: Mapping[str, Sequence[str]],
) -> Home:
    """Return where a conversation came from.

    Args:
        choice: its files.
        said: what the winner says.
        system: whose conversation it is.
        filesystem: of the host.
        tops: "volume" and "host" with the folders of projects that can be reached.

    Raises:
        CannotTell: it came from the volume, whose folder cannot be reached, or nobody knows.
    """
    for one in choice.files:
        if one.place in ORIGINS:
            return Home(one.path, one.within, ())
    project = re.sub(r"[^A-Za-z0-9]", "-", said.cwd)
    if not project:
        raise CannotTell(f"{printable(choice.key)}: it does not say where it came from; give to=…")
    session = _SESSION.match(choice.key)
    stem = session[0] if session and ".agent-" not in choice.key else choice.key
    places = [(top, f"{top}/{project}") for name in ORIGINS for top in tops.get(name, ())]
    for top, folder in places:
        if filesystem.exists(folder):
            return _home(top, folder, stem)
    if said.cwd == "/workspace" and not tops.get("volume") and system.settings.volume:
        assert choice.winner is not None
        path = printable(choice.winner.path, 600)
        raise CannotTell(
            f"{printable(choice.key)} came from the volume {printable(system.settings.volume)}, "
            f"whose folder cannot be reached from here: docker cp '{path}' "
            f"CONTAINER:/home/USER/.claude/projects/{project}/{stem}{ENDING}, "
            "with a container that mounts it; or give to=FOLDER"
        )
    if not places:
        raise CannotTell(f"{printable(choice.key)}: there is no folder of projects; give to=…")
    top, folder = places[-1]
    return _home(top, folder, stem, *(() if filesystem.exists(top) else (top,)), folder)


def _home(top: str, folder: str, stem: str, *missing: str) -> Home:
    session, _, agent = stem.partition(".agent-")
    if agent:
        return Home(f"{folder}/{session}/subagents/agent-{agent}{ENDING}", top, missing)
    return Home(f"{folder}/{stem}{ENDING}", top, missing)


def brought_home(
    choice: Choice, home: Home, filesystem: Filesystem, homecoming: Homecoming, shared: int
) -> Iterator[Step | Note | Within]:
    """Yield the steps that put the winner there; what differs there is kept beside first.

    Args:
        choice: with a winner.
        home: where it belongs.
        filesystem: of the host.
        homecoming: keeps what differs.
        shared: bytes that what stands there begins with and the winner too; -1 without it.
    """
    winner = choice.winner
    assert winner is not None
    yield Within(home.top)
    there = filesystem.look(home.path)
    if there is not None and there.kind != "file":
        raise CannotTell(f"{printable(home.path)} is a {there.kind}, no file")
    if there is not None and there.path == winner.path:
        yield Note(f"{printable(home.path)} is the longest valid one already")
        return
    if there is not None and shared == there.size == winner.size:
        yield Note(f"{printable(home.path)} holds all of it already")
        return
    yield from map(Mkdir, home.missing)
    above = os.path.dirname(home.path)
    made = set(home.missing)
    parts = [above[: at.start()] for at in re.finditer("/", above) if at.start() > len(home.top)]
    for folder in (*parts, above):
        if folder not in made and folder != home.top and not filesystem.exists(folder):
            yield Mkdir(folder)
    if there is not None and shared < there.size:
        kept = Standing(
            choice.key, there.path, "host", "", home.top, False, there.size, there.mtime_ns,
            there.identity,
        )  # fmt: skip
        yield from homecoming.beside(choice, kept)
    yield Copy(home.path, winner.path, seen=there.identity if there else "")
    yield Chmod(home.path, 0o600)
