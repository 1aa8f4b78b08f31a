"""A unit of a world, as a stand-in for systemctl shows it, and what it printed."""

from __future__ import annotations

import shlex
from pathlib import Path

_WELL = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running"}
_WELL |= {"Result": "success", "NRestarts": "0"}


def unit_that_shows(
    folder: Path, name: str, text: str, shown: dict[str, str], journal: str = ""
) -> dict[str, object]:
    """Write a unit's file and programs that tell of it; return the settings that lead there.

    Args:
        folder: an empty or new one for them.
        name: of the unit.
        text: its file.
        shown: properties that are not those of a unit that runs well, such as SubState.
        journal: what it printed.
    """
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    lines = "".join(f"{key}={value}\n" for key, value in (_WELL | shown).items())
    for program, told in (("systemctl", lines), ("journalctl", journal)):
        path = folder / program
        path.write_text(f"#!/bin/sh\nprintf %s {shlex.quote(told)}\n")
        path.chmod(0o755)
    return {"unit": name, "unit_folders": [str(folder)], "systemctl": str(folder / "systemctl")}
