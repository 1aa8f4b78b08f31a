"""The steps of taking a backup as the kit lays it out, done right.

It is built under a name that nobody takes for a backup, compared as it is copied, and only then
given its date; the link to the newest one is moved last, in one rename.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.claude_docker.shelf import CONFIGURATION, TREE, Shelf, document_fault
from healthchecks.claude_docker.system import ClaudeDocker
from plugins import NotThere
from plugins.endpoints.filesystem import Filesystem
from plugins.steps import Chmod, Copy, CopyTree, Link, Mkdir, Move, PutAway, Step

_MAKING = ".making-"


@dataclass(frozen=True)
class Taking:
    """What a backup that is taken now would hold, and where.

    Args:
        root: the folder of backups.
        makes_root: whether that folder must be made first.
        stamp: the date that the backup gets.
        tree: Claude's folder, links followed; "" where there is none.
        file: Claude's configuration file, links followed; "" where there is none of its own.
        closes: whether that file's mode is wider than a backup's should be.
        left: what backups that were broken off have left.
        hindrance: why no backup should be taken of what is there now, "" when one may.
    """

    root: str
    makes_root: bool
    stamp: str
    tree: str
    file: str
    closes: bool
    left: tuple[str, ...]
    hindrance: str


def taking(system: ClaudeDocker, filesystem: Filesystem, shelf: Shelf) -> Taking:
    """Look at what there is to be backed up."""
    tree, file, closes = _there(system.config_dir, filesystem), "", False
    hindrance = "" if tree else f"{system.config_dir} is not there"
    if shelf.kind not in ("", "folder"):
        hindrance = f"{shelf.root} is a {shelf.kind}"
    configuration = _there(system.config_file, filesystem)
    if configuration:
        # A backup of a broken configuration would become the one that is restored.
        if fault := document_fault(configuration, filesystem):
            hindrance = f"{system.config_file}: {fault}"
        if not f"{configuration}/".startswith(f"{tree}/"):
            file = configuration
            found = filesystem.look(configuration)
            closes = found is not None and bool(found.mode & 0o177)
    entries = filesystem.folder(shelf.root, follow=True) if shelf.kind == "folder" else ()
    left = tuple(one.path for one in entries if one.name.startswith(_MAKING))
    return Taking(shelf.root, not shelf.kind, shelf.stamp, tree, file, closes, left, hindrance)


def _there(path: str, filesystem: Filesystem) -> str:
    try:
        return filesystem.resolve(path)
    except NotThere:
        return ""


def taken(plan: Taking) -> Iterator[Step]:
    """Yield the steps; none where no backup should be taken."""
    if plan.hindrance:
        return
    if plan.makes_root:
        yield Mkdir(plan.root)
    for path in plan.left:
        yield PutAway(path)
    folder = os.path.join(plan.root, plan.stamp)
    making = os.path.join(plan.root, f"{_MAKING}{plan.stamp}")
    yield Mkdir(making)
    yield CopyTree(os.path.join(making, TREE), plan.tree)
    if plan.file:
        copy = os.path.join(making, CONFIGURATION)
        yield Copy(copy, plan.file)
        if plan.closes:
            yield Chmod(copy, 0o600)
    yield Move(making, folder)
    yield Link(os.path.join(plan.root, "latest"), folder)
