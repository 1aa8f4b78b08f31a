"""What a run saw, as files of a bundle; and such files in the place of looks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from plugins.answers import Answer
from plugins.bundle.facts_in_json import Reader, Unreadable, Unwritable, Writer
from plugins.outcomes import Blocked, NoFact
from plugins.systems import Found

FOLDER = "facts/"
_LONGEST = 86_400.0  # seconds of one look
ID = re.compile(r"[A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+){1,9}")
LARGEST_FACT = 8 << 20  # characters of one fact as JSON


def written(answers: Mapping[tuple[str, str], Answer]) -> dict[str, dict[str, Any]]:
    """Return what was seen, by system and probe ("" for what was found), in JSON types."""
    tables: dict[str, dict[str, Any]] = {}
    for (system, probe), answer in sorted(answers.items()):
        tables.setdefault(system, {})[probe] = entry(answer)
    return tables


def entry(answer: Answer) -> dict[str, Any]:
    """Return one look in JSON types: a fact, what was met instead of it, or why it is in none."""
    writer = Writer()
    try:
        fact = writer.json(_value(answer))
        size = len(json.dumps(fact))
        if size > LARGEST_FACT:
            raise Unwritable(f"it is larger than a bundle takes ({size} characters of JSON)")
    except (Unwritable, RecursionError, ValueError) as why:
        return {"seconds": round(answer.seconds, 6), "left_out": str(why)}
    return {"seconds": round(answer.seconds, 6), "kinds": writer.kinds, "fact": fact}


def _value(answer: Answer) -> Any:
    try:
        return answer.get(0.0)
    except NoFact as why:
        return why


def with_facts(
    tables: Mapping[str, Mapping[str, Any]], make: Callable[[Any, str], Any]
) -> dict[str, dict[str, Any]]:
    """Return what was seen with each fact made anew by `make(fact, name of its file)`."""
    return {
        system: {
            probe: {**one, "fact": make(one["fact"], file_of(system))} if "fact" in one else one
            for probe, one in table.items()
        }
        for system, table in tables.items()
    }


def file_of(system: str) -> str:
    """Return the name of the file that holds what was seen of a system."""
    return f"{FOLDER}{system}.json"


def files(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """Return the files of a bundle that hold what was seen."""
    return {
        file_of(system): json.dumps(table, sort_keys=True).encode()
        for system, table in tables.items()
    }


class Looks:
    """What a bundle holds of looks; it stands in their place.

    Args:
        members: the files of the bundle, by name.
        made_by: the version of this project that made it.

    Raises:
        ValueError: a file of facts is broken as a whole.
    """

    def __init__(self, members: Mapping[str, bytes], made_by: str) -> None:
        self._made_by = made_by
        self._tables: dict[str, dict[str, Any]] = {}
        for name, content in members.items():
            if name.startswith(FOLDER):
                table = json.loads(content)
                if type(table) is not dict or not all(type(v) is dict for v in table.values()):
                    raise ValueError(f"{name} is no table of facts")
                self._tables[name.removeprefix(FOLDER).removesuffix(".json")] = table

    @property
    def systems(self) -> Iterable[str]:
        """The systems that were looked for."""
        return self._tables

    def system(self, name: str) -> Found:
        """Return what was found of a system; raises kinds of `NoFact`."""
        found = self._told(name, "")
        if not hasattr(found, "uses") or not hasattr(found, "settings"):
            raise Unreadable(f"the bundle's {name} is no system")
        return cast("Found", found)

    def fact(self, system: str, probe: str) -> Any:
        """Return what a probe saw; raises kinds of `NoFact`."""
        return self._told(system, probe)

    def seconds(self, system: str, probe: str) -> float:
        """Return how long the probe looked, 0 where that is not kept."""
        said = self._tables.get(system, {}).get(probe, {}).get("seconds")
        return float(said) if type(said) in (int, float) and 0 <= said < _LONGEST else 0.0

    def _told(self, system: str, probe: str) -> Any:
        one = self._tables.get(system, {}).get(probe)
        what = f"{system}: {probe or 'where it lives'}"
        if one is None:
            raise Unreadable(f"{what} is not in the bundle, which version {self._made_by} made")
        if "fact" not in one or type(one.get("kinds")) is not dict:
            raise Unreadable(f"{what} was left out of the bundle: {one.get('left_out', '')}")
        value = Reader(one["kinds"]).value(one["fact"])
        if isinstance(value, Blocked) and not ID.fullmatch(str(value.by)):
            raise Unreadable(f"{what} is said to be blocked by what is no id of a check")
        if isinstance(value, NoFact):
            raise value
        return value
