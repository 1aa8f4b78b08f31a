"""Queries of logs: jq programs that stand in the systems file, each with the limit it is held to.

A table `[SYSTEM.queries.NAME]` becomes a check `SYSTEM.query.NAME` of its own, without code.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_CHOICES = {"severity": ("P0", "P1", "P2", "P3"), "ill_when": ("above", "below")}
_NEEDED = ("log", "program", "limit")
# What a query is that says no more than it must; the type of each value is that of its default.
_DEFAULTS: dict[str, Any] = {
    "log": [],
    "hours": 0.0,
    "having": "",
    "each": "",
    "program": "",
    "limit": 0.0,
    "ill_when": "above",
    "unit": "",
    "lines": [],
    "severity": "P2",
    "title": "",
    "why": "Whoever wrote this query into the systems file wants to know when it is past its limit",
    "hint": "Look at the entries that are listed; the program and its limit stand in the systems"
    " file: `pytest healthchecks/ --print-systems`.",
    "guide": [],
    "enabled": True,
}


@dataclass(frozen=True)
class Query:
    """A question to logs, and when its answer is ill.

    Args:
        name: of its table; a Python identifier in small letters.
        log: names of logs, or paths; all that are there are read, one after the other.
        hours: only entries of the last so many hours; 0 for the newest 8 MiB of each log.
        having: a text that stands in every entry that counts, "" for none: others are skipped fast.
        each: a jq program for each entry by itself, "" for the entry as it is.
        program: a jq program for the array of all that `each` gave.
        limit: what its number is compared with.
        ill_when: "above" or "below".
        unit: of the number.
        lines: further limits, that are shown and not judged.
        severity: P0 to P3.
        title: the healthy state, in a sentence.
        why: why it matters.
        hint: what a person would do.
        guide: the entries of the catalog of knowledge that it answers for.
        enabled: False for a shipped one that somebody does not want.
    """

    name: str
    log: tuple[str, ...]
    hours: float
    having: str
    each: str
    program: str
    limit: float
    ill_when: str
    unit: str
    lines: tuple[float, ...]
    severity: str
    title: str
    why: str
    hint: str
    guide: tuple[str, ...]
    enabled: bool

    def is_ill(self, value: float) -> bool:
        """Tell whether a number is past the limit."""
        return value > self.limit if self.ill_when == "above" else value < self.limit


def queries_in(tables: Mapping[str, Mapping[str, Any]]) -> tuple[Query, ...]:
    """Return the queries of a table that was read by `laid`, those switched off too."""
    return tuple(_query(name, table) for name, table in tables.items())


def _query(name: str, table: Mapping[str, Any]) -> Query:
    said: dict[str, Any] = {**_DEFAULTS, **table}
    said["title"] = said["title"] or f"The query {name} is within its limit"
    for key in ("log", "lines", "guide"):
        said[key] = tuple(said[key])
    return Query(name, **said)


def laid(value: Any, below: Mapping[str, Any], where: str) -> dict[str, dict[str, Any]]:
    """Return tables of queries with others over them, key by key.

    Args:
        value: what a systems file says.
        below: the tables under it, already read by this function.
        where: what to begin a complaint with, such as `mine.toml: toy.queries`.

    Raises:
        ValueError: an unknown key (the nearest right one is named), a value of another type, a
            name that is none, or a query without a log, program or limit.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{where} holds tables, as in [….queries.<name>]")
    merged = {name: dict(table) for name, table in below.items()}
    for name, table in value.items():
        place = f"{where}.{name}"
        if not _NAME.fullmatch(name):
            raise ValueError(f"{place}: a query's name is of small letters, digits and _")
        if not isinstance(table, dict):
            raise ValueError(f"{place} must be a table with {', '.join(_NEEDED)}")
        said = {key: _fitting(key, said, place) for key, said in table.items()}
        merged[name] = {**merged.get(name, {}), **said}
        missing = [key for key in _NEEDED if key not in merged[name]]
        if missing:
            known = difflib.get_close_matches(name, list(below), 1) if missing == [*_NEEDED] else []
            hint = f"; did you mean {known[0]}?" if known else ""
            raise ValueError(f"{place} lacks {' and '.join(missing)}{hint}")
    return merged


def _fitting(key: str, value: Any, place: str) -> Any:
    """Return a value of a query as the type of its default."""
    if key not in _DEFAULTS:
        near = difflib.get_close_matches(key.lower(), list(_DEFAULTS), 1, 0.5)
        hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(_DEFAULTS)}"
        raise ValueError(f"{place}: unknown key {key}{hint}")
    default = _DEFAULTS[key]
    if key in _CHOICES and value not in _CHOICES[key]:
        raise ValueError(f"{place}.{key} must be one of {', '.join(_CHOICES[key])}, not {value!r}")
    if key == "log" and isinstance(value, str):
        value = [value]
    if isinstance(default, list):
        return _list(key, value, f"{place}.{key}")
    if isinstance(default, float):
        number = _number(value, f"{place}.{key}")
        if key == "hours" and number < 0:
            raise ValueError(f"{place}.hours must not be less than 0")
        return number
    if type(value) is not type(default):
        kind = "true or false" if isinstance(default, bool) else "a string"
        raise ValueError(f"{place}.{key} must be {kind}, not {value!r}")
    if key in {"program", "title", "why", "hint"} and not value.strip():
        raise ValueError(f"{place}.{key} must be a text that says something")
    return value


def _number(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{place} must be a number, not {value!r}")
    return float(value)


def _list(key: str, value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{place} must be a list, not {value!r}")
    if key == "lines":
        return [_number(item, place) for item in value]
    if not all(isinstance(item, str) and item for item in value) or (key == "log" and not value):
        raise ValueError(f"{place} must be a list of strings, not {value!r}")
    return value
