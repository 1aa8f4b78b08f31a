"""The vocabulary that a check file may import."""

from plugins.catalog import check, known_issues, table_beside
from plugins.facts import probe
from plugins.finding import Measure, Safety, Severity
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
    "Blocked",
    "CannotTell",
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
    "fault",
    "healthy",
    "known_issues",
    "listed",
    "printable",
    "probe",
    "remedy",
    "table_beside",
    "under_home",
]
