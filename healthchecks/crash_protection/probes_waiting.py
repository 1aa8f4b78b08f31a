"""What waits to be recovered: copies of before a restart that hold more than what is left."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from healthchecks.crash_protection.engine import engine_url
from healthchecks.crash_protection.places import Conversation, Copy, Survey, survey
from healthchecks.crash_protection.system import CrashProtection
from plugins import Absent, Blocked, CannotTell, printable, probe
from plugins.endpoints.docker import Docker
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.machine import Machine
from plugins.hosts import Host
from plugins.kept import Kept

_DAY = 86_400


@dataclass(frozen=True)
class Waiting:
    """A conversation of which a crash copy holds more than its original and than conversations/.

    Args:
        copy: the longest copy.
        size: its bytes.
        left: bytes of the original, None where it is gone.
        saved: bytes of the one in conversations/, None where there is none.
    """

    copy: str
    size: int
    left: int | None
    saved: int | None

    def __str__(self) -> str:
        left = "the original is gone" if self.left is None else f"{self.left} of the original"
        saved = "none" if self.saved is None else str(self.saved)
        return f"{printable(self.copy)}: {self.size} bytes; {left}; {saved} in conversations/"


@dataclass(frozen=True)
class Unrecovered:
    """The conversations that wait, and what happened since their last copy, in words."""

    since: str
    waiting: tuple[Waiting, ...]


@probe(deadline=30.0, every=60.0)
def unrecovered(
    system: CrashProtection,
    filesystem: Filesystem,
    machine: Machine,
    commands: Host,
    kept: Kept,
) -> Unrecovered:
    """What waits to be recovered since the machine was restarted, or its container vanished."""
    seen = survey(system, filesystem, commands, kept)
    crash = [one for one in seen.copies if one.place in {"realtime", "crash-recovery"}]
    if not crash:
        raise Absent("a crash copy", (system.realtime, system.crash_recovery))
    last = max(one.mtime_ns / 1e9 for one in crash)
    booted = machine.booted()
    since = "the machine was restarted" if booted > last else ""
    since = since or _vanished(system, filesystem, commands)
    if not since:
        return Unrecovered("", ())
    # What Claude itself has cleared away, weeks after the last word, waits for nobody.
    oldest = last - system.settings.recover_days * _DAY
    recent = [one for one in crash if one.mtime_ns / 1e9 >= oldest]
    waiting = _waiting(recent, seen)
    if waiting and seen.unseen:
        # An original that cannot be seen may well have everything.
        first = seen.unseen[0]
        if first.by:
            raise Blocked(first.by, str(first))
        raise CannotTell(printable(str(first)))
    return Unrecovered(since, waiting)


def _waiting(recent: list[Copy], seen: Survey) -> tuple[Waiting, ...]:
    longest: dict[str, Copy] = {}
    for one in recent:
        if one.session not in longest or one.size > longest[one.session].size:
            longest[one.session] = one
    originals: Mapping[str, Conversation] = {one.key: one for one in seen.conversations}
    saved = {
        key: max(copies, key=lambda one: one.size)
        for key, copies in seen.copies_of("conversations").items()
    }
    found = []
    for key, copy in sorted(longest.items()):
        original, kept = originals.get(key), saved.get(key)
        left, held = original.size if original else None, kept.size if kept else None
        newer = kept is None or copy.mtime_ns > kept.mtime_ns
        if newer and copy.size > max(left or 0, held or 0):
            found.append(Waiting(copy.path, copy.size, left, held))
    return tuple(found)


def _vanished(system: CrashProtection, filesystem: Filesystem, commands: Host) -> str:
    """Return in words that the container that was started last is gone, "" when it is not."""
    path = system.settings.path(system.settings.container_file)
    url = engine_url(system.settings, commands)
    try:
        name = filesystem.read(path, 4096).decode("utf-8", "replace").strip() if path else ""
        names = {one.name for one in Docker(commands, url).containers()} if name and url else None
    except CannotTell:
        return ""
    if names is None or name in names:
        return ""
    return f"the container {printable(name, 80)} of {os.path.basename(path)} is gone"
