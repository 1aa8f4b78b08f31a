"""The vocabulary that a check file may import."""

from plugins.catalog import check, known_issues, log_queries, table_beside
from plugins.duties import Beat, duty
from plugins.facts import probe
from plugins.finding import Measure, Safety, Severity
from plugins.kept import Kept
from plugins.outcomes import (
    Absent,
    Blocked,
    CannotTell,
    NoPermission,
    NotThere,
    Refused,
    TimedOut,
    TooBig,
    ToolMissing,
    WrongKind,
)
from plugins.remedy import remedy
from plugins.scenarios import fault, healthy
from plugins.systems import Uses, under_home
from plugins.text import listed, printable

P0, P1, P2, P3 = Severity.P0, Severity.P1, Severity.P2, Severity.P3
MANUAL, UNSAFE, SAFE = Safety.MANUAL, Safety.UNSAFE, Safety.SAFE

__all__ = [
    "MANUAL",
    "P0",
    "P1",
    "P2",
    "P3",
    "SAFE",
    "UNSAFE",
    "Absent",
    "Beat",
    "Blocked",
    "CannotTell",
    "Kept",
    "Measure",
    "NoPermission",
    "NotThere",
    "Refused",
    "TimedOut",
    "TooBig",
    "ToolMissing",
    "Uses",
    "WrongKind",
    "check",
    "duty",
    "fault",
    "healthy",
    "known_issues",
    "listed",
    "log_queries",
    "printable",
    "probe",
    "remedy",
    "table_beside",
    "under_home",
]
