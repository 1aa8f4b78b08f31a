"""The project's own checks, run over a described host, with their reports in a folder apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.timing import PYTEST, REPOSITORY, Timed, timed


@dataclass(frozen=True)
class Look:
    """One run of the suite: how it went as a program, and the findings of its document."""

    timed: Timed
    rows: tuple[Mapping[str, Any], ...]

    def row(self, name: str) -> Mapping[str, Any]:
        """Return the finding of a check by its id."""
        return next(row for row in self.rows if row["id"] == name)


def look(folder: Path, systems: Mapping[str, Mapping[str, object]], *words: str) -> Look:
    """Run `pytest healthchecks/ --systems FILE`; state, reports and compiled files are in `folder`.

    Args:
        folder: an existing one; the state in it is found again by the next look.
        systems: the tables of the systems file.
        words: further arguments.
    """
    tables = {**systems, "suite": {"state": str(folder / "state")}}
    lines: list[str] = []
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    file, document = folder / "systems.toml", folder / "health.json"
    file.write_text("\n".join(lines), "utf-8")
    document.unlink(missing_ok=True)
    reports = ("--health-json", str(document), "--html", str(folder / "health.html"))
    target = (str(REPOSITORY / "healthchecks"), "--systems", str(file), "-p", "no:cacheprovider")
    ran = timed((*PYTEST, *target, *reports, *words), folder)
    return Look(ran, tuple(json.loads(document.read_text("utf-8"))["findings"]))
