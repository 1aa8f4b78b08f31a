"""`[notify]` of a systems file: who is told what, and when not. Names of variables, no secrets."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.alerts.windows import DAYS, Window, moment_of, zone_of
from plugins.finding import Severity
from plugins.text import nearest

# The greatest time, in seconds, for which the end of a run may wait for whoever is told.
LONGEST_S = 300.0

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_SEVERITIES = tuple(severity.value for severity in Severity)
_WINDOW = ("days", "from", "to", "zone", "severity")
_TARGET = ("url_env", "severity")


@dataclass(frozen=True)
class Target:
    """Somebody who is told: the variable that holds the URL, and the least severity for it."""

    variable: str
    severity: Severity


@dataclass(frozen=True)
class Notify:
    """The table, read.

    Args:
        targets: who is told.
        remind_hours: after how long what is still ill is told again; 0 for never.
        deadline_s: seconds for all that is sent at the end of a run.
        windows: when nobody is told.
        heartbeat: the variable that holds the URL to ping, "" for none.
        heartbeat_s: seconds between two pings of a watch, at least.
    """

    targets: tuple[Target, ...] = ()
    remind_hours: float = 0.0
    deadline_s: float = 10.0
    windows: tuple[Window, ...] = ()
    heartbeat: str = ""
    heartbeat_s: float = 60.0

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of all variables that it needs."""
        return (*(one.variable for one in self.targets), *filter(None, [self.heartbeat]))


def notify_of(table: Mapping[str, Any]) -> Notify:
    """Return the table as it is used; `table` was read by `laid`, and may be empty."""
    if not table:
        return Notify()
    line = Severity(table["severity"])
    targets = {name: Target(name, line) for name in table["url_envs"]}
    for row in table["targets"]:
        own = Severity(row["severity"]) if "severity" in row else line
        targets[row["url_env"]] = Target(row["url_env"], own)
    return Notify(
        targets=tuple(targets.values()),
        remind_hours=table["remind_hours"],
        deadline_s=table["deadline_s"],
        windows=tuple(map(_window, table["windows"])),
        heartbeat=table["heartbeat_env"],
        heartbeat_s=table["heartbeat_s"],
    )


def _window(row: Mapping[str, Any]) -> Window:
    severity = Severity(row["severity"]) if "severity" in row else None
    days = tuple(row.get("days", DAYS))
    return Window(row["from"], row["to"], days, row.get("zone", ""), severity)


def laid(said: Any, below: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the values that a systems file gives, each in the form of the one below it.

    Args:
        said: the table.
        below: the values in force so far, by key.
        where: what to begin a complaint with, such as `mine.toml: [notify]`.

    Raises:
        ValueError: an unknown key (the nearest right one is named), a value of another type, or
            one that cannot be; a URL that stands where a name belongs is not repeated.
    """
    if not isinstance(said, dict):
        raise ValueError(f"{where} must be a table")
    values = {}
    for key, value in said.items():
        if key not in below:
            raise ValueError(f"{where}: unknown key {key}{nearest(key, list(below))}")
        values[key] = _fitting(key, value, f"{where}: {key}")
    return values


def _fitting(key: str, value: Any, where: str) -> Any:
    match key:
        case "url_envs":
            return [_variable(name, where) for name in _list(value, where)]
        case "heartbeat_env":
            return value if value == "" else _variable(value, where)
        case "severity":
            return _severity(value, where)
        case "windows":
            return [
                _checked_window(row, f"{where}[{n}]") for n, row in enumerate(_list(value, where))
            ]
        case "targets":
            return [
                _checked_target(row, f"{where}[{n}]") for n, row in enumerate(_list(value, where))
            ]
        case _:
            return _number(key, value, where)


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{where} must be a list")
    return value


def _variable(value: Any, where: str) -> str:
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value):
        raise ValueError(
            f"{where} takes the name of an environment variable, as HEALTH_SLACK_URL is one;"
            " the URL itself is a secret and stands in that variable"
        )
    return value


def _severity(value: Any, where: str) -> str:
    if value not in _SEVERITIES:
        raise ValueError(f"{where} must be one of {', '.join(_SEVERITIES)}, not {value!r}")
    return str(value)


def _number(key: str, value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{where} must be a number, not {value!r}")
    if value < 0 or (key == "deadline_s" and not 0 < value <= LONGEST_S):
        raise ValueError(
            f"{where} must be more than 0 and at most {LONGEST_S:g}, not {value!r}"
            if key == "deadline_s"
            else f"{where} must not be less than 0"
        )
    return float(value)


def _row(value: Any, keys: tuple[str, ...], where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where} must be a table with {', '.join(keys)}")
    for key in value:
        if key not in keys:
            raise ValueError(f"{where}: unknown key {key}{nearest(key, list(keys))}")
    return {
        key: _severity(said, f"{where}.{key}") if key == "severity" else said
        for key, said in value.items()
    }


def _checked_target(value: Any, where: str) -> dict[str, Any]:
    row = _row(value, _TARGET, where)
    return {**row, "url_env": _variable(row.get("url_env"), f"{where}.url_env")}


def _checked_window(value: Any, where: str) -> dict[str, Any]:
    row = _row(value, _WINDOW, where)
    begin, end = (_when(row.get(key), f"{where}.{key}") for key in ("from", "to"))
    dated = ":" not in begin or "T" in begin
    if dated is not (":" not in end or "T" in end):
        raise ValueError(f"{where}: from and to must both be times of day, or both be dates")
    if dated and ("days" in row or moment_of(end) < moment_of(begin)):
        why = "days go with times of day" if "days" in row else "it ends before it begins"
        raise ValueError(f"{where}: {why}")
    if "days" in row:
        row["days"] = [_day(day, f"{where}.days") for day in _list(row["days"], f"{where}.days")]
    if "zone" in row:
        row["zone"] = _zone(row["zone"], f"{where}.zone")
    return {**row, "from": begin, "to": end}


def _when(value: Any, where: str) -> str:
    """Return a time of day, a date or both as text; TOML's own forms of them are good, too."""
    if isinstance(value, datetime.datetime) and value.tzinfo is None:
        return value.isoformat(timespec="minutes")
    if isinstance(value, datetime.time):
        return value.isoformat(timespec="minutes")
    text = str(value) if isinstance(value, (str, datetime.date)) else ""
    if _CLOCK.fullmatch(text):
        return text
    try:
        moment = moment_of(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is not None:
        raise ValueError(
            f'{where} must be a time of day ("22:00"), a date ("2026-12-24") or both'
            ' ("2026-12-24T18:00"); the time zone stands in zone'
        )
    return text if len(text) == len("2026-12-24") else moment.isoformat(timespec="minutes")


def _day(value: Any, where: str) -> str:
    day = value.lower()[:3] if isinstance(value, str) else ""
    if day not in DAYS:
        raise ValueError(f"{where} are of {', '.join(DAYS)}, not {value!r}")
    return day


def _zone(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f'{where} must be a name such as "Europe/Berlin", not {value!r}')
    try:
        zone_of(value)
    except (KeyError, ValueError, OSError):
        from zoneinfo import available_timezones

        known = sorted(available_timezones())
        hint = nearest(value, known)
        none = "" if known else "; this machine has no database of time zones (tzdata)"
        raise ValueError(f"{where}: there is no time zone {value!r}{hint}{none}") from None
    return value
