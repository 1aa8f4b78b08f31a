"""Who was told what, and when: kept between runs, so that only changes are told.

A file of the state folder holds, for each host and each receiver, what the receiver takes to be
ill. What could not be sent is not in it, and so is told by the next run.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from plugins.finding import Severity
from plugins.journal import private_folder
from plugins.report.document import save

FILE = "alerts.json"
# What reading a file that is not as we wrote it ends in.
_DAMAGE = (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError)
_LOCK = "alerts.lock"
_FORM = 1
_LARGEST = 16 << 20
_PATIENCE_S = 2.0


@dataclass(frozen=True)
class Entry:
    """What a receiver was told of one check, and takes to be so.

    Args:
        state: "ill", "untold", or "well" for what was told to be well again lately.
        severity: P0 to P3.
        told: ISO moment of the last time that it was told.
        flapping: it was told to change its mind again and again: no change of it is told.
        changes: ISO moments of the changes that were told lately.
    """

    state: str
    severity: str
    told: str
    flapping: bool = False
    changes: tuple[str, ...] = ()


Known = dict[str, dict[str, Entry]]
Changes = Mapping[str, Mapping[str, Entry | None]]


@dataclass
class Told:
    """What the receivers of one host's news know.

    Args:
        folder: the state folder.
        host: the spec of the host that is looked at.
        complaint: why what is told cannot be kept, or was lost, in a sentence; "" for neither.
    """

    folder: Path
    host: str
    complaint: str = ""
    _known: Known = field(default_factory=dict)
    _unkept: bool = False

    def __post_init__(self) -> None:
        """Read what was kept."""
        self.renew()

    def renew(self) -> None:
        """Read it again, as another run may have told something; what cannot be kept stays."""
        if self._unkept:
            return
        try:
            self._known = _entries(self._read().get(self.host, {}))
        except _DAMAGE as why:
            self.complaint = self._lost(why)

    def _lost(self, why: BaseException) -> str:
        told = (why.strerror or str(why)) if isinstance(why, OSError) else "it is damaged"
        path = self.folder / FILE
        return f"{path} cannot be read ({told}): what is ill is told anew"

    def by(self, variable: str) -> Mapping[str, Entry]:
        """Return what one receiver takes to be ill, by the id of its check."""
        return self._known.get(variable, {})

    def keep(self, changes: Changes) -> None:
        """Write down what receivers were told now; None for what they take to be well.

        What another run wrote meanwhile stays. Where nothing can be written it is remembered as
        long as the program runs, and `complaint` says so: the next run tells it again, which is
        better than never.
        """
        merge(self._known, changes)
        try:
            with self._alone():
                rows = self._kept()
                known = _entries(rows.get(self.host, {}))
                merge(known, changes)
                rows[self.host] = {
                    variable: {check: asdict(entry) for check, entry in entries.items()}
                    for variable, entries in known.items()
                }
                save(self.folder / FILE, json.dumps({"form": _FORM, "hosts": rows}, indent=1))
            self._unkept = False
        except OSError as error:
            self._unkept = True
            self.complaint = (
                f"{self.folder / FILE} cannot be written ({error.strerror}):"
                " the next run tells all of it again"
            )
        else:
            self.complaint = ""

    def _kept(self) -> dict[str, Any]:
        try:
            rows = self._read()
            for host in rows.values():
                _entries(host)
        except _DAMAGE:
            return {}
        return rows

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        descriptor = os.open(private_folder(self.folder) / _LOCK, flags, 0o600)
        try:
            ends = time.monotonic() + _PATIENCE_S
            while not _locked(descriptor) and time.monotonic() < ends:
                time.sleep(0.01)
            # Who holds it for longer than it takes to write a file was stopped: go on without.
            yield
        finally:
            os.close(descriptor)

    def _read(self) -> dict[str, Any]:
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            descriptor = os.open(self.folder / FILE, flags)
        except FileNotFoundError:
            return {}
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
                raise ValueError("not a file of ours")
            body = json.load(file)
        if body["form"] != _FORM:
            raise ValueError("of another version")
        return dict(body["hosts"])


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _entries(rows: Any) -> Known:
    """Return the receivers of a host from plain data; raises TypeError, ValueError and others."""
    known = {
        str(variable): {
            str(check): Entry(**{**row, "changes": tuple(row["changes"])})
            for check, row in entries.items()
        }
        for variable, entries in rows.items()
    }
    for entries in known.values():
        for entry in entries.values():
            Severity(entry.severity)
    return known


def merge(known: Known, changes: Changes) -> None:
    """Take changes over into what is known."""
    for variable, entries in changes.items():
        mine = known.setdefault(variable, {})
        for check, entry in entries.items():
            if entry is None:
                mine.pop(check, None)
            else:
                mine[check] = entry
