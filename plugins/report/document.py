"""The result document: JSON for machines, in the shape of schema.json beside this file."""

from __future__ import annotations

import json
import math
import os
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from plugins.finding import Finding, Outcome, Severity
from plugins.report.account import Account
from plugins.report.status import untold

SCHEMA_VERSION = "1"

_WORST_FIRST = (
    Outcome.ILL,
    Outcome.CANNOT_TELL,
    Outcome.NOT_RUN,
    Outcome.BLOCKED,
    Outcome.FIXED,
    Outcome.SILENCED,
    Outcome.ABSENT,
    Outcome.HEALTHY,
)


def rank(finding: Finding) -> tuple[int, str, str]:
    """Return the key that sorts findings worst first."""
    return _WORST_FIRST.index(finding.outcome), finding.severity.value, finding.id


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings, ill P0 first and healthy last."""
    return tuple(sorted(findings, key=rank))


def verdict(findings: Iterable[Finding]) -> str:
    """Return one sentence that says how the host is."""
    rows = tuple(findings)
    ill = Counter(row.severity for row in rows if row.outcome is Outcome.ILL)
    unknown = len(untold(rows))
    healthy = sum(row.outcome is Outcome.HEALTHY for row in rows)
    fixed = sum(row.outcome is Outcome.FIXED for row in rows)
    if ill:
        counts = ", ".join(f"{ill[level]} {level.value}" for level in Severity if ill[level])
        heads = {
            Severity.P0: "Data is being lost or exposed, or a system is down",
            Severity.P1: "The next crash, restart or full disk will hurt",
            Severity.P2: "Degraded",
            Severity.P3: "Untidy, no more",
        }
        head = f"{heads[max(ill)]}: {counts}."
    elif healthy or fixed:
        head = "Nothing is known to be ill."
    else:
        head = "Nothing was judged: this says nothing about the host."
    cured = f" {fixed} fixed in this run." if fixed else ""
    return f"{head}{cured}" + (f" {unknown} could not be told." if unknown else "")


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    for measure in row["measures"]:
        for name in ("value", "limit"):
            if measure[name] is not None and not math.isfinite(measure[name]):
                measure[name] = None
    return row


def tool() -> dict[str, str]:
    """Return the name and the version of this project, as pyproject.toml has them."""
    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text("utf-8"))
    return {"name": project["project"]["name"], "version": project["project"]["version"]}


def document(account: Account, exit_status: int, finished: datetime) -> dict[str, Any]:
    """Return the result document as plain JSON types.

    Args:
        account: what the run gathered.
        exit_status: the status that the process ends with.
        finished: when the run ended, with its offset from UTC.
    """
    rows = worst_first(account.findings())
    outcomes = Counter(row.outcome for row in rows)
    ill = Counter(row.severity for row in rows if row.outcome is Outcome.ILL)
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": tool(),
        "host": {"spec": account.host, "name": account.name},
        "started": account.started.isoformat(timespec="milliseconds"),
        "finished": finished.isoformat(timespec="milliseconds"),
        "exit_status": exit_status,
        "compared_with": account.compared_with,
        "summary": {
            "verdict": verdict(rows),
            "outcomes": {outcome.value: outcomes[outcome] for outcome in Outcome},
            "ill": {severity.value: ill[severity] for severity in Severity},
            "absent_systems": [
                {"system": system, "looked": looked} for system, looked in account.absences
            ],
            "warnings": list(account.warnings),
            "errors": [{"nodeid": nodeid, "text": text} for nodeid, text in account.strangers],
        },
        "findings": [_finite(row.to_row()) for row in rows],
    }


def as_text(body: dict[str, Any]) -> str:
    """Return the document as JSON text: ASCII, two spaces deep, with a line break at its end."""
    return json.dumps(body, indent=2, allow_nan=False) + "\n"


def save(path: Path, text: str, mode: int = 0o600) -> None:
    """Write the text whole or not at all, readable by its owner only if nobody says otherwise.

    A reader sees the old file or the new one, never a part. Evidence may name private files.

    Raises:
        OSError: the folder is not there or not writable, or the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
