"""What is on its way, what waits, and what is tried again: a session's telling, to real servers."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from plugins.alerts.settings import Notify, Target
from plugins.alerts.telling import Telling
from plugins.alerts.told import Told
from plugins.alerts.windows import Window
from plugins.finding import Outcome, Severity
from plugins.redaction import Redactor
from plugins.report.account import Account
from plugins.tests.receivers import web
from plugins.tests.reporting import finding
from plugins.tests.watched import until

NOTIFY = Notify((Target("HEALTH_URL", Severity.P1),), deadline_s=20.0)
TODAY = datetime.date.today()
NOW = Window(f"{TODAY - datetime.timedelta(2)}", f"{TODAY + datetime.timedelta(2)}")


def telling(folder: Path, *windows: Window) -> Telling:
    """Return the telling of a fresh session."""
    notify = Notify(NOTIFY.targets, deadline_s=NOTIFY.deadline_s, windows=windows)
    return Telling(notify, Told(folder / "state", "local://"), Redactor())


def account(*names: str) -> Account:
    """Return a run's account, in which these checks are ill, and "c" is well."""
    made = Account(name="vm")
    made.reported |= {name: finding(name) for name in names}
    made.reported.setdefault("c", finding("c", Outcome.HEALTHY))
    return made


def test_what_falls_into_a_window_is_told_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web() as hook:
        monkeypatch.setenv("HEALTH_URL", hook.url())
        assert telling(tmp_path, NOW).finish(account("a", "b"), 1) == []
        assert hook.requests == []
        # It is over, and b is well again: nobody ever needs to know of that.
        said = telling(tmp_path).finish(account("a"), 1)
        assert said == ["told by HEALTH_URL: 1 new (P1 1)"]
        assert telling(tmp_path, NOW).finish(account("c"), 1) == []
        assert len(hook.texts()) == 1


def test_what_came_while_something_was_on_its_way_is_told_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web() as hook:
        monkeypatch.setenv("HEALTH_URL", hook.url())
        watch = telling(tmp_path)
        assert watch.go_on(account("a"), 1) == []
        assert watch.go_on(account("a", "b"), 1) == []
        assert watch.finish(account("a", "b"), 1) == ["told by HEALTH_URL: 1 new (P1 1)"] * 2
        assert ["box.b" in text for text in hook.texts()] == [False, True]


def test_a_watch_tries_again_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch, said = telling(tmp_path), list[str]()

    def rounds(count: int) -> bool:
        said.extend(watch.go_on(account("a"), 1))
        return len(said) >= count

    monkeypatch.setenv("HEALTH_URL", "nonsense")
    until(lambda: rounds(1), "that it was not sent is said")
    assert said == ["not told by HEALTH_URL: 1 new (P1 1): no known URL; it is tried again"]
    with web() as hook:
        monkeypatch.setenv("HEALTH_URL", hook.url())
        assert watch.go_on(account("a"), 1) == watch.finish(account("a"), 1) == [], "not at once"
        monkeypatch.setattr("plugins.alerts.telling._AGAIN_S", 0.0)
        watch, said[:] = telling(tmp_path), []
        monkeypatch.setenv("HEALTH_URL", "nonsense")
        until(lambda: rounds(1), "that it was not sent is said")
        monkeypatch.setenv("HEALTH_URL", hook.url())
        sent = "told by HEALTH_URL: 1 new (P1 1)"
        until(lambda: rounds(1) and said[-1] == sent, "that it was sent is said")
        assert len(hook.texts()) == 1
