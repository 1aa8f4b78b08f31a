"""What a journal says: the steps that were intended, and what became of each."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any

from plugins import steps as step_kinds
from plugins.steps import Step

State = dict[str, Any]


def packed(step: Step) -> dict[str, Any]:
    """Return an inverse step as JSON; inverse steps hold names and numbers only."""
    assert dataclasses.is_dataclass(step)
    return {"kind": type(step).__name__, **dataclasses.asdict(step)}


def unpacked(row: dict[str, Any]) -> Step:
    """Return the step that `packed` wrote."""
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items() if k != "kind"}
    kind = getattr(step_kinds, row["kind"])
    step: Step = kind(**values)
    return step


@dataclasses.dataclass(frozen=True)
class Entry:
    """One step of a journal: what was intended, and what became of it.

    `at` is in seconds since 1970, 0 in journals of the first versions.
    """

    number: int
    check: str
    step: str
    inverse: tuple[Step, ...]
    roots: tuple[str, ...]
    before: dict[str, State]
    after: dict[str, State] | None
    slot: str
    undone: bool
    targets: tuple[str, ...]
    light: bool
    at: float = 0.0


def read(path: Path) -> list[Entry]:
    """Return the steps in the order of taking; a cut last line is left out."""
    rows: dict[int, dict[str, Any]] = {}
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    for line in text.split(b"\n"):
        with contextlib.suppress(ValueError):
            row = json.loads(line)
            if not isinstance(row, dict):
                continue
            if "intended" in row:
                rows[row["intended"]] = row
            for key, name in (("taken", "after"), ("undone", "undone")):
                if key in row and row[key] in rows:
                    rows[row[key]][name] = row.get("after", True)
    return [_entry(number, row) for number, row in sorted(rows.items())]


def _entry(number: int, row: dict[str, Any]) -> Entry:
    return Entry(
        number=number,
        check=row["check"],
        step=row["step"],
        inverse=tuple(unpacked(back) for back in row["inverse"]),
        roots=tuple(row["roots"]),
        before=row["before"],
        after=row.get("after"),
        slot=row["slot"],
        undone=bool(row.get("undone")),
        targets=tuple(row["targets"]),
        light=bool(row.get("light")),
        at=float(row.get("at", 0.0)),
    )
