"""What `list` and `find` answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from healthchecks.crash_protection.recovering_lines import (
    count,
    flat,
    moment,
    places_of,
    project_of,
    row,
)
from healthchecks.crash_protection.recovering_places import (
    Everything,
    Standing,
    Summary,
    read,
)
from healthchecks.crash_protection.search_index import Index, Place
from healthchecks.crash_protection.search_words import Needle, folded, unescaped
from plugins.arguments import Misgiven
from plugins.hosts import Host
from plugins.inquiries import Note
from plugins.outcomes import Absent, CannotTell
from plugins.text import printable

_LONGEST = 4096  # characters that are searched for
_AROUND = 90  # characters on each side of what was found


def _kept(state: Path) -> Path:
    return state / "conversations"


def listed_lines(
    everywhere: Everything, commands: Host, state: Path, limit: str, since: str, until: str
) -> Iterator[str]:
    """Yield a line for each conversation, the newest first.

    Raises:
        Absent, CannotTell: there is none, or none is known of as a place was not seen.
    """
    most, after, before = (
        count("limit", limit),
        moment("since", since),
        moment("until", until, end=True),
    )
    _here(commands)
    by_key = {
        key: files
        for key, files in everywhere.by_key().items()
        if not all(one.sub_agent for one in files)
    }
    rows, untold = _dated(by_key, commands, state, after, before)
    _none_of(rows, everywhere, untold, "a conversation" + _between(since, until))
    for one, said, project in rows[:most]:
        yield row(one, said, project)
    yield from _rest(everywhere, untold)
    if len(rows) > most:
        yield Note(f"{len(rows) - most} more: --with limit={len(rows)}")


Dated = tuple[Standing, Summary, str]


def _dated(
    by_key: dict[str, list[Standing]],
    commands: Host,
    state: Path,
    after: datetime | None,
    before: datetime | None,
) -> tuple[list[Dated], list[str]]:
    """Return the longest file of each conversation within a time, the newest first."""
    longest = {key: max(files, key=_longest) for key, files in by_key.items()}
    told = read([*longest.values()], commands, _kept(state))
    rows: list[tuple[datetime, Dated]] = []
    untold = []
    for key, one in longest.items():
        said = told[one.path]
        if isinstance(said, CannotTell):
            untold.append(str(said))
            continue
        ended = said.ended(one.mtime_ns)
        if (after is None or ended >= after) and (before is None or ended < before):
            rows.append((ended, (one, said, project_of(by_key[key], said))))
    rows.sort(key=lambda pair: (pair[0], pair[1][0].path), reverse=True)
    return [dated for _, dated in rows], untold


def _longest(one: Standing) -> tuple[int, int]:
    return one.size, one.mtime_ns


def _here(commands: Host) -> None:
    if not commands.is_local:
        raise CannotTell(f"conversations are read where they are: run this on {commands.spec}")


def _none_of(rows: object, everywhere: Everything, untold: list[str], what: str) -> None:
    """Raise, where there are no rows, that there is none or that nobody knows."""
    if rows:
        return
    missed = (*everywhere.unseen, *untold)
    if missed:
        raise CannotTell(f"{what}: none was found, but {'; '.join(missed[:5])}")
    raise Absent(f"{what}: none", everywhere.looked_in)


def _between(since: str, until: str) -> str:
    return (f" since {since}" if since else "") + (f" until {until}" if until else "")


def _rest(everywhere: Everything, untold: list[str]) -> Iterator[Note]:
    for why in (*everywhere.unseen, *untold):
        yield Note(f"not looked at: {why}")


def found_lines(
    everywhere: Everything,
    commands: Host,
    state: Path,
    text: str,
    name: str,
    since: str,
    until: str,
) -> Iterator[str]:
    """Yield the lines of each conversation that holds a text, the newest first.

    Raises:
        Misgiven: nothing to search for was given.
        Absent, CannotTell: nothing was found, or nobody knows as a place was not seen.
    """
    after, before = moment("since", since), moment("until", until, end=True)
    if not (text or name or since or until):
        raise Misgiven(
            "find must be told what to look for: --with text=…, id=…, since=… or until=…"
        )
    if len(text) > _LONGEST:
        raise Misgiven(f"text is longer than {_LONGEST} characters")
    _here(commands)
    by_key = {
        key: files for key, files in everywhere.by_key().items() if not name or _called(name, files)
    }
    hits, untold = _searched(by_key, commands, state, text) if text else ({}, [])
    if text:
        holding = {key: [one for one in files if one.path in hits] for key, files in by_key.items()}
        by_key = {key: files for key, files in holding.items() if files}
    what = f"{text!r}" * bool(text) + f" id {name}" * bool(name) + _between(since, until)
    rows: list[Dated] = []
    if by_key:
        rows, more = _dated(by_key, commands, state, after, before)
        untold += more
    _none_of(rows, everywhere, untold, printable(what.strip(), 200))
    for one, said, project in rows:
        files = by_key[one.key]
        yield row(one, said, project)
        yield f"    in {places_of(files)}: {printable(files[0].path, 600)}"
        if text:
            hit = next(hits[each.path] for each in files if each.path in hits)
            yield f"    {around(hit, text)}"
    yield from _rest(everywhere, untold)


def _called(name: str, files: list[Standing]) -> bool:
    return any(one.key.startswith(name) for one in files)


def _searched(
    by_key: dict[str, list[Standing]], commands: Host, state: Path, text: str
) -> tuple[dict[str, bytes], list[str]]:
    """Return path -> the first line that holds the text, and what could not be read."""
    index = Index(_kept(state) / "words", commands)
    places = [Place(one.path, one.identity) for files in by_key.values() for one in files]
    unread = set(index.update(places))
    readable = [place for place in places if place.path not in unread]
    hits = {hit.path: hit.line for hit in index.search(readable, Needle(text))}
    return hits, [f"{printable(path)}: it cannot be read" for path in sorted(unread)]


def around(line: bytes, text: str) -> str:
    """Return what was said around a text in a record's line, and by whom."""
    who, said = _spoken(line, text)
    wanted = folded(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
    low = folded(said.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogateescape")
    at = max(low.find(wanted), 0)
    start, end = max(0, at - _AROUND), at + len(text) + _AROUND
    before, after = "…" if start else "", "…" if end < len(said) else ""
    return f"{who}{before}{flat(said[start:end], 3 * _AROUND + len(text))}{after}"


def _spoken(line: bytes, text: str) -> tuple[str, str]:
    """Return "user: " or the like and the text of the record that holds it; else the line."""
    wanted = folded(text.encode("utf-8", "surrogateescape"))
    try:
        record: Any = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    waiting = [record]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += reversed([*value.values()])
        elif isinstance(value, list):
            waiting += reversed(value)
        elif isinstance(value, str) and wanted in folded(value.encode("utf-8", "surrogatepass")):
            kind = record.get("type") if isinstance(record, dict) else None
            return f"{printable(kind, 40)}: " if isinstance(kind, str) else "", value
    return "", unescaped(line).decode("utf-8", "replace")
