"""What a run fixed is taken back, newest first, where nobody touched it since."""

from __future__ import annotations

import fcntl
import json

import pytest

from plugins.tests.toy import Toy, check, tree


@pytest.fixture
def toy(pytester: pytest.Pytester) -> Toy:
    return Toy(pytester)


def runs(toy: Toy) -> list[str]:
    return sorted(path.stem for path in (toy.state / "journal").iterdir())


def test_the_newest_run_is_undone_first_then_the_one_before(toy: Toy) -> None:
    toy.checks(check("well"))
    toy.add("a")
    before = tree(toy.data)
    toy.run("--fix")
    toy.add("b")
    between = tree(toy.data)
    toy.run("--fix")
    result = toy.run("--undo")
    assert result.ret == 0
    assert tree(toy.data) == between
    assert toy.run("--undo").ret == 0
    assert {k: v for k, v in tree(toy.data).items() if not k.endswith("/b")} == before
    result = toy.run("--undo")
    assert result.ret == 5
    result.stdout.fnmatch_lines(["there is nothing to undo*"])


def test_what_somebody_changed_is_left_and_the_rest_goes_back(toy: Toy) -> None:
    toy.checks(
        """
@remedy(SAFE)
def tidy(ill):
    "Tidy."
    for path in ill:
        yield Write(path, b"new", 0o600)
        yield Quarantine(path)
"""
        + check("well", cure="remedy=tidy")
    )
    for name in "abc":
        toy.add(name, name.encode())
    toy.run("--fix")
    toy.add("b", b"somebody's own")
    result = toy.run("--undo")
    assert result.ret == 1
    lines = [line for line in result.outlines if line.startswith(("undone", "REFUSED"))]
    assert [line.partition(":")[0] for line in lines] == [
        *["undone"] * 2,
        *["REFUSED"] * 2,
        *["undone"] * 2,
    ]
    assert "somebody changed" in lines[2]
    files = {path.name: path.read_text() for path in (toy.data / "ill").iterdir()}
    assert files == {"a": "a", "b": "somebody's own", "c": "c"}
    (toy.data / "ill" / "b").unlink()
    assert toy.run("--undo").ret == 0
    assert (toy.data / "ill" / "b").read_text() == "b"


def test_a_run_is_undone_by_its_name_and_no_other_file_is_read(toy: Toy) -> None:
    toy.checks(check("well"))
    for name in "ab":
        toy.add(name)
        toy.run("--fix")
    first = runs(toy)[0]
    result = toy.run("--undo", first)
    assert result.ret == 0
    assert [path.name for path in (toy.data / "ill").iterdir()] == ["a"]
    (toy.state / "planted.jsonl").write_text(json.dumps({"host": "local://"}) + "\n")
    for name in ("../planted",):
        result = toy.run("--undo", name)
        assert result.ret == 5
        result.stdout.fnmatch_lines([f"there is no run {name} that took fixes*"])


def test_a_journal_without_a_whole_line_hides_no_older_run(toy: Toy) -> None:
    toy.checks(check("well"))
    toy.add("a")
    before = tree(toy.data)
    toy.run("--fix")
    for name, text in (("29990101T000000000Z", ""), ("29990102T000000000Z", '{"run": "2')):
        (toy.state / "journal" / f"{name}.jsonl").write_text(text)
    assert toy.run("--undo").ret == 0
    assert tree(toy.data) == before


def test_a_run_on_a_host_that_is_gone_says_so(toy: Toy) -> None:
    toy.checks(check("well"))
    toy.add("a")
    toy.run("--fix")
    path = toy.state / "journal" / f"{runs(toy)[0]}.jsonl"
    path.write_text(path.read_text().replace("local://", "docker://no-such-container"))
    after = tree(toy.data)
    result = toy.run("--undo")
    assert result.ret == 1
    said = result.stdout.str() + result.stderr.str()
    assert "REFUSED: toy.well: " in said
    assert "Traceback" not in said
    assert tree(toy.data) == after


def test_what_can_not_be_taken_back_is_said_once_and_hides_no_older_run(toy: Toy) -> None:
    toy.checks(
        """
@remedy(UNSAFE)
def by_command(odd):
    "Remove it."
    yield Run(("rm", *odd))
"""
        + check("well", severity="P1")
        + check("by_command", "assert not odd", facts="odd", cure="remedy=by_command")
    )
    toy.add("a")
    before = tree(toy.data)
    toy.run("--fix=unsafe")
    toy.add("b", folder="odd")
    toy.run("--fix=unsafe")
    assert toy.came()["by_command"] == "fixed"
    result = toy.run("--undo", runs(toy)[-1])
    assert result.ret == 1
    result.stdout.fnmatch_lines(["REFUSED: *cannot be taken back: rm *"])
    assert toy.run("--undo").ret == 0
    assert tree(toy.data) == before


def test_two_runs_do_not_fix_at_once(toy: Toy) -> None:
    toy.checks(check("well"))
    toy.add("a")
    toy.state.mkdir(mode=0o700)
    with (toy.state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        toy.run("--fix")
    fix = toy.rows["toy.well"]["fix"]
    assert fix["state"] == "refused"
    assert "another run" in fix["message"]
    assert (toy.data / "ill/a").exists()


def test_a_state_folder_that_can_not_be_used_is_said_and_nothing_is_taken(toy: Toy) -> None:
    toy.checks(check("well"))
    toy.add("a")
    toy.state.write_text("a file stands here")
    toy.run("--fix")
    fix = toy.rows["toy.well"]["fix"]
    assert fix["state"] == "refused"
    assert "no journal can be kept" in fix["message"]
    assert (toy.data / "ill/a").exists()
