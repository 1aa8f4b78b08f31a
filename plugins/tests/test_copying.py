"""Copies of what keeps growing: whole, private, and a beginning of the original at every moment."""

from __future__ import annotations

import os
import resource
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from plugins.hands import copying
from plugins.hands.growing import Fresh, Grown
from plugins.hosts import Host
from plugins.journal import Journal
from plugins.proofs import lacking
from plugins.steps import Hands, Refusal, TakeCopies, Taken
from plugins.tests.copies import laid_out, left, refused, row, take

LARGE = 3 << 20


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return laid_out(tmp_path)


def test_a_copy_has_every_byte_mode_0600_and_the_time_of_the_original(site: Path) -> None:
    original = site / "from" / "a"
    original.write_bytes(b'{"type": "user"}\n{"type": "assis')
    os.utime(original, ns=(1, 1_700_000_000_123_456_789))
    assert take(site, "a") == {}
    copy = site / "to" / "a"
    assert copy.read_bytes() == original.read_bytes()
    assert copy.stat().st_mode & 0o7777 == 0o600
    assert copy.stat().st_mtime_ns == 1_700_000_000_123_456_789
    assert left(site) == ["a"]


def test_only_what_was_added_is_read_and_the_copy_stays_where_it_is(site: Path) -> None:
    original = site / "from" / "a"
    original.write_bytes(os.urandom(LARGE))
    take(site, "a")
    node = (site / "to" / "a").stat().st_ino
    with original.open("ab") as file:
        file.write(b"one more line\n")
    before = read_so_far()
    assert take(site, "a") == {}
    assert read_so_far() - before < 64 << 10
    assert (site / "to" / "a").stat().st_ino == node
    assert (site / "to" / "a").read_bytes() == original.read_bytes()


def read_so_far() -> int:
    """Return the bytes that this process has read in its life."""
    return int(Path("/proc/self/io").read_text().split()[1])


@pytest.mark.parametrize("begun", [True, False])
def test_an_original_that_does_not_go_on_where_the_copy_ends_is_refused(
    site: Path, begun: bool
) -> None:
    (site / "from" / "a").write_bytes(b"x" * 10_000)
    take(site, "a")
    (site / "from" / "a").write_bytes(b"y" * 12_000 if begun else b"x" * 9_000)
    assert "where the copy ends" in refused(site, "a")
    assert (site / "to" / "a").read_bytes() == b"x" * 10_000


def test_one_that_cannot_be_had_keeps_no_other_back(site: Path) -> None:
    for name in "abc":
        (site / "from" / name).write_bytes(b"said\n")
    (site / "from" / "b").unlink()
    assert take(site, "a", "b", "c") == {}
    assert left(site) == ["a", "c"]


@pytest.mark.parametrize("kind", ["fifo", "link", "folder", "link on the way"])
def test_what_is_no_file_is_no_original(site: Path, kind: str) -> None:
    original = site / "from" / "a"
    (site / "secret").write_bytes(b"not a conversation")
    if kind == "fifo":
        os.mkfifo(original)
    elif kind == "folder":
        original.mkdir()
    elif kind == "link":
        original.symlink_to(site / "secret")
    else:
        (site / "from" / "led").symlink_to(site)
        rows = [[str(site / "to" / "a"), str(site / "from/led/secret"), str(site / "from"), -1, ""]]
        assert copying.take(rows, [str(site / "to")])["refused"]
        assert left(site) == []
        return
    assert refused(site, "a")
    assert left(site) == []


def test_a_link_in_the_place_of_a_copy_is_not_followed(site: Path) -> None:
    (site / "from" / "a").write_bytes(b"said\n")
    (site / "victim").write_bytes(b"")
    (site / "to" / "a").symlink_to(site / "victim")
    assert copying.take([row(site, "a")], [str(site / "to")])["refused"]
    assert copying.take([row(site, "a", 0)], [str(site / "to")])["refused"]
    assert (site / "victim").read_bytes() == b""


def test_a_second_name_of_another_users_file_is_no_original(site: Path) -> None:
    if missing := lacking(("root",)):
        pytest.skip(f"needs {missing}")
    (site / "secret").write_bytes(b"root's alone")
    os.link(site / "secret", site / "from" / "a")
    os.chown(site / "from", 65534, 65534)
    assert "another name" in refused(site, "a")
    assert left(site) == []


def test_a_copy_with_a_second_name_is_not_appended_to(site: Path) -> None:
    (site / "from" / "a").write_bytes(b"said\n")
    take(site, "a")
    os.link(site / "to" / "a", site / "second")
    (site / "from" / "a").write_bytes(b"said\nand more\n")
    assert "hard link" in refused(site, "a")
    assert (site / "second").read_bytes() == b"said\n"


def test_what_grows_while_it_is_copied_gives_a_beginning(site: Path) -> None:
    original = site / "from" / "a"
    original.write_bytes(b"")
    going = threading.Event()

    def talk() -> None:
        with original.open("ab", buffering=0) as file:
            while not going.is_set():
                file.write(b"said this and that\n" * 300)
                time.sleep(0.0005)

    speaker = threading.Thread(target=talk)
    speaker.start()
    try:
        until = time.monotonic() + 1
        rounds = 0
        while time.monotonic() < until:
            take(site, "a")
            copy = (site / "to" / "a").read_bytes()
            with original.open("rb") as file:
                assert file.read(len(copy)) == copy
            rounds += 1
    finally:
        going.set()
        speaker.join()
    take(site, "a")
    assert rounds > 3
    assert (site / "to" / "a").read_bytes() == original.read_bytes()


