"""News in words: short, bounded, and nothing that a host says can act in whatever shows it.

What shows it may take `@everyone`, `<!channel>`, a link or a backtick in a name of a file for its
own. So these characters of a host are replaced by ones that look like them. Our own hints stay as
they are: they are to be copied.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator

from plugins.alerts.news import News, Piece, counted
from plugins.alerts.sending import Order
from plugins.finding import Finding, Outcome
from plugins.redaction import redact
from plugins.text import printable

_LIKENESS = str.maketrans({"@": "\uff20", "<": "\u2039", ">": "\u203a", "`": "'"})
_SENTENCE = 300
_EVIDENCE = (2, 160)  # pieces that are shown, and characters of each
_NAMED = 12  # ids in one line
_WHOLE = 50  # findings that are told whole; more fit into no message, and each takes a millisecond
_HEADS = {
    "new": "{severity} new",
    "worse": "{severity} worse",
    "flapping": "{severity} flapping ({now}), no more is told of it until it is steady",
    "still": "{severity} still ill",
}
_NOW = {Outcome.ILL: "ill now", Outcome.HEALTHY: "well now", Outcome.FIXED: "well now"}
_WORDS = {
    "new": "new",
    "worse": "worse",
    "flapping": "flapping",
    "untold": "cannot be told",
    "still": "still ill",
    "fixed": "fixed",
}


def harmless(text: str, limit: int = _SENTENCE) -> str:
    """Return a text of a host that calls nobody, links to nothing and ends no quotation."""
    shown = printable(redact(text), limit).translate(_LIKENESS)
    return shown.replace("://", "[:]//").replace("](", "] (")


def order(variable: str, name: str, news: News, now: datetime.datetime, note: str = "") -> Order:
    """Return the message that tells the news.

    Args:
        variable: that holds the URL of the receiver.
        name: of the host, as people call it.
        news: with at least one piece.
        now: when it was looked at, with its offset from UTC.
        note: a sentence to end with.
    """
    kinds = counted(news.pieces)
    blocks = [
        *(block for kind in ("new", "worse", "flapping") for block in _told(kinds.get(kind, []))),
        *_cannot_tell(kinds.get("untold", [])),
        *_told(kinds.get("still", [])),
        *_fixed(kinds.get("fixed", [])),
        f"looked at {now:%Y-%m-%d %H:%M %Z}" + (f"; {note}" if note else ""),
    ]
    if kinds.keys() <= {"fixed"}:
        kind = "success"
    else:
        kind = "warning" if kinds.keys() <= {"still", "fixed"} else "failure"
    return Order(variable, f"{harmless(name, 80)}: {tally(news)}", tuple(blocks), kind)


def tally(news: News) -> str:
    """Return the news in numbers, such as `2 new (P0 1, P1 1), 1 fixed`."""
    parts = []
    for kind, pieces in counted(news.pieces).items():
        levels = Counter(piece.finding.severity.value for piece in pieces)
        told = ", ".join(f"{level} {count}" for level, count in sorted(levels.items()))
        shown = "" if kind in {"fixed", "untold"} else f" ({told})"
        parts.append(f"{len(pieces)} {_WORDS[kind]}{shown}")
    return ", ".join(parts)


def _told(pieces: list[Piece]) -> Iterator[str]:
    yield from map(_whole, pieces[:_WHOLE])
    yield from map(_head, pieces[_WHOLE:])


def _head(piece: Piece) -> str:
    finding = piece.finding
    now = _NOW.get(finding.outcome, "cannot be told now")
    head = _HEADS[piece.kind].format(severity=finding.severity.value, now=now)
    if finding.outcome is not Outcome.ILL and piece.kind == "still":
        head = "still cannot be told"
    return f"{head}: {finding.id}{_since(finding)}"


def _whole(piece: Piece) -> str:
    finding = piece.finding
    lines = [_head(piece), harmless(finding.message or finding.title), *_evidence(finding)]
    if finding.hint and finding.outcome is Outcome.ILL:
        lines.append(f"What to do: {printable(redact(' '.join(finding.hint.split())), 400)}")
    return "\n".join(lines)


def _evidence(finding: Finding) -> Iterator[str]:
    shown, length = _EVIDENCE
    yield from (f"- {harmless(each, length)}" for each in finding.evidence[:shown])
    if len(finding.evidence) > shown:
        yield f"- and {len(finding.evidence) - shown} more"


def _since(finding: Finding) -> str:
    past = finding.past
    when = (past.since or past.first_seen) if past else ""
    return f" (since {when[:16].replace('T', ' ')})" if when else ""


def _cannot_tell(pieces: list[Piece]) -> Iterator[str]:
    """Give a block for each reason: a host that is gone is one thing, not two hundred."""
    reasons: dict[tuple[str, str], list[Finding]] = {}
    for piece in pieces:
        finding = piece.finding
        reasons.setdefault((finding.system, finding.message), []).append(finding)
    for (_, message), alike in reasons.items():
        lines = [f"cannot be told: {_listed([one.id for one in alike])}"]
        lines += [harmless(message)] if message else []
        yield "\n".join([*lines, *_evidence(alike[0])])


def _fixed(pieces: list[Piece]) -> Iterator[str]:
    well = [piece.finding for piece in pieces]
    gone = [finding.id for finding in well if finding.outcome is Outcome.ABSENT]
    cured = [finding for finding in well if finding.outcome is Outcome.FIXED]
    others = [finding.id for finding in well if finding.id not in gone and finding not in cured]
    for finding in cured:
        undo = finding.fix.run if finding.fix else ""
        yield f"cured: {finding.id}" + (
            f"\nUndo: pytest healthchecks/ --undo {undo}" if undo else ""
        )
    if others:
        yield f"fixed: {_listed(others)}"
    if gone:
        yield f"no more, as its system is not there: {_listed(gone)}"


def _listed(ids: list[str]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more
