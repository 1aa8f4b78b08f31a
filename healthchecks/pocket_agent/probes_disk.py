"""What is seen of the data folder and of the key's and certificate's files: owners and modes."""

from __future__ import annotations

import os.path
from dataclasses import dataclass

from healthchecks.pocket_agent.seat import RUNS
from healthchecks.pocket_agent.system import PocketAgent
from plugins import Absent, Blocked, NotThere, WrongKind, printable, probe
from plugins.endpoints.filesystem import Entry, Filesystem

FOLDER_CHECK = "pocket_agent.the_data_folder_is_there"
KEY_CHECK = "pocket_agent.certificate_and_key_belong_together"
CERTIFICATE_CHECK = "pocket_agent.the_certificate_is_valid"


@dataclass(frozen=True)
class DataFolder:
    """The place of the data.

    Args:
        path: where it should be.
        kind: what stands there ("folder", "file", "link", ...); "" for nothing.
        parent: whether the folder above it is there.
        uid: the number of the server's user, None when unknown.
        gid: the group of the folder above it.
        at_home: whether the folder above it is the server's user's; see `Foreign`.
    """

    path: str
    kind: str
    parent: bool
    uid: int | None
    gid: int
    at_home: bool

    def __str__(self) -> str:
        what = f"is a {self.kind}" if self.kind else "is not there"
        above = "" if self.parent else ", nor is the folder above it"
        return f"{printable(self.path)} {what}{above}"


@dataclass(frozen=True)
class Exposed:
    """A file or folder that more people may use than should.

    Args:
        path: the file, links followed.
        mode: its permission bits.
        allowed: the widest that they may be.
        seen: its identity.
    """

    path: str
    mode: int
    allowed: int
    seen: str

    def __str__(self) -> str:
        return f"{printable(self.path)} has mode {self.mode:04o}; {self.allowed:04o} is the widest"


@dataclass(frozen=True)
class Foreign:
    """A file or folder that is another user's than the server's.

    Args:
        path: the file, links followed.
        owner: its owner's name or number.
        user: the name or number of the server's user.
        uid: the number of the server's user.
        gid: its group, which stays.
        seen: its identity.
        at_home: whether it lies in a folder of that user's. The server's user writes the
            configuration: what it names elsewhere is perhaps a key of root's, that he wants to be
            given.
    """

    path: str
    owner: str
    user: str
    uid: int
    gid: int
    seen: str
    at_home: bool

    def __str__(self) -> str:
        return f"{printable(self.path)} belongs to {self.owner}; the server runs as {self.user}"


@probe
def data_folder(system: PocketAgent, filesystem: Filesystem) -> DataFolder:
    """What stands where the data folder should be; a link to a folder is a folder."""
    path = system.data_dir
    found = _led_to(path, filesystem) or filesystem.look(path)
    if not found and system.dialect == "yaml" and not (system.pids or system.settings.data_dir):
        # The real server refuses YAML: what this file says of the folder may never have held.
        raise Blocked(RUNS, "the server does not run, and it alone knows whether it reads YAML")
    above = _led_to(os.path.dirname(path), filesystem)
    return DataFolder(
        path=path,
        kind=found.kind if found else "",
        parent=above is not None and above.kind == "folder",
        uid=system.uid,
        gid=above.gid if above else 0,
        at_home=not system.uid or (above is not None and above.uid == system.uid),
    )


@probe
def open_data_folders(system: PocketAgent, filesystem: Filesystem) -> tuple[Exposed, ...]:
    """The data folder, when more than its owner and readers of its group may enter it."""
    return _exposed(_folders(system, filesystem)[:1], system.settings.data_mode)


@probe
def foreign_data_folders(system: PocketAgent, filesystem: Filesystem) -> tuple[Foreign, ...]:
    """The data folder, projects/ and each project's folder, where they are another user's."""
    folders = _folders(system, filesystem)
    if len(folders) > 1:
        below = filesystem.folder(folders[1].path)
        folders += tuple(entry for entry in below if entry.kind == "folder")
    return _foreign(system, filesystem, folders)


@probe
def open_keys(system: PocketAgent, filesystem: Filesystem) -> tuple[Exposed, ...]:
    """The private key, when others than its owner may use it."""
    return _exposed((_pem(system.key, system, filesystem, KEY_CHECK),), system.settings.key_mode)


@probe
def open_certificates(system: PocketAgent, filesystem: Filesystem) -> tuple[Exposed, ...]:
    """The certificate, when others than its owner may change it."""
    certificate = _pem(system.certificate, system, filesystem, CERTIFICATE_CHECK)
    return _exposed((certificate,), system.settings.certificate_mode)


@probe
def foreign_keys(system: PocketAgent, filesystem: Filesystem) -> tuple[Foreign, ...]:
    """The private key and the certificate, where they are another user's than the server's."""
    key = _pem(system.key, system, filesystem, KEY_CHECK)
    certificate = _led_to(system.certificate, filesystem)
    return _foreign(system, filesystem, (key, certificate) if certificate else (key,))


def _folders(system: PocketAgent, filesystem: Filesystem) -> tuple[Entry, ...]:
    """Give the data folder and, where it is there, projects/ in it; links followed."""
    found = []
    for path in (system.data_dir, system.projects):
        entry = _led_to(path, filesystem)
        if entry is None or entry.kind != "folder":
            break
        found.append(entry)
    if not found:
        raise Blocked(FOLDER_CHECK, f"{printable(system.data_dir)} is no folder")
    return tuple(found)


def _led_to(path: str, filesystem: Filesystem) -> Entry | None:
    """Give what a path leads to, its last link followed; None where it leads to nothing."""
    entry = filesystem.look(path) if path else None
    if entry is None or entry.kind != "link":
        return entry
    try:
        return filesystem.look(filesystem.resolve(path))
    except NotThere:
        return None


def _pem(path: str, system: PocketAgent, filesystem: Filesystem, owner: str) -> Entry:
    """Give the file of a key or certificate; where it lacks, that is another check's finding.

    Raises:
        Absent: the server speaks no TLS, and there is no such file.
        Blocked: it should speak TLS, and there is none.
        WrongKind: it is no file.
    """
    entry = _led_to(path, filesystem)
    if entry is None:
        if path and system.tls != "no":
            raise Blocked(owner, f"{printable(path)} is not there")
        raise Absent("TLS is off: no key and no certificate", (path or system.config,))
    if entry.kind != "file":
        raise WrongKind(f"{printable(path)} is a {entry.kind}, not a regular file")
    return entry


def _exposed(entries: tuple[Entry, ...], widest: str) -> tuple[Exposed, ...]:
    allowed = int(widest, 8)
    return tuple(
        Exposed(entry.path, entry.mode, allowed, entry.identity)
        for entry in entries
        if entry.mode & 0o777 & ~allowed
    )


def _foreign(
    system: PocketAgent, filesystem: Filesystem, entries: tuple[Entry, ...]
) -> tuple[Foreign, ...]:
    user, uid = system.user, system.uid
    if uid is None:
        raise NotThere(
            "nothing tells which user the server runs as; `user` in the systems file may"
        )
    found: dict[str, Foreign] = {}
    for one in entries:
        if one.uid != uid:
            above = _led_to(os.path.dirname(one.path), filesystem)
            # What lies in a folder that is given comes along with it.
            given = above is not None and above.path in found and found[above.path].at_home
            home = uid == 0 or given or (above is not None and above.uid == uid)
            found[one.path] = Foreign(
                one.path, one.owner, user, uid, one.gid, one.identity, at_home=home
            )
    return tuple(found.values())
