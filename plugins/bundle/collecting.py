"""What a system wants in a support bundle beside its facts: declared in its own bundle.py.

A collection is written like a probe: its parameters are `system` and endpoints, it has a deadline,
and it judges nothing. It yields files to be read and texts that it made; they are read here, and
nowhere else, up to their limits. What cannot be read is told, and keeps nothing else out.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

from plugins.answers import Answer
from plugins.endpoints.filesystem import Filesystem
from plugins.outcomes import Absent, NoFact, NotThere
from plugins.rounds import Round
from plugins.text import printable

C = TypeVar("C", bound=Callable[..., "Iterable[File | Text]"])

LAST = 256 << 10  # bytes of the end of a log
LARGEST_FILE = 1 << 20  # bytes of a file that is taken whole
LARGEST = 24 << 20  # bytes of all that is collected
_LINE = 8000  # characters
_KEY_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")


@dataclass(frozen=True)
class File:
    """A file that is to be read; nothing where there is none.

    Args:
        name: of it in the bundle, below its system: small letters, digits, `_`, `-` and `.`.
        path: where it stands on the host.
        last: only so many bytes of its end, 0 for all of it.
        follow: follow a link that names it.
    """

    name: str
    path: str
    last: int = 0
    follow: bool = False


@dataclass(frozen=True)
class Text:
    """A text that a collection made.

    Args:
        name: as that of a file.
        source: where it comes from, as a person would ask for it: `docker ps -a`.
        text: what it says.
        part: it begins, and may end, in the middle of something longer.
    """

    name: str
    source: str
    text: str | bytes
    part: bool = False


@dataclass(frozen=True)
class Collected:
    """One file of a bundle, or why it is not in it.

    Args:
        name: with its folder.
        source: where it comes from.
        text: fit to be shown, and not masked yet.
        cut: bytes that were left out.
        why: it could not be read, and why; "" when it was.
    """

    name: str
    source: str
    text: str = ""
    cut: int = 0
    why: str = ""


@dataclass(frozen=True)
class Collection:
    """What is declared of a collection.

    Args:
        system: whose it is.
        function: yields what is wanted.
        deadline: seconds for all of it.
    """

    system: str
    function: Callable[..., Iterable[File | Text]]
    deadline: float


def collect(*, deadline: float = 10.0) -> Callable[[C], C]:
    """Declare a generator of files and texts to be a collection of its system.

    Args:
        deadline: seconds for it and for the reading of its files.

    Raises:
        TypeError: at import, when it stands in no system's folder or has no docstring.
    """

    def declare(function: C) -> C:
        system = function.__module__.rpartition(".")[0].rpartition(".")[2]
        if not system or not inspect.cleandoc(function.__doc__ or ""):
            name = f"{function.__module__}.{function.__name__}"
            raise TypeError(f"{name} lacks a system or a docstring")
        function.__collection__ = Collection(system, function, deadline)  # type: ignore[attr-defined]
        return function

    return declare


def collections_of(system: str) -> tuple[Collection, ...]:
    """Return the collections that a system's bundle.py declares, in its order."""
    name = f"healthchecks.{system}.bundle"
    if importlib.util.find_spec(name) is None:
        return ()
    found = (
        getattr(one, "__collection__", None) for one in vars(importlib.import_module(name)).values()
    )
    return tuple(one for one in found if isinstance(one, Collection) and one.system == system)


def collected(round_: Round, systems: Iterable[str], until: float) -> tuple[Collected, ...]:
    """Collect what the systems want that are here, all at once.

    Args:
        round_: whose hosts and endpoints are asked.
        systems: their names.
        until: a moment on the monotonic clock at which what is not there is given up.
    """
    asked: list[tuple[Collection, Answer]] = []
    for system in systems:
        for one in collections_of(system):
            what = f"{one.function.__name__} for the bundle"
            look = partial(_collect, round_, one)
            asked.append((one, round_.once(system, what, one.deadline, look)))
    found = [row for one, answer in asked for row in _taken(one, answer, until)]
    return tuple(_bounded(sorted(found, key=lambda row: row.name)))


