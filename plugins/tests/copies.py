"""A folder of originals, and one of copies of them, for the tests of copying."""

from __future__ import annotations

from pathlib import Path

from plugins.hands import copying


def laid_out(folder: Path) -> Path:
    """Make folders for originals (`from`), for copies (`to`), and a quarantine; return theirs."""
    for name in ("from", "to", "quarantine"):
        (folder / name).mkdir()
    return folder


def row(site: Path, name: str, start: int = -1) -> list[object]:
    """Return what the hand is told of one copy."""
    return [str(site / "to" / name), str(site / "from" / name), str(site / "from"), start, ""]


def take(site: Path, *names: str) -> dict[str, str]:
    """Take or grow copies of these names."""
    rows = []
    for name in names:
        copy = site / "to" / name
        rows.append(row(site, name, copy.stat().st_size if copy.exists() else -1))
    return copying.take(rows, [str(site / "to")])


def refused(site: Path, *names: str) -> str:
    """Take copies, and return why none of them was to be had."""
    return take(site, *names).get("refused", "")


def left(site: Path) -> list[str]:
    """Return the names that stand among the copies."""
    return sorted(path.name for path in (site / "to").iterdir())
