"""The exit status of a run: computed here, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from plugins.finding import Finding, Outcome, Severity

HEALTHY = 0
ILL = 1
NOTHING_RAN = 5
CRITICAL = 10
UNTOLD = 11

# Interrupted, internal error, usage error, too many warnings: the run itself went wrong.
_PYTESTS_OWN = frozenset({2, 3, 4, 6})
_JUDGED = frozenset(
    {Outcome.HEALTHY, Outcome.ILL, Outcome.FIXED, Outcome.SILENCED, Outcome.CANNOT_TELL}
)
_KNOWN_ROOT = frozenset({Outcome.ILL, Outcome.SILENCED})
_NOT_JUDGED = frozenset({Outcome.ABSENT, Outcome.BLOCKED, Outcome.CANNOT_TELL, Outcome.NOT_RUN})


def root_of(finding: Finding, known: Mapping[str, Finding]) -> str:
    """Return the id at the end of the chain of `blocked_by`; a ring ends where it closes.

    Args:
        finding: where to begin.
        known: the findings of the run by their id.
    """
    seen = {finding.id}
    at = finding
    while at.outcome is Outcome.BLOCKED and at.blocked_by:
        if at.blocked_by in seen or at.blocked_by not in known:
            return at.blocked_by
        at = known[at.blocked_by]
        seen.add(at.id)
    return at.id


def untold(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return what could not be told.

    That is: cannot tell, not run, and blocked by something that is itself not known to be ill.
    """
    rows = tuple(findings)
    known = {row.id: row for row in rows}
    # Parametrised checks share an id with nobody, but a worse row must not hide behind a better.
    known.update({row.id: row for row in rows if row.outcome in _KNOWN_ROOT})

    def is_untold(row: Finding) -> bool:
        if row.outcome is Outcome.BLOCKED:
            root = known.get(root_of(row, known))
            return root is None or root.outcome not in _KNOWN_ROOT
        return row.outcome in (Outcome.CANNOT_TELL, Outcome.NOT_RUN)

    return tuple(row for row in rows if is_untold(row))


def unmet(findings: Iterable[Finding], required: frozenset[str]) -> tuple[str, ...]:
    """Return the required ids that did not judge, sorted."""
    judged: set[str] = set()
    failed: set[str] = set()
    for row in findings:
        (failed if row.outcome in _NOT_JUDGED else judged).add(row.id)
    return tuple(sorted(name for name in required if name in failed or name not in judged))


def exit_status(
    findings: Iterable[Finding],
    *,
    fail_on: Severity,
    required: frozenset[str],
    pytest_status: int,
) -> int:
    """Return the exit status of the run.

    Args:
        findings: one for each selected check.
        fail_on: the least severity that fails the run; an ill P0 always does.
        required: ids that must have judged.
        pytest_status: pytest's own; 1 means here that something failed which is no finding.
    """
    rows = tuple(findings)
    if pytest_status in _PYTESTS_OWN:
        return pytest_status
    ill = [row.severity for row in rows if row.outcome is Outcome.ILL]
    if Severity.P0 in ill:
        return CRITICAL
    if pytest_status == ILL or any(severity >= fail_on for severity in ill):
        return ILL
    if untold(rows) or unmet(rows, required):
        return UNTOLD
    if not any(row.outcome in _JUDGED for row in rows):
        return NOTHING_RAN
    return HEALTHY


# Of a monitoring plugin: the word that its line begins with, and its own exit status.
_NAGIOS = {HEALTHY: ("OK", 0), ILL: ("WARNING", 1), CRITICAL: ("CRITICAL", 2)}


def nagios_state(status: int) -> tuple[str, int]:
    """Return the word and the exit status by which Nagios knows what `exit_status` returned.

    What could not be told, what nobody ran and what went wrong with the run itself is UNKNOWN.
    """
    return _NAGIOS.get(status, ("UNKNOWN", 3))


def process_status(status: int, *, nagios: bool) -> int:
    """Return what the process ends with: the exit status, or Nagios's one where that was asked."""
    return nagios_state(status)[1] if nagios else status


def meaning(status: int, fail_on: Severity, *, held: bool = True, unwritten: bool = False) -> str:
    """Return in a few words what an exit status says.

    Args:
        status: what `exit_status` returned.
        fail_on: the line that the run was held to.
        held: whether a finding is ill at or above that line.
        unwritten: whether nothing failed but the writing of what was asked for.
    """
    failed = "something failed that is no finding"
    if unwritten:
        failed = "something that was asked for could not be written"
    words = {
        HEALTHY: f"nothing ill at or above {fail_on.value}",
        ILL: f"something is ill at or above {fail_on.value}" if held else failed,
        2: "the run was interrupted",
        3: "pytest met an internal error",
        4: "pytest was used wrongly",
        NOTHING_RAN: "nothing was judged, and that is not healthy",
        6: "too many warnings",
        CRITICAL: "a P0 is ill",
        UNTOLD: f"nothing known ill at or above {fail_on.value}, but something could not be told",
    }
    return words.get(status, "pytest's own")
