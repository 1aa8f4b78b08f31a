"""A file and what stands beside it are replaced together, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from plugins.hands import across, replacing
from plugins.tests.worksite import root

__all__ = ["root"]

BESIDE = ["-journal", "-wal"]


def standing(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def with_a_journal(root: Path) -> tuple[str, str, str]:
    (root / "a.db").write_bytes(b"former")
    (root / "a.db-journal").write_bytes(b"journal")
    for name in ("new", "slot"):
        (root.parent / name).mkdir()
    (root.parent / "new" / "new.db").write_bytes(b"new")
    return str(root / "a.db"), str(root.parent / "new" / "new.db"), str(root.parent / "slot" / "s")


def test_what_is_beside_goes_with_it(root: Path) -> None:
    path, new, slot = with_a_journal(root)
    assert replacing.replace(path, new, slot, BESIDE, [str(root.parent)]) == {}
    assert standing(root) == {"a.db": b"new"}
    assert Path(f"{slot}-journal").read_bytes() == b"journal"


def test_who_opened_it_meanwhile_keeps_it(root: Path) -> None:
    path, new, slot = with_a_journal(root)
    before = standing(root)
    with open(path, "r+b"), pytest.raises(OSError, match="opened it meanwhile"):
        replacing.replace(path, new, slot, BESIDE, [str(root.parent)])
    assert standing(root) == before


def test_nothing_is_moved_before_the_copy_is_there(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, new, slot = with_a_journal(root)
    before = standing(root)
    seen: list[dict[str, bytes]] = []
    copied = across.duplicate

    def duplicate(name: str, here: int, target: str, there: int) -> None:
        copied(name, here, target, there)
        seen.append(standing(root))
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(replacing, "duplicate", duplicate)
    with pytest.raises(OSError, match="No space"):
        replacing.replace(path, new, slot, BESIDE, [str(root.parent)])
    assert before.items() < seen[0].items()
    assert standing(root) == before