def _taken(one: Collection, answer: Answer, until: float) -> tuple[Collected, ...]:
    try:
        return cast("tuple[Collected, ...]", answer.get(until))
    except NoFact as why:
        return _missed(one, why)


def _collect(round_: Round, one: Collection) -> tuple[Collected, ...]:
    given = {
        name: round_.argument(one.system, name)
        for name in inspect.signature(one.function).parameters
    }
    if "system" not in given:
        round_.system(one.system)  # of a system that is not here nothing is wanted
    filesystem: Filesystem = round_.endpoint(one.system, "filesystem")
    found: list[Collected | None] = []
    try:
        found.extend(_one(one.system, part, filesystem) for part in one.function(**given))
    except NoFact as why:  # what came before it is kept
        found.extend(_missed(one, why))
    return tuple(row for row in found if row is not None)


def _missed(one: Collection, why: NoFact) -> tuple[Collected, ...]:
    if isinstance(why, Absent):
        return ()
    title = inspect.cleandoc(one.function.__doc__ or "").partition("\n")[0].rstrip(".")
    said = printable(str(why), 600)
    return (Collected(f"{one.system}/{one.function.__name__}", title, why=said),)


def _one(system: str, part: File | Text, filesystem: Filesystem) -> Collected | None:
    name = f"{system}/{part.name}"
    if isinstance(part, Text):
        return Collected(name, part.source, fit(part.text, part=part.part))
    try:
        return _read(name, part, filesystem)
    except NotThere:
        return None
    except NoFact as why:
        return Collected(name, printable(part.path), why=printable(str(why), 600))


def _read(name: str, part: File, filesystem: Filesystem) -> Collected | None:
    path, source, cut = part.path, printable(part.path), 0
    if part.follow:
        path = filesystem.resolve(path)
    seen = filesystem.look(path)
    if seen is None:
        return None
    if not part.last:
        return Collected(name, source, fit(filesystem.read(path, LARGEST_FILE)))
    content = filesystem.tail(path, part.last)
    whole = seen.size <= len(content)
    if not whole:
        # Half a line may be half a secret, which no rule knows.
        content = content.partition(b"\n")[2]
        cut = seen.size - len(content)
    return Collected(name, source, fit(content, part=not whole), cut)


def fit(content: str | bytes, *, part: bool = False) -> str:
    """Return content as text that can be shown: no control character but the line breaks.

    Args:
        content: bytes that are not UTF-8 stay visible.
        part: what stands before it was left out: the rest of a private key goes too.
    """
    text = content if isinstance(content, str) else content.decode("utf-8", "surrogateescape")
    lines = text.split("\n")
    if part:
        ends = next((i for i, line in enumerate(lines) if _KEY_ENDS.search(line)), None)
        begins = next((i for i, line in enumerate(lines) if _KEY_BEGINS.search(line)), len(lines))
        lines = lines if ends is None or begins <= ends else lines[ends + 1 :]
    return "\n".join(printable(line, _LINE) for line in lines)


def _bounded(rows: Iterable[Collected]) -> Iterator[Collected]:
    """Yield the rows; what no longer fits into a bundle is told instead."""
    room, seen = LARGEST, set[str]()
    for row in rows:
        size = len(row.text.encode("utf-8", "backslashreplace"))
        if row.name in seen:
            continue
        seen.add(row.name)
        if size > room:
            why = f"there was no room left for it: a bundle takes {LARGEST >> 20} MiB of files"
            yield Collected(row.name, row.source, why=why)
        else:
            room -= size
            yield row


def numbered(prefix: str, paths: Iterable[str], *, last: int = LAST) -> Iterator[File]:
    """Yield files of one kind, whose own names are a stranger's: `log-1.txt`, `log-2.txt`."""
    for number, path in enumerate(paths, 1):
        yield File(f"{prefix}-{number}.txt", path, last, follow=True)


def table(rows: Iterable[Iterable[Any]]) -> str:
    """Return rows as lines, with one tab's width of spaces between cells."""
    return "".join("  ".join(printable(str(cell), 2000) for cell in row) + "\n" for row in rows)
