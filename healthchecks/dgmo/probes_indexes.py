"""What is seen of the indexes of sub-sessions, and of who names whom."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from healthchecks.dgmo.store_looks import WHOLE, Look, StoreFile, StoreFiles, looks, told
from healthchecks.dgmo.system import Dgmo
from plugins import probe
from plugins.endpoints.json_folders import JsonFolders
from plugins.run import Run


@dataclass(frozen=True)
class Index:
    """An index that is wrong.

    Args:
        file: where it is and what is wrong.
        rebuilt: what it should hold, by the records.
        folder: the folder to make for it first, "" where there is one.
    """

    file: StoreFile
    rebuilt: tuple[str, ...]
    folder: str

    @property
    def content(self) -> bytes:
        """What it should hold, as the program writes it."""
        return json.dumps(self.rebuilt, separators=(",", ":")).encode()

    @property
    def mode(self) -> int:
        """The permissions that it has, or gets."""
        return stat.S_IMODE(self.file.mode) if self.file.regular else 0o600

    def __str__(self) -> str:
        return str(self.file)


@probe(deadline=WHOLE)
def broken_indexes(system: Dgmo, json_folders: JsonFolders, run: Run) -> tuple[Index, ...]:
    """Indexes that are no list of ids."""
    return tuple(_indexes(system, json_folders, run, lambda why, missing, dangling: why))


@probe(deadline=WHOLE)
def short_indexes(system: Dgmo, json_folders: JsonFolders, run: Run) -> tuple[Index, ...]:
    """Indexes that a sub-session's record is missing from."""

    def wrong(_: str, missing: list[str], __: list[str]) -> str:
        return _named("it lacks", missing)

    return tuple(_indexes(system, json_folders, run, wrong))


@probe(deadline=WHOLE)
def dangling_indexes(system: Dgmo, json_folders: JsonFolders, run: Run) -> tuple[Index, ...]:
    """Indexes that name what has no record."""

    def wrong(_: str, __: list[str], dangling: list[str]) -> str:
        return _named("it names what is not there:", dangling)

    return tuple(_indexes(system, json_folders, run, wrong))


@probe(deadline=WHOLE)
def strangers(system: Dgmo, json_folders: JsonFolders, run: Run) -> StoreFiles:
    """Sessions, records and indexes of which one does not know the other."""
    every = looks(system, json_folders, run)
    for one in every:
        one.demand_relations()
    return told(every, "strangers")


def _named(words: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{words} {', '.join(names[:3])}{more}"


def _indexes(
    system: Dgmo,
    json_folders: JsonFolders,
    run: Run,
    wrong: Callable[[str, list[str], list[str]], str],
) -> Iterator[Index]:
    """Yield the indexes of all stores of which `wrong` has something to say."""
    for one in looks(system, json_folders, run):
        one.demand_relations()
        yield from _of(one, wrong)


def _of(one: Look, wrong: Callable[[str, list[str], list[str]], str]) -> Iterator[Index]:
    for path, identity, mode, why, missing, dangling, rebuilt in one.rows("indexes"):
        words = wrong(why, missing, dangling)
        if words:
            file = StoreFile(one.path(path), words, identity, mode, one.still)
            folder = "" if one.seen.judged["indexed"] else os.path.dirname(file.path)
            yield Index(file, tuple(rebuilt), folder)
