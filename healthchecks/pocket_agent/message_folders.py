"""The folders of message logs: which file is live, which are rotated, and where the link leads."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from healthchecks.pocket_agent.probes_disk import FOLDER_CHECK
from healthchecks.pocket_agent.system import PocketAgent
from plugins import Absent, Blocked, NoPermission, NotThere, TooBig, printable
from plugins.endpoints.filesystem import Entry, Filesystem

ENTRIES = 1_000_000
LINK = "current.jsonl"
GUIDES_LIVE = "messages_current.jsonl"


@dataclass(frozen=True)
class MessageFolder:
    """The logs/ folder of one project.

    Args:
        path: the folder.
        entries: what is in it, by name.
        guide: whether the server writes messages_current.jsonl there, as its guide says.
    """

    path: str
    entries: dict[str, Entry]
    guide: bool

    @property
    def newest(self) -> str:
        """The name of the newest log by its date (a rewritten file keeps its name); "" for none."""
        dated = (name for name in self._logs() if name.startswith("messages_"))
        return max((name for name in dated if name != GUIDES_LIVE), default="")

    @property
    def live(self) -> frozenset[str]:
        """The names of the files that the server may be writing."""
        link = self.entries.get(LINK)
        target = link.target.removeprefix("./") if link else ""
        return frozenset({GUIDES_LIVE if self.guide else self.newest, target} - {""})

    def rotated(self) -> Iterator[Entry]:
        """Yield the plain files of earlier messages, which the server only reads."""
        live = self.live
        for name in self._logs():
            if name not in live and self.entries[name].kind == "file":
                yield self.entries[name]

    def unlike_logs(self) -> Iterator[Entry]:
        """Yield what is named as a log and is no plain file."""
        for name, entry in self.entries.items():
            if name.endswith(".jsonl") and name != LINK and entry.kind != "file":
                yield entry

    def _logs(self) -> list[str]:
        return [
            name
            for name, entry in self.entries.items()
            if name.endswith(".jsonl") and name != LINK and entry.kind == "file"
        ]


@dataclass(frozen=True)
class ProjectTree:
    """All that lies below projects/.

    Args:
        entries: every entry, down to the message logs.
        unseen: why a part of it could not be looked at; None when all was seen.
    """

    entries: tuple[Entry, ...]
    unseen: NoPermission | None

    def told(self, offenders: Iterable[object]) -> None:
        """Raise what kept us from seeing all, if nothing was found in what we saw."""
        if self.unseen and not tuple(offenders):
            raise self.unseen


def project_tree(system: PocketAgent, filesystem: Filesystem) -> ProjectTree:
    """Look at all that lies below projects/.

    Raises:
        Blocked: there is no data folder.
        Absent: there is no projects/ in it.
        CannotTell: it cannot be looked at.
    """
    try:
        return ProjectTree(filesystem.walk(system.projects, depth=3, limit=ENTRIES), None)
    except NoPermission as why:
        seen = filesystem.walk(system.projects, depth=3, limit=ENTRIES, lenient=True)
        return ProjectTree(seen, why)
    except NotThere:
        if filesystem.exists(system.data_dir):
            raise Absent("projects", (system.projects,)) from None
        raise Blocked(FOLDER_CHECK, f"{printable(system.data_dir)} is not there") from None
    except TooBig:
        raise TooBig(f"entries below {printable(system.projects)}", ENTRIES) from None


def message_folders(system: PocketAgent, tree: ProjectTree) -> tuple[MessageFolder, ...]:
    """Give the logs/ folder of each project that has one."""
    guide = system.dialect == "yaml"
    depth = system.projects.count("/") + 2
    found: dict[str, dict[str, Entry]] = {}
    for entry in tree.entries:
        folder, name = os.path.split(entry.path)
        if entry.path.count("/") == depth and name == "logs" and entry.kind == "folder":
            found[entry.path] = {}
        elif folder in found:
            found[folder][name] = entry
    return tuple(MessageFolder(path, entries, guide) for path, entries in found.items())
