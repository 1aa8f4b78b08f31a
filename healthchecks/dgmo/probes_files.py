"""Whose the files of the stores are, and who may read and write them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from healthchecks.dgmo.store_looks import FOUND
from healthchecks.dgmo.system import Dgmo
from plugins import Blocked, CannotTell, NoPermission, printable, probe
from plugins.endpoints.errors import in_words
from plugins.endpoints.filesystem import Filesystem
from plugins.eyes import rights
from plugins.hosts import Host

_SHOWN = 20
_MOST = 1000  # of one kind, and so many steps at most at once; the rest is for the next run
_WORDS = {
    "owner": "belongs to user {uid}",
    "closed": "its owner may not use it (mode {mode:04o})",
    "open": "others may change it (mode {mode:04o})",
    "program": "could be executed (mode {mode:04o})",
    "fixed": "its file system cannot be written to",
}


@dataclass(frozen=True)
class WrongRight:
    """A file or folder of a store with the wrong owner or mode.

    Args:
        path: where it is.
        fault: "owner", "closed", "open", "program" or "fixed".
        mode: its permission bits.
        right: those that it should have, as near to its own as may be.
        uid: its owner.
        user: who should be.
        group: that user's group.
        seen: its identity.
    """

    path: str
    fault: str
    mode: int
    right: int
    uid: int
    user: int
    group: int
    seen: str

    def __str__(self) -> str:
        return f"{printable(self.path)}: {_WORDS[self.fault].format(uid=self.uid, mode=self.mode)}"


@dataclass(frozen=True)
class WrongRights:
    """Wrong owners and modes.

    Args:
        files: the first of them.
        total: how many there are.
    """

    files: tuple[WrongRight, ...]
    total: int

    def sentence(self, what: str) -> str:
        """Return what to say of them, with the number where not all are shown."""
        more = self.total > _SHOWN
        return f"{what} ({self.total}, of which these are the first)" if more else what

    @property
    def shown(self) -> tuple[WrongRight, ...]:
        """The first of them, as many as somebody reads."""
        return self.files[:_SHOWN]


@probe(deadline=60.0)
def wrong_rights(system: Dgmo, filesystem: Filesystem, commands: Host) -> WrongRights:
    """What the user cannot read and write, and what others than the user can change."""
    return _seen(system, filesystem, commands, ("owner", "closed", "open"))


@probe(deadline=60.0)
def executable_files(system: Dgmo, filesystem: Filesystem, commands: Host) -> WrongRights:
    """Files of sessions that could be executed, and are all right otherwise."""
    return _seen(system, filesystem, commands, ("program",))


def _seen(
    system: Dgmo, filesystem: Filesystem, commands: Host, faults: tuple[str, ...]
) -> WrongRights:
    if not system.stores:
        raise Blocked(FOUND, "there is no session store")
    files: list[WrongRight] = []
    total, unread = 0, ""
    for root in (one.root for one in system.in_use):
        user = _user(system, filesystem, root)
        ask = partial(commands.call, rights.wrong, root, user, _MOST, deadline=50.0)
        with in_words(root):
            told = filesystem.memory.once((rights.wrong, root, user), ask)
        if told["fixed"] and "closed" in faults:
            files.append(WrongRight(root, "fixed", 0, 0, 0, user, told["gid"], ""))
            total += 1
        for path, kind, mode, uid, _, seen, fault in told["rows"]:
            right = mode & 0o055 | 0o700 if kind == "folder" else mode & 0o044 | 0o600
            if fault in faults:
                one = WrongRight(path, fault, mode, right, uid, user, told["gid"], seen)
                files.append(one)
        total += sum(told["total"].get(fault, 0) for fault in faults)
        unread = unread or told["unread"]
    if unread and not total:
        raise NoPermission(f"{printable(unread)} may not be looked into by us")
    return WrongRights(tuple(files[:_MOST]), total)


def _user(system: Dgmo, filesystem: Filesystem, root: str) -> int:
    """Return whose the store should be: the home folder's owner, or its own where root has that."""
    home = filesystem.look(filesystem.resolve(system.home))
    own = filesystem.look(filesystem.resolve(root))
    if home is None or own is None:
        raise CannotTell(f"{printable(root)} went while it was looked at")
    return home.uid or own.uid
