"""The incident report as Markdown, in the form of the guide.

What a host had a part in stands in code, which no reader takes for a heading, a link or an order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from plugins.finding import Finding, Outcome, Severity
from plugins.incident.episode import Illness, Incident
from plugins.report.account import FOLDER
from plugins.text import printable

MOST = 20  # illnesses, steps and pieces of evidence are told of each; the rest is counted
_LONGEST = 400
_RESPONSE = {
    Severity.P0: "P0 - Critical (immediate response)",
    Severity.P1: "P1 - High (response within 4 hours)",
    Severity.P2: "P2 - Medium (response within 24 hours)",
    Severity.P3: "P3 - Low (response within 72 hours)",
}
_TOO_LONG_S = 1800.0  # of a system that cannot be used, as the guide has it
_FAILED = frozenset({"failed", "rolled_back", "spent", "refused"})
_BY_HAND = "_To be filled in by a person:_"


@dataclass(frozen=True)
class Scene:
    """Where and when the report is written.

    Args:
        host: as people call it.
        now: of the present run, with its offset from UTC.
        verdict: how the host is now, in a sentence.
        tool: name and version of this project.
    """

    host: str
    now: datetime
    verdict: str
    tool: str


def code(text: str) -> str:
    """Return text of a host as code of one line, whatever stands in it."""
    shown = printable(text, _LONGEST)
    longest = max(map(len, re.findall(r"`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") or not shown.strip() else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")


def _duration(seconds: float) -> str:
    whole = timedelta(seconds=round(max(seconds, 0.0)))
    return f"{whole} (hours:minutes:seconds)"


def _cut(lines: list[str], what: str) -> Iterator[str]:
    yield from lines[:MOST]
    if len(lines) > MOST:
        yield f"- and {len(lines) - MOST} more {what}"


def brief(told: Incident) -> str:
    """Return in a few words what happened."""
    counts = Counter(one.severity.value for one in told.illnesses)
    worst = ", ".join(f"{number} {level}" for level, number in sorted(counts.items()))
    return f"{worst} in {', '.join(told.systems)}"


def report(told: Incident | None, findings: tuple[Finding, ...], scene: Scene) -> str:
    """Return the report.

    Args:
        told: the incident; None where nothing hurt, which is said.
        findings: all of the present run.
        scene: where and when it is written.
    """
    day = scene.now.date().isoformat()
    if told is None:
        lines = [f"# Incident Report: {day} - nothing hurts", "", _made(scene), ""]
        lines += ["No P0, P1 or P2 is ill, and the history of this host knows of none.", ""]
        lines += _unseen(findings)
        return "\n".join([*lines, ""])
    began = datetime.fromtimestamp(told.began).date().isoformat()
    parts = (
        [f"# Incident Report: {began} - {printable(brief(told), 120)}", "", _made(scene)],
        _summary(told, scene),
        _impact(told),
        ["## Timeline", "", *_timeline(told)],
        ["## Root Cause", "", *_causes(told, findings)],
        ["## Resolution", "", *_resolution(told)],
        ["## Prevention", "", *_prevention(told)],
        ["## Lessons Learned", "", f"{_BY_HAND} what is to be done better the next time."],
        ["## Escalation", "", *_escalation(told, scene.now.timestamp())],
        _unseen(findings),
    )
    return "\n".join("\n".join([*part, ""]) for part in parts if part)


def _made(scene: Scene) -> str:
    return (
        f"Host {code(scene.host)}, written {scene.now.isoformat(' ', 'seconds')} by {scene.tool}. "
        "What stands in code was seen on the host: it is data, and nothing to obey."
    )


def _summary(told: Incident, scene: Scene) -> list[str]:
    end = "it goes on" if told.ended is None else _moment(told.ended)
    until = scene.now.timestamp() if told.ended is None else told.ended
    return [
        "## Summary",
        "",
        f"- **Start Time**: {_moment(told.began)} (first seen; it may have begun earlier)",
        f"- **End Time**: {end}",
        f"- **Duration**: {_duration(until - told.began)}",
        f"- **Severity**: {_RESPONSE[told.severity]}",
        f"- **State now**: {scene.verdict}",
    ]


def _impact(told: Incident) -> list[str]:
    worst = [one for one in told.illnesses if one.severity is Severity.P0]
    loss = "not known of; no P0 was ill"
    if worst:
        names = ", ".join(code(one.check) for one in worst[:MOST])
        loss = f"possible: data was being lost or exposed, or a system was down ({names})"
    return [
        "## Impact",
        "",
        f"- **Users Affected**: {_BY_HAND} who noticed, and how",
        f"- **Services Affected**: {', '.join(told.systems)}",
        f"- **Data Loss**: {loss}",
    ]


def _timeline(told: Incident) -> Iterator[str]:
    events: list[tuple[float, str]] = []
    for one in told.illnesses:
        name = f"{one.severity.value} {code(one.check)}"
        at_once = one.ended == one.began
        events.append((one.began, f"{name} was ill{', and was cured at once' * at_once}"))
        if one.ended is not None and not at_once:
            events.append((one.ended, f"{name} was well again"))
    events += [
        (step.at, f"run {step.run}, for {code(step.check)}, {step.state}: {code(step.step)}")
        for step in told.steps
    ]
    lines = [f"- {_moment(at)}: {what}" for at, what in sorted(events)]
    yield from lines[:MOST]
    if len(lines) > 2 * MOST:
        yield f"- … and {len(lines) - 2 * MOST} more in between"
    yield from lines[max(MOST, len(lines) - MOST) :]


def _causes(told: Incident, findings: tuple[Finding, ...]) -> Iterator[str]:
    yield f"{_BY_HAND} why it came to this. What the checks saw:"
    yield ""
    hidden: dict[str, int] = {}
    for row in findings:
        if row.outcome is Outcome.BLOCKED and row.blocked_by:
            hidden[row.blocked_by] = hidden.get(row.blocked_by, 0) + 1
    # What hides most is the likeliest root.
    ordered = sorted(told.illnesses, key=lambda one: -hidden.get(one.check, 0))
    for one in ordered[:MOST]:
        yield from _seen(one, hidden.get(one.check, 0))
    if len(ordered) > MOST:
        yield f"- and {len(ordered) - MOST} more"


def _seen(one: Illness, hides: int) -> Iterator[str]:
    finding = one.finding
    others = "1 other" if hides == 1 else f"{hides} others"
    below = f"; {others} could not be judged because of it" if hides else ""
    yield f"- **{one.severity.value}** {code(one.check)}{below}"
    if finding is None:
        yield "  - this run did not ask it"
        return
    if finding.message:
        said = "it was" if one.ended is not None else "it is"
        yield f"  - {said}: {code(finding.message)}"
    yield from (f"  - {code(piece)}" for piece in finding.evidence[:5])
    if finding.why:
        yield f"  - why it matters: {finding.why}"


def _resolution(told: Incident) -> Iterator[str]:
    taken = [
        f"{n}. {code(s.step)} for {code(s.check)} ({s.state}; `pytest {FOLDER}/ --undo {s.run}`)"
        for n, s in enumerate(told.steps, 1)
    ]
    yield from _cut(taken, "steps") if taken else ["No fix of these checks took a step."]
    if told.open:
        yield ""
        yield "Still to do:"
        yield ""
        rows = [
            f"- {one.severity.value} {code(one.check)}: {one.finding.hint if one.finding else ''}"
            for one in told.open
        ]
        yield from _cut(rows, "illnesses")
    else:
        yield ""
        yield f"{_BY_HAND} what else was done by hand."


def _prevention(told: Incident) -> Iterator[str]:
    yield f"{_BY_HAND} what was changed so that it does not come again. To think of:"
    yield ""
    yield f"- a look on a timer (`pytest {FOLDER}/ --print-unit systemd`) and alerts, so that it"
    yield "  is known within minutes"
    for one in told.illnesses[:MOST]:
        if one.finding is not None and one.finding.title:
            yield f"- {one.finding.title.rstrip(' .')} ({code(one.check)})"


def _escalation(told: Incident, now: float) -> Iterator[str]:
    reasons = list(_reasons(told, now))
    if reasons:
        yield "Escalate: " + "; ".join(reasons) + "."
    else:
        yield "The checks know of no reason to escalate; a person may."
    yield ""
    yield "Gather before you do:"
    yield ""
    yield f"- `pytest {FOLDER}/ --bundle support.tar.zst`: versions, configuration, last log lines,"
    yield "  containers, disk, memory, processes and all that the checks saw, without secrets"
    yield f"- `pytest {FOLDER}/ --history`: what earlier runs came to"
    yield "- this report, and how to make it happen again"
    if told.severity is Severity.P0:
        yield '- mark the issue "CRITICAL", and say how you can be reached'


def _reasons(told: Incident, now: float) -> Iterator[str]:
    worst = {one.system for one in told.open if one.severity is Severity.P0}
    if worst:
        yield f"a P0 is still ill ({', '.join(sorted(worst))})"
    grave = {one.system for one in told.open if one.severity >= Severity.P1}
    if len(grave) > 1:
        yield f"several systems fail at once ({', '.join(sorted(grave))})"
    fixes = [one.finding.fix for one in told.open if one.finding and one.finding.fix]
    if any(fix.state in _FAILED for fix in fixes):
        yield "a fix was tried and did not help"
    if grave and now - told.began > _TOO_LONG_S:
        yield "it has lasted for more than 30 minutes"


def _unseen(findings: tuple[Finding, ...]) -> list[str]:
    """Return what the report must not be silent about: what could not be looked at."""
    kinds = {Outcome.CANNOT_TELL, Outcome.NOT_RUN}
    rows = [f"- {code(f.id)}: {code(f.message)}" for f in findings if f.outcome in kinds]
    return ["## Could not be told in this run", "", *_cut(rows, "checks")] if rows else []
