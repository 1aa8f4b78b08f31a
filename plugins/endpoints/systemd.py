"""Units of systemd, as systemctl and journalctl tell of them."""

from __future__ import annotations

import os.path
import re
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from plugins.endpoints.errors import in_words
from plugins.endpoints.memory import Memory
from plugins.eyes import files
from plugins.hosts import Host, Ran
from plugins.outcomes import CannotTell, NoPermission, NotThere

_UNIT = (
    "Id,LoadState,ActiveState,SubState,Result,NRestarts,MainPID,StateChangeTimestamp,FragmentPath"
    ",UnitFileState,ExecStart,ExecMainStatus"
)
_TIMER = "LoadState,ActiveState,LastTriggerUSec,NextElapseUSecRealtime,Unit"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as systemd holds it.

    `since` is when its state last changed, in seconds since 1970 (0: never). `result` is success or
    why it failed. `restarts` counts automatic ones. `main_pid` is 0 when it does not run.
    `fragment` is its file. `exec_start` is the command line as systemd shows it. `exit_status` is
    that of its last run, or the signal that ended it; 0 while it runs.
    """

    name: str
    load_state: str
    active_state: str
    sub_state: str
    result: str
    restarts: int
    main_pid: int
    since: float
    fragment: str
    unit_file_state: str
    exec_start: str
    exit_status: int = 0

    @property
    def runs(self) -> bool:
        """Whether it is active."""
        return self.active_state == "active"


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer: when it last and next triggers, in seconds since 1970 (0: never), and what."""

    name: str
    active: bool
    last: float
    next: float
    starts: str


class Systemd:
    """Asks a host's systemd; each question once in a look.

    Every method raises `ToolMissing` without systemctl, `CannotTell` where systemd does not run,
    `NotThere` for an unknown unit, `NoPermission` and `TimedOut`.

    Args:
        host: whose systemd.
        deadline: seconds for each question.
        systemctl: the program to ask; a path where the one on PATH is not the right one.
    """

    def __init__(self, host: Host, deadline: float = 5.0, *, systemctl: str = "systemctl") -> None:
        self._host = host
        self._systemctl = systemctl
        self._deadline = deadline
        self._memory = Memory()

    def unit(self, name: str, user: bool = False) -> Unit:
        """Return a unit; `user` asks the user's own systemd."""
        shown = self._memory.once((name, user), partial(self._show, name, _UNIT, user))
        return Unit(
            name=shown.get("Id") or name,
            load_state=shown.get("LoadState", ""),
            active_state=shown.get("ActiveState", ""),
            sub_state=shown.get("SubState", ""),
            result=shown.get("Result", ""),
            restarts=_number(shown.get("NRestarts", "")),
            main_pid=_number(shown.get("MainPID", "")),
            since=_moment(shown.get("StateChangeTimestamp", "")),
            fragment=shown.get("FragmentPath", ""),
            unit_file_state=shown.get("UnitFileState", ""),
            exec_start=_command(shown.get("ExecStart", "")),
            exit_status=_number(shown.get("ExecMainStatus", "")),
        )

    def timer(self, name: str, user: bool = False) -> Timer:
        """Return a timer unit; `.timer` is added to a name without it."""
        full = name if name.endswith(".timer") else f"{name}.timer"
        shown = self._memory.once((full, user, "timer"), partial(self._show, full, _TIMER, user))
        return Timer(
            name=full,
            active=shown.get("ActiveState") == "active",
            last=_moment(shown.get("LastTriggerUSec", "")),
            next=_moment(shown.get("NextElapseUSecRealtime", "")),
            starts=shown.get("Unit", ""),
        )

    def journal(
        self, unit: str, since: float, limit: int = 1 << 20, *, user: bool = False
    ) -> bytes:
        """Return the messages of a unit of the last `since` seconds, a line each, oldest first.

        At most `limit` bytes from the start are returned.
        """
        self._require_systemd()
        # Beside a systemctl that was named on purpose stands its journalctl.
        program = os.path.join(os.path.dirname(self._systemctl), "journalctl")
        argv = [program, *(["--user"] if user else []), "--no-pager", "--quiet", "-o", "cat"]
        ran = self._host.run(
            [*argv, f"--since=-{max(1, int(since))}s", f"--unit={unit}"],
            deadline=self._deadline,
            limit=limit,
        )
        _refuse_failure(ran, f"the journal of {unit}")
        return ran.out

    def _show(self, name: str, properties: str, user: bool) -> dict[str, str]:
        self._require_systemd()
        ran = self._host.run(
            [
                *(self._systemctl, *(["--user"] if user else []), "show", "--no-pager"),
                *(f"--property={properties}", "--", name),
            ],
            # Old ones cannot be asked for seconds, so their words are read, of a zone that we know.
            env={"TZ": "UTC"},
            deadline=self._deadline,
        )
        _refuse_failure(ran, f"unit {name}")
        shown = dict(line.split("=", 1) for line in ran.text.splitlines() if "=" in line)
        if shown.get("LoadState") == "not-found":
            raise NotThere(f"systemd knows no unit {name}")
        return shown

    def _require_systemd(self) -> None:
        self._memory.once("runs", self._look_for_systemd)

    def _look_for_systemd(self) -> None:
        # A program that somebody named on purpose is asked, whatever runs here.
        if self._systemctl != "systemctl":
            return
        # What sd_booted(3) asks; systemctl itself is there in many containers without its systemd.
        with in_words("/run/systemd/system"):
            found = self._host.call(files.look, "/run/systemd/system", deadline=self._deadline)
        if found is None:
            raise CannotTell("systemd does not run on this host (no /run/systemd/system)")


def _refuse_failure(ran: Ran, what: str) -> None:
    if ran.status == 0:
        return
    words = ran.complaint or f"exit status {ran.status}"
    if "ermission denied" in words or "ccess denied" in words:
        raise NoPermission(f"we may not ask for {what}: {words}")
    raise CannotTell(f"systemd does not tell of {what}: {words}")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _moment(text: str) -> float:
    """Return seconds since 1970 of `Thu 2026-01-08 12:00:00 UTC`, 0 for `n/a` or nothing."""
    found = re.fullmatch(r"(?:\w{3} )?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) UTC", text.strip())
    return datetime.fromisoformat(f"{found[1]}+00:00").timestamp() if found else 0.0


def _command(text: str) -> str:
    found = re.search(r"argv\[\]=(.*?) ; ", text)
    return found[1] if found else text
