"""What earlier runs read of a log, kept in a file of one's own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from typing import Any

from plugins.eyes.lines import ROWS
from plugins.eyes.scan import shorten
from plugins.redaction import redact

_FORM = 2  # raised when the shape of what is kept changes: older files then start over


def _place(folder: str, question: tuple[str, ...]) -> str:
    name = hashlib.sha256(json.dumps(question).encode()).hexdigest()
    return os.path.join(folder, f"{name}.json")


def recall(folder: str | None, question: tuple[str, ...]) -> dict[str, Any]:
    """Return what was kept for the question; {} when nothing was, or what is there is damaged."""
    if folder is None:
        return {}
    try:
        with open(_place(folder, question), "rb") as file:
            kept = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    right = isinstance(kept, dict) and kept.get("form") == _FORM and "told" in kept
    return dict(kept["told"]) if right else {}


def keep(folder: str | None, question: tuple[str, ...], told: dict[str, Any]) -> None:
    """Keep it, for the owner's eyes alone, whole or not at all.

    A folder that cannot be written costs the next run its time and no more.
    """
    if folder is None:
        return
    with contextlib.suppress(OSError):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        descriptor, fresh = tempfile.mkstemp(dir=folder, prefix=".fresh-")
        try:
            with open(descriptor, "w", encoding="ascii") as file:
                json.dump({"form": _FORM, "told": _masked(told)}, file)
            os.replace(fresh, _place(folder, question))
        except OSError:
            os.unlink(fresh)
            raise


def _masked(told: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of it: a line of a log may hold a secret, and that is not kept."""
    tallies = {
        key: {**tally, "lines": [[when, redact(text)] for when, text in tally["lines"]]}
        for key, tally in told.get("tallies", {}).items()
    }
    return {**told, "tallies": tallies} if tallies else told


def scans_joined(before: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return what two scans of one file told: what was known, and what is new."""
    tallies = {key: dict(tally) for key, tally in before["tallies"].items()}
    for key, new in found["tallies"].items():
        old = tallies.get(key)
        if old is None:
            tallies[key] = new
            continue
        old["times"] = [*old["times"], *new["times"]]
        old["hours"] = _sums(old["hours"], new["hours"])
        old["undated"] += new["undated"]
        old["lines"] = [*old["lines"], *new["lines"]][-3:]
        shorten(old)
    return {**found, "tallies": tallies}


def lines_joined(before: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return what two readings of one file of JSON lines told."""
    told = dict(found)
    for kind in ("bad", "long"):
        moved = [[number + before["lines"], offset] for number, offset in found[kind]]
        told[kind] = [*before[kind], *moved][:ROWS]
        told[f"{kind}_total"] = before[f"{kind}_total"] + found[f"{kind}_total"]
    for name in ("lines", "undecodable"):
        told[name] = before[name] + found[name]
    return told


def _sums(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}
