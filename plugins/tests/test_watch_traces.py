"""A watch looks again wherever something may have changed, and nowhere else."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.tracing import Trace
from plugins.hosts import Host
from plugins.kept import Kept
from plugins.tests.toy import Toy, check
from plugins.tests.watched import until, watched

_PROBES = """
def count(system, name):
    with open(system.folder + "/../runs-" + name, "a") as file:
        file.write("x")

@probe
def listed_names(system, filesystem) -> tuple[str, ...]:
    count(system, "listed")
    return tuple(one.name for one in filesystem.folder(system.folder + "/ill"))

@probe
def deep_names(system, filesystem) -> tuple[str, ...]:
    count(system, "deep")
    return tuple(one.name for one in filesystem.walk(system.folder) if one.name.startswith("bad"))

@probe
def content(system, filesystem) -> str:
    count(system, "content")
    return filesystem.text(system.folder + "/content")

@probe
def open_eyed(system, filesystem, machine) -> bool:
    count(system, "open")
    return filesystem.exists(system.folder + "/bad")

@probe(every=1.0)
def rarely(system, commands) -> bool:
    count(system, "rarely")
    return not os.path.exists(system.folder + "/rare")
"""


@pytest.fixture
def toy(pytester: pytest.Pytester) -> Toy:
    made = Toy(pytester)
    made.probes(_PROBES)
    words = {
        "listed": ("listed_names", "assert not listed_names, listed('there', listed_names)"),
        "deep": ("deep_names", "assert not deep_names, listed('there', deep_names)"),
        "content": ("content", "assert content == 'well', content"),
        "open": ("open_eyed", "assert not open_eyed, 'there'"),
        "rare": ("rarely", "assert rarely, 'there'"),
    }
    made.checks(
        "".join(
            check(name, body, facts=fact, cure="hint='Look.'")
            for name, (fact, body) in words.items()
        )
    )
    (made.data / "content").write_text("well")
    old = time.time() - 100
    os.utime(made.data / "content", (old, old))
    return made


def runs(toy: Toy, name: str) -> int:
    return (toy.data.parent / f"runs-{name}").stat().st_size


def test_only_what_may_have_changed_is_looked_at(toy: Toy) -> None:
    written = time.monotonic()
    with watched(toy, interval=0.02) as watch:
        watch.began()
        # Until then the file's own entry is too young to be trusted.
        time.sleep(max(written + 2.2 - time.monotonic(), 0.0))
        before = runs(toy, "content")
        time.sleep(0.6)
        assert (runs(toy, "listed"), runs(toy, "deep"), runs(toy, "content")) == (1, 1, before)
        assert runs(toy, "open") > 5
        until(lambda: runs(toy, "rarely") >= 2, "it is looked at after a second")
        assert runs(toy, "rarely") < runs(toy, "open") / 2

        (toy.data / "odd/bad").touch()
        watch.says("P2 ill  toy.deep")
        (toy.data / "odd/bad").unlink()
        watch.says("healthy again  toy.deep")
        toy.add("new")
        watch.says("P2 ill  toy.listed")

        same = os.stat(toy.data / "content")
        (toy.data / "content").write_text("sick")
        os.utime(toy.data / "content", ns=(same.st_atime_ns, same.st_mtime_ns))
        watch.says("P2 ill  toy.content: sick")
        (toy.data / "content").write_text("well")  # within one tick of the clock, perhaps
        watch.says("healthy again  toy.content")
        (toy.data / "content").unlink()
        watch.says("cannot tell  toy.content")

        (toy.data / "rare").touch()
        watch.says("P2 ill  toy.rare")
        watch.end()


def test_after_a_cure_everything_is_looked_at_again(toy: Toy) -> None:
    toy.checks(
        check("well") + check("rare", "assert rarely, 'x'", facts="rarely", cure="hint='L.'")
    )
    toy.probes(_PROBES.replace("every=1.0", "every=1000.0"))
    with watched(toy, "--fix") as watch:
        watch.began()
        before = runs(toy, "rarely")
        time.sleep(0.3)
        assert runs(toy, "rarely") == before
        toy.add("a")
        watch.says("fixed  toy.well")
        until(lambda: runs(toy, "rarely") > before, "another look")
        watch.end()


def _stands(trace: Trace) -> bool:
    return trace.stands(Filesystem(Host()).memory)


def test_a_trace_stands_while_every_answer_does(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    old = time.time_ns() - 10**11
    os.utime(file, ns=(old, old))
    trace = Trace()
    assert not _stands(trace)
    look = Filesystem(Host()).traced(trace)
    look.du(str(tmp_path))
    look.look(str(tmp_path / "nothing"))
    with pytest.raises(Exception, match="not there"):
        look.folder(str(tmp_path / "none"))
    assert _stands(trace)
    (tmp_path / "none").mkdir()
    assert not _stands(trace)


def test_content_that_was_written_just_now_is_never_trusted(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    for read in (Filesystem.read, lambda f, p: f.tail(p, 10), lambda f, p: list(f.contents([p]))):
        trace = Trace()
        read(Filesystem(Host()).traced(trace), str(file))
        assert not _stands(trace)
    time.sleep(2.2)
    trace = Trace()
    Filesystem(Host()).traced(trace).read(str(file))
    assert _stands(trace)
    file.write_text("two")
    os.utime(file, ns=(10**18, 10**18))
    assert not _stands(trace)


def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    kept = Kept(most=2)
    kept["a"], kept["b"] = 1, 2
    assert kept["a"] == 1
    kept["c"] = 3
    assert ("a" in kept, "b" in kept, len(kept)) == (True, False, 2)
    assert kept.get("b") is None
    assert kept.pop("c") == 3
