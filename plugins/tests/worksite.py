"""A root in which steps are taken, a journal that takes them, and a file to take them on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from plugins.hosts import Host
from plugins.journal import Journal
from plugins.steps import Hands

CONTENT = b"one\r\ntwo\n\0three\xff\n\nlast"


def make(root: Path, name: str) -> str:
    path = root / name
    path.write_bytes(CONTENT)
    os.chown(path, 12, 34)
    path.chmod(0o751)
    os.utime(path, ns=(10**18, 10**18 + 123456789))
    return str(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state", "run", Host())


def hands_on(root: Path) -> Hands:
    slot = root.parent / "slots"
    slot.mkdir(exist_ok=True)
    return Hands(Host(), (str(root),), str(slot / "slot"))


def back(journal: Journal) -> None:
    for entry in reversed(journal.entries()):
        journal.take_back(entry)
