"""What is news to a receiver: what a run came to, against what the receiver was told before.

The receiver's own knowledge decides, not the run before: what could not be sent then, or fell into
a window of maintenance, is still news to it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from plugins.alerts.told import Entry
from plugins.finding import Finding, Outcome, Severity
from plugins.report.account import Account
from plugins.report.status import ILL, NOTHING_RAN, meaning, root_of, unmet

RUN_ID = "run"
_INTERRUPTED = 2
_BROKEN = {3, 4, 6, NOTHING_RAN}
_WELL = {Outcome.HEALTHY, Outcome.FIXED, Outcome.ABSENT}
_ILL, _UNTOLD, _WELL_AGAIN = "ill", "untold", "well"
# So many changes that were told within a day are enough: what comes then is told to be flapping.
# The history knows of ill and well alone, and not of what could be told now and then.
_OFTEN, _DAY_H = 4, 24.0
_CHANGES = {"new", "worse", "untold", "fixed"}


@dataclass(frozen=True)
class Piece:
    """One thing that is told.

    Args:
        kind: "new", "worse", "flapping", "untold", "fixed", or "still" for a reminder.
        finding: what the check came to.
    """

    kind: str
    finding: Finding


@dataclass(frozen=True)
class News:
    """What one receiver is told.

    Args:
        pieces: the worst first; empty for nothing.
        after: what it takes to be so once it was told: id of a check -> entry, None for nothing.
    """

    pieces: tuple[Piece, ...]
    after: Mapping[str, Entry | None]


def of_run(account: Account, status: int, scope: str = "") -> dict[str, Finding]:
    """Return the findings of a run by id, and what is wrong with the run itself under its scope.

    A run that was cut short says nothing of what it did not come to; and where somebody did that,
    nothing of itself: whoever ended it knows.

    Args:
        account: what the run gathered.
        status: its exit status.
        scope: what it looks at, in a few words: one schedule's run does not mend another one's.
    """
    rows = account.findings()
    came: dict[str, Finding] = {}
    for row in sorted(rows, key=_rank):
        came.setdefault(row.id, row)
    if status == _INTERRUPTED:
        came = {name: row for name, row in came.items() if row.outcome is not Outcome.NOT_RUN}
        return came | (_run(account, status, scope) if account.strangers else {})
    missing = unmet(rows, account.required)
    # A narrow run says nothing of a check that it left aside: that is a fault of its own.
    aside = tuple(name for name in missing if scope and name not in came)
    for name in missing:
        if name not in aside:
            came[name] = _unmet(name, came.get(name))
    came |= _run(account, status, scope, aside)
    return {name: row for name, row in came.items() if not _is_under_another(row, came)}


def _is_under_another(row: Finding, came: Mapping[str, Finding]) -> bool:
    """Tell whether a root cause that is told itself stands for the row.

    One that is less severe does not: who is told of the worst alone would hear of neither.
    """
    if row.outcome is not Outcome.BLOCKED:
        return False
    root = came.get(root_of(row, came))
    if root is None or root.outcome in {*_WELL, Outcome.BLOCKED}:
        return False
    return root.outcome is Outcome.SILENCED or root.severity >= row.severity


def _rank(row: Finding) -> tuple[int, str]:
    order = (Outcome.ILL, Outcome.CANNOT_TELL, Outcome.NOT_RUN, Outcome.BLOCKED)
    return (order.index(row.outcome) if row.outcome in order else len(order), row.severity.value)


def _unmet(name: str, row: Finding | None) -> Finding:
    words = "it is required, and did not judge"
    if row is None:
        system = name.partition(".")[0]
        return Finding(name, system, Severity.P1, Outcome.CANNOT_TELL, name, words)
    if row.outcome in {Outcome.CANNOT_TELL, Outcome.NOT_RUN}:
        return row
    told = f"{words}: {row.outcome.value}" + (f", {row.message}" if row.message else "")
    return replace(row, outcome=Outcome.CANNOT_TELL, message=told)


def _run(
    account: Account, status: int, scope: str, aside: tuple[str, ...] = ()
) -> dict[str, Finding]:
    own = status in _BROKEN
    broken = own or bool(account.strangers or aside)
    words = meaning(status if own else ILL, account.fail_on, held=False)
    if not own and not account.strangers:
        words = "what is required was left aside by what the run was narrowed to"
    name = f"{RUN_ID} of {scope}" if scope else RUN_ID
    row = Finding(
        id=name,
        system=RUN_ID,
        severity=Severity.P1,
        outcome=Outcome.CANNOT_TELL if broken else Outcome.HEALTHY,
        title="The run went to its end.",
        message=words if broken else "",
        evidence=(*(node for node, _ in account.strangers), *aside),
        hint="Type the same command line in a terminal, with -v.",
    )
    return {name: row}


def news(
    came: Mapping[str, Finding],
    before: Mapping[str, Entry],
    line: Severity,
    allowed: Callable[[Severity], bool],
    now: datetime.datetime,
    remind_hours: float,
) -> News:
    """Return what is news to a receiver.

    Args:
        came: what the run came to, by id; what it did not look at is not in it.
        before: what the receiver takes to be so.
        line: the least severity that it is told of.
        allowed: whether something so severe may be told at this moment.
        now: with its offset from UTC.
        remind_hours: after how long what is still ill is told again; 0 for never.
    """
    moment = now.isoformat(timespec="seconds")
    pieces: list[Piece] = []
    after: dict[str, Entry | None] = {}
    still: list[tuple[Finding, Entry]] = []
    for name, finding in came.items():
        entry = before.get(name)
        was = entry if entry and (entry.flapping or entry.state != _WELL_AGAIN) else None
        if not allowed(max(finding.severity, Severity(was.severity) if was else line)):
            continue
        lately = _lately(entry, now)
        kind = _kind(finding, was, line, often=len(lately) >= _OFTEN)
        if kind == "still" and was is not None:
            still.append((finding, was))
        elif kind == "forget" or (not kind and was is None and entry and not lately):
            after[name] = None
        elif kind == "calm" and was is not None:
            after[name] = replace(was, flapping=False)
        elif kind:
            pieces.append(Piece(kind, finding))
            after[name] = _entry(finding, kind, (*lately, moment))
    if any(_is_due(entry.told, now, remind_hours) for _, entry in still):
        pieces += [Piece("still", finding) for finding, _ in still]
        after |= {finding.id: replace(entry, told=moment) for finding, entry in still}
    return News(tuple(sorted(pieces, key=_order)), after)


def _lately(entry: Entry | None, now: datetime.datetime) -> tuple[str, ...]:
    """Return the moments of the changes that were told within the last day."""
    moments = entry.changes if entry else ()
    return tuple(moment for moment in moments if not _is_due(moment, now, _DAY_H))


def _kind(finding: Finding, was: Entry | None, line: Severity, *, often: bool) -> str:
    """Return what a finding is to who takes it to be `was`; "" for no news and nothing to keep."""
    flaps = finding.past is not None and finding.past.flapping
    state = _state(finding)
    if not state or (was is None and finding.severity < line):
        return ""
    if was and was.flapping and (flaps or often):
        return ""
    if state == "silenced":
        return "forget" if was else ""
    if flaps and (was or state == _ILL):
        return "flapping"
    kind = _change(finding, state, was, line)
    return "flapping" if often and kind in _CHANGES else kind


def _change(finding: Finding, state: str, was: Entry | None, line: Severity) -> str:
    if was is None:
        return {_ILL: "new", _UNTOLD: "untold"}.get(state, "")
    if state == "well":
        return "fixed"
    if finding.severity < line:
        return "calm" if was.flapping else ""
    if state != was.state:
        return "new" if state == _ILL else "untold"
    if was.flapping:
        return "calm"
    if state == _ILL and finding.severity > Severity(was.severity):
        return "worse"
    return "still"


def _state(finding: Finding) -> str:
    if finding.outcome in _WELL:
        return "well"
    return {
        Outcome.ILL: _ILL,
        Outcome.CANNOT_TELL: _UNTOLD,
        Outcome.NOT_RUN: _UNTOLD,
        Outcome.BLOCKED: _UNTOLD,
        Outcome.SILENCED: "silenced",
    }.get(finding.outcome, "")


def _entry(finding: Finding, kind: str, changes: tuple[str, ...]) -> Entry:
    state = _state(finding)
    kept = state if state in {_ILL, _UNTOLD} else _WELL_AGAIN
    flapping = kind == "flapping"
    return Entry(kept, finding.severity.value, changes[-1], flapping, changes[-2 * _OFTEN :])


def _is_due(told: str, now: datetime.datetime, hours: float) -> bool:
    """Tell whether so many hours went by since an ISO moment, which may be rubbish."""
    try:
        past = (now - datetime.datetime.fromisoformat(told)).total_seconds()
        # A clock that was put back must not silence it for ever.
        return hours > 0 and not 0 <= past < hours * 3600
    except (ValueError, TypeError):
        return hours > 0


def _order(piece: Piece) -> tuple[int, str, str]:
    kinds = ("new", "worse", "flapping", "untold", "still", "fixed")
    return kinds.index(piece.kind), piece.finding.severity.value, piece.finding.id


def counted(pieces: Iterable[Piece]) -> dict[str, list[Piece]]:
    """Return the pieces by their kind, in the order in which they came."""
    kinds: dict[str, list[Piece]] = {}
    for piece in pieces:
        kinds.setdefault(piece.kind, []).append(piece)
    return kinds
