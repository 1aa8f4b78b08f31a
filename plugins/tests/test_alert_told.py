"""What receivers were told is kept between runs, privately, and never in the way of telling."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest

from plugins.alerts.told import FILE, Entry, Told


def test_what_was_told_is_kept_privately_beside_what_others_keep(tmp_path: Path) -> None:
    entry = Entry("ill", "P1", "2026-11-28T12:00:00+00:00")
    one, other = Told(tmp_path / "state", "local://"), Told(tmp_path / "state", "ssh://far")
    one.keep({"A": {"box.a": entry, "box.b": entry}})
    other.keep({"A": {"box.a": entry}})
    Told(tmp_path / "state", "local://").keep({"B": {"box.a": entry}, "A": {"box.b": None}})
    again = Told(tmp_path / "state", "local://")
    assert (again.by("A"), again.by("B")) == ({"box.a": entry}, {"box.a": entry})
    assert Told(tmp_path / "state", "ssh://far").by("A") == {"box.a": entry}
    path = tmp_path / "state" / FILE
    assert (path.stat().st_mode & 0o777, again.complaint) == (0o600, "")
    assert sorted(os.listdir(path.parent)) == [FILE, "alerts.lock"]


def test_what_another_run_told_meanwhile_is_known(tmp_path: Path) -> None:
    entry = Entry("ill", "P1", "2026-11-28T12:00:00+00:00")
    watch = Told(tmp_path, "local://")
    Told(tmp_path, "local://").keep({"A": {"box.a": entry}})
    watch.renew()
    assert watch.by("A") == {"box.a": entry}


def test_who_was_stopped_with_the_lock_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.alerts.told._PATIENCE_S", 0.05)
    with (tmp_path / "alerts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        Told(tmp_path, "local://").keep({"A": {"box.a": Entry("ill", "P1", "")}})
    assert Told(tmp_path, "local://").by("A").keys() == {"box.a"}


@pytest.mark.parametrize("body", ["", "[]", '{"form": 9}', '{"form": 1, "hosts": {"local://": 3}}'])
def test_a_damaged_file_is_begun_anew_and_that_is_said(tmp_path: Path, body: str) -> None:
    (tmp_path / FILE).write_text(body)
    told = Told(tmp_path, "local://")
    assert "it is damaged" in told.complaint
    assert told.by("A") == {}
    told.keep({"A": {"box.a": Entry("ill", "P1", "")}})
    assert told.complaint == ""
    assert Told(tmp_path, "local://").by("A").keys() == {"box.a"}


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text(json.dumps({"form": 1, "hosts": {}}))
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / FILE).symlink_to(tmp_path / "victim")
    told = Told(tmp_path / "state", "local://")
    assert "cannot be read" in told.complaint
    told.keep({"A": {"box.a": Entry("ill", "P1", "")}})
    assert (tmp_path / "victim").read_text() == json.dumps({"form": 1, "hosts": {}})


def test_where_nothing_can_be_kept_it_is_remembered_and_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder belongs")
    told = Told(tmp_path / "state", "local://")
    told.keep({"A": {"box.a": Entry("ill", "P1", "")}})
    assert "the next run tells all of it again" in told.complaint
    assert told.by("A").keys() == {"box.a"}
