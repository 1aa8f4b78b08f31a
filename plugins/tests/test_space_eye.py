"""What is said of a file system's room is what `df` says of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from plugins.eyes import space


def df(*words: str) -> list[int]:
    """Return the first three numbers of the last line: whole, used, free."""
    ran = subprocess.run(["df", *words], capture_output=True, text=True, check=True)
    return [int(word) for word in ran.stdout.splitlines()[-1].split()[1:4]]


def test_room_is_what_df_says(tmp_path: Path) -> None:
    (row,) = space.rooms([str(tmp_path / "not/there/yet")], 3.0)
    whole, used, free = df("-P", "-B1", str(tmp_path))
    slack = 64 << 20  # others write meanwhile
    assert row["total"] == whole
    assert row["used"] == pytest.approx(used, abs=slack)
    # Less than what is not used: a part is kept for root.
    assert row["free"] == pytest.approx(free, abs=slack)
    assert (row["state"], row["sealed"], row["image"]) == ("answered", False, False)


def test_two_folders_of_one_file_system_are_one_row(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    rows = space.rooms([str(tmp_path), str(tmp_path / "other")], 3.0)
    assert [row["folder"] for row in rows] == [str(tmp_path)]
