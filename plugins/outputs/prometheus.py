"""Metrics in Prometheus's text format, for node_exporter's textfile collector or a scrape.

The names and labels are stable; how many series there are is bounded by the number of checks and by
the limits below, whatever a host is called, measures or logs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from plugins.finding import Finding, Measure, Outcome, Severity
from plugins.report.conclusion import Conclusion
from plugins.report.status import untold
from plugins.text import printable

_LABEL = 120  # characters of a label that is not ours
_EACH, _ALL = 20, 1000  # measures of a check, and of a run


@dataclass
class _Family:
    """One metric with its samples, each set of labels once."""

    name: str
    says: str
    samples: dict[str, float] = field(default_factory=dict)

    def add(self, value: float, **labels: str) -> bool:
        """Take a sample, of two with the same labels the greater; tell whether they were new."""
        key = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        is_new = key not in self.samples
        self.samples[key] = value if is_new else max(value, self.samples[key])
        return is_new

    def lines(self) -> Iterator[str]:
        if not self.samples:
            return
        yield f"# HELP agent_health_{self.name} {self.says}"
        yield f"# TYPE agent_health_{self.name} gauge"
        for labels, value in self.samples.items():
            yield f"agent_health_{self.name}{{{labels}}} {_number(value)}"


def _escaped(text: str) -> str:
    shown = printable(text, _LABEL)
    return shown.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isfinite(value):
        return repr(value) if isinstance(value, float) else str(value)
    return "NaN" if math.isnan(value) else f"{'+' if value > 0 else '-'}Inf"


def text(conclusion: Conclusion) -> str:
    """Return the metrics of what a run came to."""
    host = conclusion.account.name
    rows = conclusion.account.findings()
    families = (*_of_run(conclusion, host), *_of_checks(rows, host), *_of_measures(rows, host))
    return "".join(f"{line}\n" for family in families for line in family.lines())


def _of_run(conclusion: Conclusion, host: str) -> Iterable[_Family]:
    account, document = conclusion.account, conclusion.document
    rows = account.findings()
    outcomes = Counter(row.outcome for row in rows)
    ill = Counter(row.severity for row in rows if row.outcome is Outcome.ILL)
    finished = datetime.fromisoformat(document["finished"]).timestamp()
    checks = _Family("checks", "Selected checks by what they came to.")
    for outcome in Outcome:
        checks.add(outcomes[outcome], host=host, outcome=outcome.value)
    by_severity = _Family("ill_checks", "Checks that are ill, by severity; P0 is the worst.")
    for severity in Severity:
        by_severity.add(ill[severity], host=host, severity=severity.value)
    info = _Family("build_info", "Always 1; the version of the checks.")
    info.add(1, host=host, version=document["tool"]["version"])
    single = {
        ("exit_status", "Exit status of the last run; 0 is healthy."): conclusion.status,
        ("last_run_timestamp_seconds", "When the last run ended, in Unix time."): finished,
        ("run_duration_seconds", "How long the last run took."): round(conclusion.seconds, 3),
        ("untold_checks", "Checks of which nothing could be told."): len(untold(rows)),
        ("errors", "Failures that are no findings."): len(account.strangers),
    }
    made = [info, checks, by_severity]
    for (name, says), value in single.items():
        family = _Family(name, says)
        family.add(value, host=host)
        made.append(family)
    return made


def _of_checks(rows: Iterable[Finding], host: str) -> Iterable[_Family]:
    outcome = _Family("check_outcome", "Always 1; the outcome label says what the check came to.")
    took = _Family("check_duration_seconds", "How long the check took, its looks included.")
    for row in rows:
        labels = {"host": host, "system": row.system, "check": row.id}
        came_to = row.outcome.value
        outcome.add(1, **labels, severity=row.severity.value, outcome=came_to)
        if row.outcome is not Outcome.NOT_RUN:
            took.add(row.duration_s, **labels)
    return outcome, took


def _of_measures(rows: Iterable[Finding], host: str) -> Iterable[_Family]:
    value = _Family("measure", "A number that a check looked at, in the unit that is named.")
    limit = _Family("measure_limit", "The line that the measure must keep.")
    left_out = 0
    for row in rows:
        kept = 0
        for measure in row.measures:
            labels = {"host": host, "system": row.system, "check": row.id, **_named(measure)}
            if kept == _EACH or len(value.samples) == _ALL:
                left_out += 1
            elif value.add(measure.value, **labels):
                kept += 1
                if measure.limit is not None:
                    limit.add(measure.limit, **labels)
    missing = _Family("measures_left_out", "Measures beyond the number that is written.")
    missing.add(left_out, host=host)
    return value, limit, missing


def _named(measure: Measure) -> dict[str, str]:
    return {"name": measure.series, "unit": measure.unit}
