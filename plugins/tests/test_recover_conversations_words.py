"""The index misses nothing: not what `grep -iF` finds, and not what a person reads."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthchecks.crash_protection.search_batches import Draft
from healthchecks.crash_protection.search_index import Index, Place
from healthchecks.crash_protection.search_reading import identity
from healthchecks.crash_protection.search_words import Needle
from plugins.hosts import Host

LETTERS = st.sampled_from(list('aAbBnNtTuU019_ -./\\"\n\t\r\x00\x1e\x7féÉßſKİıΣςжЖ漢😀\u2028'))
TEXTS = st.text(LETTERS, max_size=30)


def found(folder: Path, text: str) -> list[str]:
    """Return the names of the files of a folder in which the search finds a text."""
    files = sorted(folder.glob("*.jsonl"))
    places = [Place(str(file), identity(os.lstat(file))) for file in files]
    index = Index(folder / "index", Host())
    assert index.update(places) == ()
    return [Path(hit.path).name for hit in index.search(places, Needle(text))]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(TEXTS, st.booleans(), st.data())
def test_nothing_is_missed(tmp_path: Path, text: str, plain: bool, data: st.DataObject) -> None:
    line = json.dumps({"type": "user", "text": text}, ensure_ascii=plain).encode() + b"\n"
    (tmp_path / "one.jsonl").write_bytes(line + b'{"type": "cut \\')
    shown = line.decode()[:-1]
    pool = data.draw(st.sampled_from([text, shown])) or "type"
    start = data.draw(st.integers(0, len(pool) - 1))
    wanted = pool[start : start + data.draw(st.integers(1, 12))]
    assert found(tmp_path, wanted) == ["one.jsonl"], (line, wanted)
    if wanted.isascii():
        assert found(tmp_path, wanted.swapcase()) == ["one.jsonl"], (line, wanted)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=40), st.text(LETTERS, min_size=1, max_size=4))
def test_whatever_grep_finds(tmp_path: Path, content: bytes, wanted: str) -> None:
    if "\n" in wanted or "\x00" in wanted:
        return
    file = tmp_path / "one.jsonl"
    file.write_bytes(content + wanted.swapcase().encode() + content)
    grep = ["grep", "-aiqF", "-e", wanted, str(file)]
    ran = subprocess.run(grep, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
    if ran.returncode == 0:
        assert found(tmp_path, wanted) == ["one.jsonl"], (file.read_bytes(), wanted)


def test_a_batch_that_the_disk_does_not_take_leaves_no_trace(tmp_path: Path) -> None:
    draft = Draft(tmp_path)
    draft.add("digest", 100, {b"word%d" % number for number in range(1000)})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            draft.write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())
    draft.write()
    assert len(list(tmp_path.iterdir())) == 1


def test_what_a_killed_search_began_is_cleared_up_a_day_later(tmp_path: Path) -> None:
    begun = [tmp_path / f".{number:020d}-1.words.tmp" for number in range(2)]
    for path in begun:
        path.write_bytes(b"half")
    os.utime(begun[0], (1, 1))
    Index(tmp_path, Host())
    assert [path.exists() for path in begun] == [False, True]
