"""The mark that a run leaves which a schedule started: when it began, and when it was through.

By it one sees that a schedule still works: what a person starts by hand leaves none.
"""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from plugins.configuration import Configuration
from plugins.journal import private_folder
from plugins.report.account import looks, on_worker, opened
from plugins.report.conclusion import Conclusion
from plugins.report.document import save
from plugins.run import RUN, state_folder
from plugins.schedules.job import VARIABLE

_FOLDER = "scheduled"
_MARK = re.compile(r"([a-z]{1,20}):([a-z0-9_-]{1,200}):([0-9]{1,9})")
# In a unit, in a crontab and in a property list.
_WITHIN = re.compile(rf"{VARIABLE}(?:=|</key>\s*<string>){_MARK.pattern}")
_WATCH_LEAVES_EVERY = 60.0  # seconds


@dataclass(frozen=True)
class Mark:
    """A schedule, and what its runs left of themselves.

    Args:
        by: what starts them: systemd, launchd, cron, github or gitlab.
        named: the schedule's name.
        every_s: seconds between two of them.
        began: when the last one began, in seconds since 1970; 0 where none did.
        ended: when the last one that came to its end did; 0 where none did.
        status: what that one ended with.
    """

    by: str
    named: str
    every_s: float
    began: float = 0.0
    ended: float = 0.0
    status: int = 0

    def last(self, now: float) -> float:
        """Return when it was last seen to work; one that has begun counts for an hour."""
        times = [self.ended, self.began if now - self.began < 3600 else 0.0]
        return max(when for when in (*times, 0.0) if when <= now + 3600)


_KEPT = pytest.StashKey[Mark]()


def marked(text: str) -> Mark | None:
    """Return the schedule that a unit, a crontab or a property list tells of in its variable."""
    found = _WITHIN.search(text)
    return Mark(found[1], found[2], float(found[3])) if found else None


def folder(configuration: Configuration) -> Path:
    """Return the folder of the marks."""
    return state_folder(configuration) / _FOLDER


def read(text: str) -> Mark | None:
    """Return the mark that stands in a file of that folder, None for anything else."""
    try:
        row = json.loads(text)
        found = _MARK.fullmatch(row["mark"])
        began, ended, status = (float(row[name]) for name in ("began", "ended", "status"))
        if not found or not all(0 <= number < 1e11 for number in (began, ended, status)):
            return None
        return Mark(found[1], found[2], float(found[3]), began, ended, int(status))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def pytest_sessionstart(session: pytest.Session) -> None:
    """Leave a mark of the beginning, where a schedule started this."""
    config = session.config
    said = os.environ.get(VARIABLE, "")
    if not said or on_worker(config) or not looks(config) or config.stash[RUN].demo:
        return
    found = _MARK.fullmatch(said)
    if not found:
        words = f"{VARIABLE} holds no mark of a schedule: --print-unit writes it"
        opened(config).warnings.append(words)
        return
    mark = Mark(found[1], found[2], float(found[3]), began=time.time())
    former = _former(config, mark)
    _leave(config, replace(mark, ended=former.ended, status=former.status) if former else mark)


def pytest_health_concluded(config: pytest.Config, conclusion: Conclusion) -> None:
    """Leave a mark of the end."""
    if _KEPT in config.stash:
        mark = replace(config.stash[_KEPT], ended=time.time(), status=conclusion.status)
        _leave(config, mark)


def pytest_health_round(config: pytest.Config) -> None:
    """Leave a mark of a watch that goes on; not more often than once a minute."""
    mark = config.stash.get(_KEPT, None)
    if mark and not 0 <= time.time() - mark.ended < _WATCH_LEAVES_EVERY:
        _leave(config, replace(mark, ended=time.time()))


def _path(config: pytest.Config, mark: Mark) -> Path:
    return config.stash[RUN].state / _FOLDER / f"{mark.named}.json"


def _former(config: pytest.Config, mark: Mark) -> Mark | None:
    try:
        former = read(_path(config, mark).read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    return former if former and former.by == mark.by else None


def _leave(config: pytest.Config, mark: Mark) -> None:
    config.stash[_KEPT] = mark
    row = {
        "mark": f"{mark.by}:{mark.named}:{mark.every_s:.0f}",
        "began": round(mark.began, 3),
        "ended": round(mark.ended, 3),
        "status": mark.status,
    }
    try:
        path = _path(config, mark)
        private_folder(path.parent)
        save(path, json.dumps(row) + "\n")
    except OSError as error:
        words = f"the mark of this scheduled run could not be left: {error.strerror}"
        if words not in opened(config).warnings:
            opened(config).warnings.append(words)
