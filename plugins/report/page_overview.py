"""The top of the page: verdict, counts, what changed and the systems. It needs no script."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from html import escape
from urllib.parse import urlencode

from plugins.finding import Finding, Outcome, Severity
from plugins.history.standing import states
from plugins.past import RunBefore
from plugins.report.account import Account
from plugins.report.page_words import BRIEFLY, LONGEST, ago, counted, moment, shown
from plugins.text import printable

_NAMED = 5  # findings of one kind of change that are named on top
_LEVELS = {
    Severity.P0: "lost, exposed or down now",
    Severity.P1: "at the next crash or restart",
    Severity.P2: "degraded",
    Severity.P3: "untidy",
}
_OTHERS = {
    Outcome.FIXED: "fixed in this run",
    Outcome.CANNOT_TELL: "cannot tell",
    Outcome.NOT_RUN: "not run",
    Outcome.BLOCKED: "blocked by another finding",
    Outcome.SILENCED: "silenced until a date",
    Outcome.ABSENT: "absent",
    Outcome.HEALTHY: "healthy",
}
_CHANGES = {
    "new": "new",
    "worse": "worse than before",
    "fixed": "no longer ill",
    "still": "still ill",
}
# How tall a run's bar is, of 24; and what a state is called.
_BARS = {
    "P0": (24, "P0"),
    "P1": (20, "P1"),
    "P2": (15, "P2"),
    "P3": (10, "P3"),
    "cannot_tell": (12, "cannot tell"),
    "healthy": (6, "healthy"),
    "absent": (2, "absent"),
}
_WORDS = {
    "P0": "P0 ill",
    "P1": "P1 ill",
    "P2": "P2 ill",
    "P3": "P3 ill",
    "cannot_tell": "cannot tell",
    "healthy": "healthy",
    "absent": "absent",
}


def link(**words: str) -> str:
    """Return the fragment that has the script show some findings; see `page.js` for its words."""
    # As the rows have them: an id of odd characters leads to its row, and breaks no page.
    return escape(f"#{urlencode({name: printable(word, LONGEST) for name, word in words.items()})}")


def tiles(findings: Sequence[Finding]) -> str:
    """Return the counts by severity, and by outcome for all that is not ill."""
    ill = Counter(row.severity for row in findings if row.outcome is Outcome.ILL)
    outcomes = Counter(row.outcome for row in findings)
    levels = "".join(
        f'<li><a class="tile {level.value}{"" if ill[level] else " none"}" '
        f'href="{link(outcome="ill", severity=level.value)}"><b>{ill[level]:,}</b>'
        f"<strong>{level.value}</strong> <span>{words}</span></a></li>"
        for level, words in _LEVELS.items()
    )
    others = "".join(
        f'<li><a class="{outcome.value}" href="{link(outcome=outcome.value)}">'
        f"<b>{outcomes[outcome]:,}</b> {words}</a></li>"
        for outcome, words in _OTHERS.items()
        if outcomes[outcome]
    )
    return f'<ul class="tiles">{levels}</ul><ul class="others">{others}</ul>'


def _named(rows: Sequence[Finding], change: str, now: datetime) -> str:
    items = ""
    for row in rows[:_NAMED]:
        past = row.past
        since = ago(past.since, now) if past and change in {"still", "worse"} else ""
        told = f" <small>for {since}</small>" if since not in {"", BRIEFLY} else ""
        wavers = " <small>changes often</small>" if past and past.flapping else ""
        badge = f'<span class="badge {row.severity.value}">{row.severity.value}</span>'
        sign = "✗" if row.outcome is Outcome.ILL else "✓"
        head = f'<span aria-hidden="true">{sign}</span> <a href="{link(open=row.id)}">'
        name = f"{head}{shown(row.title.replace('`', '') or row.id)}</a>"
        items += f"<li>{badge} <span>{name}{told}{wavers}</span></li>"
    rest = len(rows) - _NAMED
    if rest > 0:
        items += f'<li><a href="{link(changed=change)}">and {rest:,} more</a></li>'
    return items


def changes(account: Account, findings: Sequence[Finding], now: datetime) -> str:
    """Return what is new, worse, fixed and still ill against the run that is compared with."""
    before = {run.id: run for run in account.runs_before}.get(account.compared_with)
    kinds: dict[str, list[Finding]] = defaultdict(list)
    for row in findings:
        if row.past is not None and row.past.change:
            kinds[row.past.change].append(row)
    if not account.compared_with and not kinds:
        return '<p class="quiet">There is no earlier run to compare with.</p>'
    # Of a run that somebody named, and that is not among the last ones, the name alone is known.
    since = f"the run {account.compared_with}" if account.compared_with else "the run before"
    if before:
        since = f"the run of {moment(before.started)} (exit status {before.status})"
    blocks = "".join(
        f'<div class="turn {kind}"><h3><a href="{link(changed=kind)}">'
        f"{len(kinds[kind]):,} {words}</a></h3><ul>{_named(kinds[kind], kind, now)}</ul></div>"
        for kind, words in _CHANGES.items()
        if kinds[kind]
    )
    told = blocks or "<p>Nothing became ill, and nothing became well.</p>"
    return f'<p class="quiet">Against {shown(since)}.</p><div class="changes">{told}</div>'


def drawing(system: str, runs: Sequence[RunBefore], now: str) -> str:
    """Return the last runs as bars, the newest on the right: the taller, the worse.

    Args:
        system: whose states are drawn.
        runs: earlier ones, the oldest first.
        now: the state in this run.
    """
    past = [(moment(run.started), run.states[system]) for run in runs if system in run.states]
    bars = ""
    for place, (when, state) in enumerate([*past, ("this run", now)]):
        height, word = _BARS.get(state, (2, state))
        bars += (
            f'<rect class="{escape(state)}" x="{place * 7}" y="{24 - height}" width="5" '
            f'height="{height}" rx="1"><title>{shown(when)}: {shown(word)}</title></rect>'
        )
    counts = Counter(_BARS.get(state, (0, state))[1] for _, state in past)
    told = ", ".join(f"{word} {number} times" for word, number in counts.most_common())
    name = f"the last {counted(len(past), 'run')}: {told}" if past else "no earlier run"
    width = len(past) * 7 + 5
    return (
        f'<svg class="bars" role="img" aria-label="{shown(name)}" viewBox="0 0 {width} 24" '
        f'width="{width}" height="24">{bars}</svg>'
    )


def _card(system: str, state: str, rows: Sequence[Finding], runs: Sequence[RunBefore]) -> str:
    ill = Counter(row.severity for row in rows if row.outcome is Outcome.ILL)
    counts = " ".join(
        f'<span class="badge {level.value}">{ill[level]:,} {level.value}</span>'
        for level in Severity
        if ill[level]
    )
    well = sum(row.outcome is Outcome.HEALTHY for row in rows)
    return (
        f'<li><a class="card {escape(state)}" href="{link(system=system)}">'
        f"<strong>{shown(system)}</strong> <em>{_WORDS[state]}</em>"
        f'<span class="counts">{counts}</span>'
        f'<span class="foot"><small>{well:,} of {len(rows):,} healthy</small>'
        f"{drawing(system, runs, state) if runs else ''}</span></a></li>"
    )


def cards(account: Account, findings: Sequence[Finding]) -> str:
    """Return a card for each system, the worst first, and a line for each that is not here."""
    of: dict[str, list[Finding]] = defaultdict(list)
    for row in findings:
        of[row.system].append(row)
    known = states(findings)
    order = list(_WORDS)
    made = "".join(
        _card(name, known[name], of[name], account.runs_before)
        for name in sorted(known, key=lambda name: order.index(known[name]))
    )
    gone = "".join(
        f"<li><b>{shown(system)}</b> is absent: {shown(looked)}</li>"
        for system, looked in account.absences
    )
    return f'<ul class="cards">{made}</ul>' + (f'<ul class="notes">{gone}</ul>' if gone else "")
