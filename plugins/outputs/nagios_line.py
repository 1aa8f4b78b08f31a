"""A monitoring plugin's line: state, what is worst, and perfdata; bounded, whatever the host says.

The form is that of the Monitoring Plugins' guidelines: `text | 'label'=value[unit];warn;crit;min`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from plugins.finding import Finding, Measure, Outcome, Severity
from plugins.report.conclusion import Conclusion
from plugins.report.document import verdict, worst_first
from plugins.report.status import nagios_state, untold
from plugins.text import printable

_TEXT, _PERFDATA = 700, 3000  # characters; an agent of Nagios may pass on no more than 4 KiB
_UNITS = {"s", "ms", "us", "%", "B", "KB", "MB", "TB"}
# A bar ends the text, and old web pages of Nagios show tags as such.
_SIGNS = str.maketrans({"|": "¦", "<": "‹", ">": "›"})


def text(conclusion: Conclusion) -> str:
    """Return the line, with its line break."""
    rows = worst_first(conclusion.account.findings())
    word, _ = nagios_state(conclusion.status)
    ill = [row for row in rows if row.outcome is Outcome.ILL]
    told = [verdict(rows), *_worst(ill)]
    errors = len(conclusion.account.strangers)
    if errors:
        told.append(f"{errors} failed and are no findings.")
    said = printable(" ".join(told), _TEXT).translate(_SIGNS)
    return f"AGENT HEALTH {word} - {said} | {_perfdata(conclusion, rows)}\n"


def _worst(ill: list[Finding]) -> Iterator[str]:
    for row in ill[:2]:
        yield f"{row.severity.value} {row.id}: {printable(row.message or row.title, 200)}."
    if len(ill) > 2:
        yield f"And {len(ill) - 2} more."


def _perfdata(conclusion: Conclusion, rows: tuple[Finding, ...]) -> str:
    ill = Counter(row.severity for row in rows if row.outcome is Outcome.ILL)
    held = conclusion.account.fail_on
    parts = []
    for severity in Severity:
        warned = "0" if severity >= held and severity is not Severity.P0 else ""
        critical = "0" if severity is Severity.P0 else ""
        parts.append(f"'{severity.value}'={ill[severity]};{warned};{critical};0")
    parts.append(f"'untold'={len(untold(rows))};;;0")
    parts.append(f"'time'={conclusion.seconds:.2f}s;;;0")
    return _within([*parts, *_measured(rows)], _PERFDATA)


def _measured(rows: tuple[Finding, ...]) -> Iterator[str]:
    """Each label once; of two measures with the same one the greater, as for Prometheus."""
    greatest: dict[str, Measure] = {}
    for row in rows:
        for measure in row.measures:
            label = _label(row.system, measure)
            known = greatest.get(label)
            if math.isfinite(measure.value) and (known is None or known.value < measure.value):
                greatest[label] = measure
    for label, measure in greatest.items():
        unit = measure.unit if measure.unit in _UNITS else ""
        yield f"'{label}'={measure.value:.10g}{unit};;;"


def _label(system: str, measure: Measure) -> str:
    # Of a limit it is not known whether it is the most or the least: none is told.
    unit = f" [{measure.unit}]" if measure.unit and measure.unit not in _UNITS else ""
    name = re.sub(r"['=|\s]+", " ", printable(f"{measure.series}{unit}", 60))
    return f"{system} {name}".translate(_SIGNS)


def _within(parts: list[str], limit: int) -> str:
    kept: list[str] = []
    for part in parts:
        limit -= len(part.encode()) + 1
        if limit < 0:
            break
        kept.append(part)
    return " ".join(kept)
