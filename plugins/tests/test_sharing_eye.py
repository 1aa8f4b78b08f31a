"""Who may read something is told from its mode bits and the accounts of people."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path
from types import SimpleNamespace

import pytest

from plugins.eyes import sharing

SHELL, NONE = "/bin/bash", "/usr/sbin/nologin"
ACCOUNTS = (("root", 0, 0, SHELL), ("anna", 1000, 1000, SHELL), ("bert", 1001, 1001, SHELL))
MORE = (("carl", 1002, 990, SHELL), ("daemon", 1003, 1003, NONE), ("nobody", 65534, 65534, SHELL))


@pytest.fixture(autouse=True)
def accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of some people."""
    rows = [
        pwd.struct_passwd((name, "x", uid, gid, "", "/", shell))
        for name, uid, gid, shell in (*ACCOUNTS, *MORE)
    ]
    monkeypatch.setattr(pwd, "getpwall", lambda: rows)
    group = grp.struct_group(("docker", "x", 990, ["anna", "root"]))
    monkeypatch.setattr(grp, "getgrgid", lambda gid: {990: group}[gid])


def seen(monkeypatch: pytest.MonkeyPatch, mode: int, uid: int = 0, gid: int = 990) -> Path:
    told = os.stat_result((0o140000 | mode, 1, 1, 1, uid, gid, 0, 0, 0, 0))
    # The module is one for all: only what the eye sees of it is replaced.
    monkeypatch.setattr(sharing, "os", SimpleNamespace(stat=lambda path: told))
    return Path("/run/docker.sock")


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "people", "everyone", "group"),
    [
        (0o660, 0, 990, ["anna", "carl"], False, "docker"),
        (0o600, 0, 990, [], False, ""),
        (0o600, 1001, 990, ["bert"], False, ""),
        (0o666, 0, 990, ["anna", "bert", "carl"], True, "docker"),
        (0o660, 0, 77, [], False, "77"),
    ],
)
def test_readers_are_people(
    monkeypatch: pytest.MonkeyPatch,
    mode: int,
    uid: int,
    gid: int,
    people: list[str],
    everyone: bool,
    group: str,
) -> None:
    path = str(seen(monkeypatch, mode, uid, gid))
    told = sharing.readers(path)
    assert told == {"people": people, "everyone": everyone, "group": group}


def test_a_user_without_an_account_has_the_group_that_is_given() -> None:
    assert sharing.groups(4_000_000, 7) == [7]
    assert 0 in sharing.groups(0, 5)
