"""The data folder: whether the server may write all of it and nobody else, and its log files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.portagent.probes_container import container
from healthchecks.portagent.system import Portagent
from plugins import Absent, Blocked, CannotTell, Measure, printable, probe
from plugins.endpoints.commands import Command, unit_command
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.processes import Processes
from plugins.eyes import held, reading, sharing
from plugins.hosts import Host

_NODE = 1000  # the user `node` of the image
_LIVE = "portagent.log"
_UNIT = 256 << 10
_LIMIT = 20_000
_OTHERS_WRITE = 0o002


@dataclass(frozen=True)
class Account:
    """Whom the server runs as: numbers, and whether the folders above the data bind it."""

    uid: int
    gids: tuple[int, ...]
    source: str
    contained: bool


@dataclass(frozen=True)
class Misheld:
    """A file or folder of the data that the server cannot write, or that anybody can.

    Args:
        path: of it.
        why: what is wrong.
        seen: its identity.
        owner: the numbers (uid, gid) that it should belong to, None where that is right.
        mode: the permission bits that it should have, None where they are right.
    """

    path: str
    why: str
    seen: str = ""
    owner: tuple[int, int] | None = None
    mode: int | None = None

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.why}"


@dataclass(frozen=True)
class LogFile:
    """A log file that is one too many."""

    path: str
    mib: float
    seen: str

    def __str__(self) -> str:
        return f"{printable(self.path)} ({self.mib:.1f} MiB)"


@dataclass(frozen=True)
class LogFiles:
    """The log files: how many, how large together, and those that are too many and may go."""

    count: Measure
    size: Measure
    excess: tuple[LogFile, ...]

    @property
    def beyond(self) -> bool:
        """Whether they are more, or larger, than they may be."""
        return any(one.value > (one.limit or 0.0) for one in (self.count, self.size))


def account(system: Portagent, commands: Host, processes: Processes) -> Account:
    """Return whom the server runs as, or would.

    Raises:
        CannotTell: it runs in a container, as a user that only its image knows.
    """
    contained = bool(system.container)
    named = system.settings.user
    running = processes.one(system.pid) if system.pid else None
    if named:
        uid, gid = _named(named, commands, "the systems file")
        return _account(uid, gid, "the systems file", commands, contained)
    if running is not None:
        return _account(running.uid, running.uid, f"process {running.pid}", commands, contained)
    if contained:
        _, one = container(system, commands)
        user, _, group = (one.settings.user or "0").partition(":")
        uid = {"root": 0, "node": _NODE}.get(user, int(user) if user.isdigit() else -1)
        if uid < 0:
            raise CannotTell(f"only its image knows the number of the user {printable(user)}")
        return Account(uid, (int(group) if group.isdigit() else uid,), "its container", True)
    if system.unit_file:
        text = str(commands.call(reading.at, [system.unit_file], _UNIT)[system.unit_file]["text"])
        uid, gid = _named(unit_command(text, Command).user or "root", commands, system.unit_file)
        return _account(uid, gid, system.unit_file, commands, False)
    raise Blocked("portagent.it_is_up", "nothing tells as whom it runs")


def _named(user: str, commands: Host, where: str) -> tuple[int, int]:
    name, _, group = user.partition(":")
    rows = commands.call(reading.accounts, [name])
    if name.isdigit() or name in rows:
        uid = int(str(rows[name][0])) if name in rows else int(name)
        return uid, int(group) if group.isdigit() else uid
    raise CannotTell(f"there is no user {printable(name)}, whom {where} names")


def _account(uid: int, gid: int, source: str, commands: Host, contained: bool) -> Account:
    # What a container calls a group has nothing to do with this machine's.
    gids = [gid] if contained else commands.call(sharing.groups, uid, gid)
    return Account(uid, tuple(gids), source, contained)


@probe(deadline=20.0)
def misheld_data(
    system: Portagent, commands: Host, processes: Processes, filesystem: Filesystem
) -> tuple[Misheld, ...]:
    """What of the data folder the server cannot write, or anybody can."""
    top = filesystem.look(system.data_dir) if system.data_dir else None
    if top is None:
        raise Absent("its data folder", (system.data_dir,))
    who = account(system, commands, processes)
    found = tuple(_closed(system, commands, filesystem, who))
    entries = (top, *_below(system.data_dir, filesystem))
    return (*found, *(bad for entry in entries if (bad := _judged(entry, who, filesystem))))


def _closed(
    system: Portagent, commands: Host, filesystem: Filesystem, who: Account
) -> Iterator[Misheld]:
    """Yield what keeps the server out of all of the folder."""
    path = system.data_dir
    if filesystem.room(path).read_only:
        yield Misheld(path, "its file system is mounted read-only")
    if who.contained:
        _, one = container(system, commands)
        sources = [mount for mount in one.mounts if f"{path}/".startswith(f"{mount.source}/")]
        if sources and not max(sources, key=lambda mount: len(mount.source)).writable:
            yield Misheld(path, f"it is mounted read-only into the container {one.name}")
    elif not filesystem.may(path, who.uid, who.gids, ""):
        yield Misheld(
            path, f"user {who.uid} ({who.source}) cannot reach it: a folder above is closed"
        )


def _below(top: str, filesystem: Filesystem) -> Iterator[Entry]:
    for name, depth in (("data", 2), ("logs", 1), ("containers", 3)):
        path = os.path.join(top, name)
        entry = filesystem.look(path)
        if entry is None:
            continue
        yield entry
        if entry.kind == "folder":
            inside = filesystem.walk(path, depth=depth, limit=_LIMIT)
            # What agents make in their folders is theirs to set the modes of.
            yield from (one for one in inside if name != "containers" or one.kind == "folder")


def _judged(entry: Entry, who: Account, filesystem: Filesystem) -> Misheld | None:
    """Return what is wrong with an entry, and what would be right."""
    if entry.kind == "link":
        return _linked(entry, who, filesystem)
    if entry.kind not in {"file", "folder"}:
        return None
    said, mode, owner = [], entry.mode, None
    if mode & _OTHERS_WRITE:
        said.append(f"anybody may write it (mode {mode:04o})")
        mode &= ~_OTHERS_WRITE
    if not _writes(entry, mode, who):
        if entry.uid != who.uid:
            owner = (who.uid, who.gids[0])
        said.append(f"user {who.uid} ({who.source}) cannot write it: it is {entry.owner}'s")
        mode |= 0o700 if entry.kind == "folder" else 0o600
    if not said:
        return None
    changed = mode if mode != entry.mode else None
    return Misheld(entry.path, "; ".join(said), entry.identity, owner, changed)


def _linked(entry: Entry, who: Account, filesystem: Filesystem) -> Misheld | None:
    """Judge a link by what it leads to, which no cure touches."""
    try:
        allowed = filesystem.may(entry.path, who.uid, who.gids, "w")
    except CannotTell as why:
        return Misheld(entry.path, str(why))
    if allowed:
        return None
    return Misheld(entry.path, f"user {who.uid} cannot write what it leads to, {entry.target}")


def _writes(entry: Entry, mode: int, who: Account) -> bool:
    wanted = 0o7 if entry.kind == "folder" else 0o6
    if who.uid == 0:
        return True
    if entry.uid == who.uid:
        return mode >> 6 & wanted == wanted
    return (mode >> 3 if entry.gid in who.gids else mode) & wanted == wanted


@probe(deadline=20.0)
def log_files(system: Portagent, commands: Host, filesystem: Filesystem) -> LogFiles:
    """The log files, and those that are too many: the oldest, never one that is open."""
    folder = os.path.join(system.data_dir, "logs")
    if not system.data_dir or not filesystem.exists(folder):
        raise Absent("its folder of logs", (folder,))
    found = [
        one
        for one in filesystem.folder(folder, limit=_LIMIT, follow=True)
        if one.kind == "file" and one.name.startswith(_LIVE)
    ]
    found.sort(key=_age)
    settings = system.settings
    kept, excess, taken = 0, [], 0.0
    for one in found:
        mib = one.size / (1 << 20)
        if one.name == _LIVE or (kept < settings.log_count and taken + mib <= settings.log_mib):
            kept, taken = kept + 1, taken + mib
        else:
            excess.append(LogFile(one.path, mib, one.identity))
    busy = set(commands.call(held.open_now, [one.path for one in excess])) if excess else set()
    whole = sum(one.size for one in found) / (1 << 20)
    return LogFiles(
        Measure("log files", len(found), "files", settings.log_count),
        Measure("size of the log files", round(whole, 1), "MiB", settings.log_mib),
        tuple(one for one in excess if one.path not in busy),
    )


def _age(one: Entry) -> tuple[int, int]:
    """Order log files from the one that is written, by their number, then by their time."""
    number = one.name.removeprefix(f"{_LIVE}.")
    if one.name == _LIVE:
        return -1, 0
    return (0, int(number)) if number.isdigit() and len(number) < 9 else (1, -one.mtime_ns)
