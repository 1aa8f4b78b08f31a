"""How the stores get to another place: copied and compared, with what to set told."""

from __future__ import annotations

import os
from collections.abc import Iterator

from healthchecks.dgmo.folders import missing_above
from healthchecks.dgmo.system import Dgmo, Store
from plugins import Absent
from plugins.arguments import Misgiven
from plugins.endpoints.filesystem import Filesystem
from plugins.inquiries import Note
from plugins.recovery import Within
from plugins.shell import quoted
from plugins.steps import CopyTree, Mkdir, Step

_PLACES = {
    "unified": "dgmo/project/{}",
    "project": "dgmo/project/{}",
    "opencode": "opencode/project/{}",
    "workspace": "opencode/User/workspaceStorage/{}/dgmo",
}


def moved(system: Dgmo, filesystem: Filesystem, to: str) -> Iterator[Step | Note | Within]:
    """Yield the steps, and what to do when they were taken.

    Raises:
        Misgiven: the place is none, or lies in a store.
        Absent: there is no store.
    """
    if not system.in_use:
        raise Absent("a session store to move", system.places)
    place = os.path.normpath(system.settings.path(to))
    if not to.startswith(("/", "~")) or place == "/":
        raise Misgiven("to: it must be the full path of a folder, such as /data/share")
    yield Within(place)
    made: set[str] = set()
    for store in system.in_use:
        target = os.path.join(place, _PLACES[store.kind].format(store.name))
        _demand(store, target, filesystem)
        for folder in missing_above(filesystem, target):
            if not f"{folder}/".startswith(f"{place}/"):
                raise Misgiven(f"to: {folder} is not there; make it first")
            if folder not in made:
                made.add(folder)
                yield Mkdir(folder)
        yield CopyTree(target, store.root)
    yield from _told(system, place)


def _demand(store: Store, target: str, filesystem: Filesystem) -> None:
    if filesystem.exists(target):
        raise Misgiven(f"to: {target} is there already; nothing is written over it")
    if f"{target}/".startswith(f"{store.root}/"):
        raise Misgiven(f"to: {target} lies in the store itself")


def _told(system: Dgmo, place: str) -> Iterator[Note]:
    yield Note(
        f"then put this into the profile of your shell: export XDG_DATA_HOME={quoted(place)}"
    )
    yield Note(f'and into [dgmo] of the systems file: data_home = "{place}"')
    yield Note("what you set up with OPENCODE_DATA_PATH stays without effect: no program reads it")
    olds = ", ".join(store.root for store in system.in_use)
    yield Note(f"the old place stays until you move it away yourself: {olds}")
