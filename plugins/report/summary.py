"""The findings as lines for a terminal: plain data in, lines out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from plugins.finding import Finding, Outcome, Safety, Severity
from plugins.report import since
from plugins.report.account import Account
from plugins.report.document import worst_first
from plugins.report.status import meaning, root_of, unmet
from plugins.report.terminal import Line

FIRST_EVIDENCE = 5
MOST_EVIDENCE = 100  # for a pipe: what is kept of a build's output is not the place for all of it

# After an internal error or a usage error nothing ran at all: no list of all checks says more.
_GONE_WRONG = frozenset({3, 4})
_COLOURS = {
    Severity.P0: ("red", "bold"),
    Severity.P1: ("red",),
    Severity.P2: ("yellow",),
    Severity.P3: ("cyan",),
}
_WORDS = {
    Outcome.FIXED: "fixed",
    Outcome.HEALTHY: "healthy",
    Outcome.ABSENT: "absent",
    Outcome.BLOCKED: "blocked",
    Outcome.SILENCED: "silenced",
    Outcome.CANNOT_TELL: "cannot tell",
    Outcome.NOT_RUN: "not run",
}


def _sentence(finding: Finding) -> str:
    return finding.message.strip() or "it does not hold; no more is known"


def _evidence(finding: Finding, full: bool) -> Iterator[Line]:
    shown = finding.evidence[: MOST_EVIDENCE if full else FIRST_EVIDENCE]
    for item in shown:
        yield Line(f"- {item}", 4)
    rest = len(finding.evidence) - len(shown)
    if rest:
        yield Line(f"… and {rest} more, in the reports", 4)


def ability(finding: Finding) -> str:
    """Return in a sentence whether `--fix` can heal the finding."""
    if finding.safety is Safety.SAFE:
        return "`--fix` can do this, and `--undo` takes it back."
    if finding.safety is Safety.UNSAFE:
        return "`--fix=unsafe` can do this; it may interrupt or lose something."
    return "Only a person can do this."


def _cure(finding: Finding, command: str) -> Iterator[Line]:
    fix = finding.fix
    if fix is None:
        yield Line(ability(finding), 4)
        return
    state = fix.state.replace("_", " ")
    yield Line(f"Fix {state}: {fix.message}" if fix.message else f"Fix {state}.", 4)
    for step in fix.plan:
        yield Line(f"$ {step}", 6, whole=True)
    for change in fix.diff:
        yield Line(change, 6, whole=True)
    if fix.run and fix.state == "taken":
        yield Line(f"Undo: {command} --undo {fix.run}", 4, whole=True)


def _ill(finding: Finding, blocked: int, full: bool, command: str) -> Iterator[Line]:
    head = f"{finding.severity.value}  {finding.id}"
    colours = _COLOURS[finding.severity]
    yield Line()
    if full:
        yield Line(f"{head}  {_sentence(finding)}", style=colours)
    else:
        yield Line(head, style=(*colours, "bold"))
        yield Line(_sentence(finding), 4)
    yield from _evidence(finding, full)
    if finding.title:
        yield Line(f"Should be: {finding.title.rstrip(' .')}.", 4)
    if finding.why:
        yield Line(f"Why: {finding.why}", 4)
    known = since.of_one(finding)
    if known:
        yield Line(known, 4)
    if finding.hint:
        yield Line(f"What to do: {finding.hint}", 4)
    yield from _cure(finding, command)
    if blocked:
        yield Line(f"It hides {_count(blocked, 'other check')}, listed under it below.", 4)


def _fixed(finding: Finding, full: bool, command: str) -> Iterator[Line]:
    yield Line()
    yield Line(f"fixed  {finding.id}  {finding.title.rstrip(' .')}", style=("green",))
    if finding.message:
        yield Line(f"It was: {finding.message}", 4)
    yield from _evidence(finding, full)
    yield from _cure(finding, command)


def _absent(rows: list[Finding], account: Account) -> Iterator[Line]:
    gone = {system for system, _ in account.absences}
    for system, looked in account.absences:
        yield Line(f"{system}: {looked}")
    alike: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.system not in gone:
            alike[row.message or row.title].append(row.id)
    for message, names in alike.items():
        yield Line(f"{', '.join(_families(names))}: {message}")


def _families(names: list[str]) -> Iterator[str]:
    """Yield the ids; those of a family, such as the known issues of a log, as one word."""
    of: dict[str, list[str]] = defaultdict(list)
    for name in names:
        family, _, own = name.rpartition(".")
        of[family if "." in family else name].append(own)
    for family, members in of.items():
        one = family if family in names else f"{family}.{members[0]}"
        yield one if len(members) == 1 else f"{family}.* ({len(members)})"


def _blocked(rows: list[Finding], known: dict[str, Finding]) -> Iterator[Line]:
    by_root: dict[str, list[Finding]] = defaultdict(list)
    for row in rows:
        by_root[root_of(row, known)].append(row)
    for root, children in by_root.items():
        stray = "" if root in known else ", which is no finding of this run"
        yield Line(f"by {root}{stray}:")
        for row in children:
            repeated = root in known and row.message == known[root].message
            told = "" if repeated or not row.message else f": {row.message}"
            yield Line(f"{row.id}{told}", 4)


def _silenced(rows: list[Finding]) -> Iterator[Line]:
    for row in rows:
        waiver = row.silenced
        until = f"until {waiver.until}, because {waiver.because} ({waiver.owner})" if waiver else ""
        yield Line(f"{row.severity.value}  {row.id}: {until}")
        if row.message:
            yield Line(f"now: {row.message}", 4)


def _cannot_tell(rows: list[Finding]) -> Iterator[Line]:
    """One line a reason: what keeps us from one file keeps many checks from it."""
    reasons: dict[str, list[Finding]] = {}
    for row in rows:
        reasons.setdefault(row.message or "no reason is known", []).append(row)
    for reason, same in reasons.items():
        yield Line(f"{', '.join(row.id for row in same)}: {reason}")
        hints = {row.hint for row in same}
        if len(hints) == 1 and same[0].hint:
            yield Line(f"What to do: {same[0].hint}", 4)


def _not_run(rows: list[Finding], full: bool) -> Iterator[Line]:
    reasons: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        reasons[row.message or "the run ended before its turn"].append(row.id)
    for reason, names in reasons.items():
        shown = names if full else names[:FIRST_EVIDENCE]
        rest = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
        yield Line(f"{', '.join(shown)}{rest}: {reason}")


def _strangers(account: Account) -> Iterator[Line]:
    for nodeid, text in account.strangers:
        yield Line(nodeid)
        for line in text.splitlines():
            yield Line(line, 4, whole=True)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _section(title: str, lines: Iterable[Line], style: tuple[str, ...] = ()) -> Iterator[Line]:
    body = tuple(lines)
    if body:
        yield Line()
        yield Line(f"{title}:", style=("bold", *style))
        for line in body:
            yield Line(line.text, line.indent + 2, line.style, line.whole)


def last_line(account: Account, status: int, seconds: float) -> Line:
    """Return the one line that counts everything and names the exit status."""
    rows = account.findings()
    ill = Counter(row.severity for row in rows if row.outcome is Outcome.ILL)
    other = Counter(row.outcome for row in rows)
    parts = [f"{ill[level]} {level.value}" for level in Severity if ill[level]]
    if not ill and len(rows) > other[Outcome.NOT_RUN]:
        parts = ["0 ill"]
    parts += [f"{other[outcome]} {word}" for outcome, word in _WORDS.items() if other[outcome]]
    held = any(level >= account.fail_on for level in ill)
    unwritten = account.unwritten and not account.strangers
    said = meaning(status, account.fail_on, held=held, unwritten=unwritten)
    told = f"exit status {status}: {said}"
    colour = "green" if status == 0 else "red"
    counts = ", ".join(parts) or "no check was selected"
    return Line(f"{counts} in {seconds:.1f} s; {told}", style=(colour, "bold"))


def _worst(
    rows: list[Finding], roots: Counter[str], account: Account, full: bool
) -> Iterator[Line]:
    hidden, show = 0, account.show
    for row in rows:
        if row.severity < show:
            hidden += 1
        elif row.outcome is Outcome.ILL:
            yield from _ill(row, roots[row.id], full, account.command)
        else:
            yield from _fixed(row, full, account.command)
    if hidden:
        level = show.value
        yield Line()
        yield Line(f"{_count(hidden, 'finding')} below {level} not shown (--show {level})")


def summary(
    account: Account, status: int, seconds: float, *, full: bool, reports: str = ""
) -> Iterator[Line]:
    """Give the lines that end a run.

    Args:
        account: what the run gathered.
        status: the exit status.
        seconds: how long the run took.
        full: much more evidence, and a finding's sentence on the line of its id; for a pipe.
        reports: where the whole result is, empty where it could not be written.
    """
    rows = worst_first(account.findings())
    known = {row.id: row for row in rows}
    of = {outcome: [row for row in rows if row.outcome is outcome] for outcome in Outcome}
    roots = Counter(root_of(row, known) for row in of[Outcome.BLOCKED])
    yield from _worst(of[Outcome.ILL] + of[Outcome.FIXED], roots, account, full)
    yield from _section("Failed, and is no finding", _strangers(account), ("red",))
    yield from _section("Absent", _absent(of[Outcome.ABSENT], account))
    yield from _section("Blocked, not counted again", _blocked(of[Outcome.BLOCKED], known))
    yield from _section("Silenced", _silenced(of[Outcome.SILENCED]))
    yield from _section("Cannot tell", _cannot_tell(of[Outcome.CANNOT_TELL]), ("yellow",))
    if status not in _GONE_WRONG:
        yield from _section("Not run", _not_run(of[Outcome.NOT_RUN], full), ("yellow",))
    missing = [
        Line(name if name in known else f"{name}: no check of this run has this id")
        for name in unmet(rows, account.required)
    ]
    yield from _section("Required, and did not judge", missing, ("red",))
    yield from _section("Take note", map(Line, account.warnings), ("yellow",))
    yield from since.lines(account, rows)
    yield Line()
    if status and reports:
        yield Line(f"All of it: {reports}")
    yield last_line(account, status, seconds)