def test_what_does_not_read_back_as_it_was_written_does_not_count(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site / "from" / "a").write_bytes(b"said\n")
    (site / "from" / "b").write_bytes(b"said\n")
    take(site, "a")
    (site / "from" / "a").write_bytes(b"said\nmore\n")
    honest = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: honest(fd, b"\0" * len(data), at))
    assert "read back" in refused(site, "a", "b")
    assert (site / "to" / "a").read_bytes() == b"said\n"
    assert left(site) == ["a"]


def test_the_temporaries_of_the_dead_are_cleared_and_those_of_the_living_are_not(
    site: Path,
) -> None:
    (site / "from" / "a").write_bytes(b"said\n")
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    for pid in (child, 1):
        (site / "to" / f"a.{pid}.12.tmp").write_bytes(b"sa")
    (site / "to" / "a.tmp").write_bytes(b"somebody else's")
    take(site, "a")
    assert left(site) == ["a", "a.1.12.tmp", "a.tmp"]


def hands(site: Path) -> Hands:
    return Hands(Host(), (str(site / "to"),), str(site / "quarantine" / "slot"))


def test_taken_back_a_new_copy_goes_and_a_grown_one_is_cut(site: Path) -> None:
    (site / "from" / "a").write_bytes(b"said\n")
    take(site, "a")
    moment = (site / "to" / "a").stat().st_mtime_ns
    (site / "from" / "a").write_bytes(b"said\nmore\n")
    (site / "from" / "b").write_bytes(b"new\n")
    tops = (str(site / "from"),)
    step = TakeCopies(
        (
            Taken(str(site / "to/a"), str(site / "from/a"), *tops, 5),
            Taken(str(site / "to/b"), str(site / "from/b"), *tops),
            Taken(str(site / "to/c"), str(site / "from/c"), *tops),
        )
    )
    journal = Journal(site / "state", "run", Host())
    journal.take("check", step, (str(site / "to"),))
    assert left(site) == ["a", "b"]
    (entry,) = journal.entries()
    journal.take_back(entry)
    assert left(site) == ["a"]
    assert (site / "to" / "a").read_bytes() == b"said\n"
    assert (site / "to" / "a").stat().st_mtime_ns == moment
    kept = sorted(path.read_bytes() for path in (site / "state/quarantine/run").iterdir())
    assert kept == [b"more\n", b"new\n"]


def test_what_went_on_since_is_not_taken_back(site: Path) -> None:
    (site / "from" / "a").write_bytes(b"said\n")
    step = TakeCopies((Taken(str(site / "to/a"), str(site / "from/a"), str(site / "from")),))
    journal = Journal(site / "state", "run", Host())
    journal.take("check", step, (str(site / "to"),))
    (site / "from" / "a").write_bytes(b"said\nmore\n")
    take(site, "a")
    with pytest.raises(Refusal, match="changed"):
        journal.take_back(journal.entries()[0])


def test_outside_the_roots_nothing_is_written(site: Path) -> None:
    (site / "from" / "a").write_bytes(b"said\n")
    step = TakeCopies((Taken(str(site / "from/x"), str(site / "from/a"), str(site / "from")),))
    with pytest.raises(Refusal, match="outside"):
        step.take(hands(site))


def test_what_cannot_be_put_by_stays_and_what_got_shorter_is_not_made_longer(site: Path) -> None:
    copy = site / "to" / "a"
    copy.write_bytes(b"x" * 5000)
    words = ([[str(copy), 100, 1]], str(site / "quarantine" / "s"), [str(site)])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))  # as a disk that is full
    try:
        with pytest.raises(OSError, match="too large"):
            copying.take_back(*words)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert copy.read_bytes() == b"x" * 5000
    assert not list((site / "quarantine").iterdir())
    copy.write_bytes(b"x" * 50)
    with pytest.raises(OSError, match="changed"):
        copying.take_back(*words)
    assert copy.read_bytes() == b"x" * 50


def test_two_never_append_to_one_copy_at_once(site: Path) -> None:
    (site / "from" / "a").write_bytes(b"said\n")
    take(site, "a")
    folder = os.open(site / "to", os.O_RDONLY)
    first = Grown("a", folder, 5, "")
    (site / "from" / "a").write_bytes(b"said\nmore\n")
    assert "somebody else is writing" in refused(site, "a")
    os.close(first.descriptor)
    assert take(site, "a") == {}
    os.close(folder)


def test_a_new_copy_takes_the_place_of_nothing_that_appeared_meanwhile(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = os.open(site / "to", os.O_RDONLY)
    one = Fresh("a", folder)
    one.write([b"short"], 1)
    link = os.link

    def late(*names: str, **words: Any) -> None:
        (site / "to" / "a").write_bytes(b"short and longer")
        link(*names, **words)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(OSError, match="appeared"):
        one.settle()
    one.drop()
    os.close(one.descriptor)
    os.close(folder)
    assert left(site) == ["a"]
    assert (site / "to" / "a").read_bytes() == b"short and longer"
