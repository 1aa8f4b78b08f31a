"""A bundle that is judged: its manifest, its looks, and the systems files that were in force."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plugins.bundle.contents import CONFIGURATION, FORMAT, moment_of
from plugins.bundle.looks import ID, Looks
from plugins.bundle.packing import FIRST, NoBundle
from plugins.configuration import Configuration
from plugins.finding import Severity, Waiver
from plugins.text import printable


@dataclass(frozen=True)
class Opened:
    """A bundle that is judged.

    Args:
        looks: what it holds of looks.
        moment: when it was made.
        version: of this project, that made it.
        host: the name of the machine that it is of.
        only: the systems that were asked for.
        deep: whether slow checks ran.
        deadline: seconds, of the run.
        require: ids that must have run.
        checks: what is told of each check that was judged, by id.
        left_aside: ids of the checks that were known and not asked for.
        unlike: ids of the checks that the bundle cannot answer, and why.
    """

    looks: Looks
    moment: datetime
    version: str
    host: str
    only: tuple[str, ...]
    deep: bool
    deadline: float
    require: frozenset[str]
    checks: Mapping[str, Mapping[str, str]]
    left_aside: frozenset[str]
    unlike: Mapping[str, str]


def opened_bundle(members: Mapping[str, bytes]) -> Opened:
    """Return what the files of a bundle say; raises `NoBundle` where they are broken."""
    try:
        head = json.loads(members[FIRST])
        if head["format"] != FORMAT:
            made = printable(str(head["format"]), 40)
            raise NoBundle(f"its format is {made}, and this version reads {FORMAT} only")
        version, run = printable(str(head["tool"]["version"]), 60), head["run"]
        return Opened(
            looks=Looks(members, version),
            moment=moment_of(head),
            version=version,
            host=str(head["host"]["name"]),
            only=tuple(map(str, run["only"])),
            deep=run["deep"] is True,
            deadline=_seconds(run["deadline"]),
            require=frozenset(map(str, run["require"])),
            checks={str(row["id"]): _told(row) for row in head["checks"]},
            left_aside=frozenset(map(str, head["left_aside"])),
            unlike={str(name): str(why) for name, why in head["unlike"].items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        said = f"{type(error).__name__}: {error}"
        raise NoBundle(f"its {FIRST} or its facts are broken: {printable(said, 200)}") from None


def _told(row: Mapping[str, Any]) -> dict[str, str]:
    words = ("id", "system", "severity", "title", "outcome")
    told = {word: printable(str(row[word]), 300) for word in words}
    Severity(told["severity"])
    if not ID.fullmatch(row["id"]) or not row["system"].isidentifier():
        raise ValueError("what is no id of a check")
    return told


def _seconds(said: Any) -> float:
    seconds = float(said)
    if not 0 < seconds < math.inf:
        raise ValueError("a deadline that is none")
    return seconds


def configuration(
    members: Mapping[str, bytes], shipped: Configuration, shown: str
) -> Configuration:
    """Return the systems files that were in force, over what this version ships.

    Raises:
        Misconfigured: what the bundle says is no configuration.
        NoBundle: it is broken.
    """
    try:
        said = json.loads(members[CONFIGURATION])
        tables = {
            system: {
                key: one["value"] for key, one in table.items() if key in shipped.tables[system]
            }
            for system, table in said["tables"].items()
            if system in shipped.tables
        }
        waivers = {
            str(name): Waiver(*(str(one[word]) for word in ("until", "because", "owner")))
            for name, one in said["waivers"].items()
        }
        require = tuple(map(str, said["require"]))
        laid = shipped.lay_over(tables, f"the bundle {shown}")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        said = f"{type(error).__name__}: {error}"
        raise NoBundle(f"its {CONFIGURATION} is broken: {printable(said, 200)}") from None
    # Without [notify]: nobody is told of another machine, and a stranger's URLs are not asked.
    return Configuration(laid.tables, require, waivers, str(said.get("origin", "")))
