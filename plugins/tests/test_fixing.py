"""A fix is taken with consent only, believed after a second look, and rolled back otherwise."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from plugins.tests.toy import Toy, check, tree


@pytest.fixture
def toy(pytester: pytest.Pytester) -> Toy:
    return Toy(pytester)


_LEVELS = (
    """
@remedy(UNSAFE)
def put_odd_away(odd):
    "Move each aside, and lose it."
    for path in odd:
        yield Quarantine(path)
"""
    + check("safe_one")
    + check(
        "unsafe_one", "assert not odd, listed('odd', odd)", facts="odd", cure="remedy=put_odd_away"
    )
    + check("manual_one", "assert not odd, listed('odd', odd)", facts="odd", cure="hint='Look.'")
)


def test_a_plan_changes_nothing_and_shows_lines_and_diff_with_secrets_masked(toy: Toy) -> None:
    toy.checks(
        """
@remedy(SAFE)
def rewrite(ill):
    "Write it anew."
    for path in ill:
        yield Write(path, b"one\\npassword = hunter2hunter2\\n", 0o600)
"""
        + check("written_right", cure="remedy=rewrite")
    )
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\n-----END PRIVATE KEY-----\n"
    toy.add("a", f"zero\n{key}password = swordfish99\n".encode())
    before = tree(toy.data)
    result = toy.run("--fix=plan")
    assert tree(toy.data) == before
    assert sorted(path.name for path in toy.state.iterdir()) == ["history.lock", "history.sqlite3"]
    fix = toy.rows["toy.written_right"]["fix"]
    assert fix["state"] == "planned"
    assert "printf %s" in fix["plan"][0]
    assert "+one" in fix["diff"]
    assert "-zero" in fix["diff"]
    everything = json.dumps(toy.document) + result.stdout.str()
    assert "hunter2" not in everything
    assert "swordfish" not in everything
    assert "MIIEvQ" not in everything
    assert result.ret == 1


@pytest.mark.parametrize(
    ("consent", "cured"),
    [("--fix", {"safe_one"}), ("--fix=unsafe", {"safe_one", "unsafe_one"})],
)
def test_consent_is_the_least_safety_that_is_taken(toy: Toy, consent: str, cured: set[str]) -> None:
    toy.checks(_LEVELS)
    toy.add("a")
    toy.add("b", folder="odd")
    toy.run(consent)
    came = toy.came()
    assert {name for name, outcome in came.items() if outcome == "fixed"} == cured
    assert toy.rows["toy.manual_one"]["fix"] is None
    if "unsafe_one" not in cured:
        assert "consent" in toy.rows["toy.unsafe_one"]["fix"]["message"]


def test_only_the_named_check_is_cured_and_a_waived_one_never(toy: Toy) -> None:
    toy.checks(
        _LEVELS
        + check("waived", "assert not odd, 'odd'", facts="ill, odd")
        + check("other", severity="P3")
    )
    toy.add("a")
    toy.add("b", folder="odd")
    mine = toy.root / "mine.toml"
    mine.write_text('[waivers."toy.waived"]\nuntil = 2999-01-01\nbecause = "known"\nowner = "me"\n')
    toy.run("--fix", "--fix-only", "toy.waived", "--systems", str(mine))
    assert toy.came()["waived"] == "silenced"
    assert (toy.data / "ill/a").exists()
    toy.run("--fix", "--fix-only", "toy.other", "--systems", str(mine))
    assert toy.came()["safe_one"] == "ill"
    assert toy.came()["other"] == "fixed"


def test_fix_only_without_fix_is_a_usage_error(toy: Toy) -> None:
    toy.checks(check("well"))
    result = toy.run("--fix-only", "toy.well")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--fix-only narrows a --fix*"])


def test_fix_only_of_a_misspelt_check_is_a_usage_error(toy: Toy) -> None:
    toy.checks(check("well"))
    result = toy.run("--fix", "--fix-only", "toy.wel", "--system", "toy")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--fix-only toy.wel: no check*; did you mean toy.well?*"])


_ROUGH = (
    """
@remedy(SAFE)
def rewrite(ill):
    "Write them anew, which does not help."
    for path in ill:
        yield Chmod(path, 0o640)
        yield Write(path, b"new", 0o600)
        yield DropLines(path, (1,))
    yield Mkdir(ill[0] + ".d", 0o711)

@remedy(SAFE)
def first_only(ill):
    "Move the first one aside."
    yield Quarantine(ill[0])

@remedy(SAFE)
def never_allowed(ill):
    "Touch what is not ours."
    yield Chmod(ill[0], 0o640)
    yield Chmod("/etc/passwd", 0o644)

@remedy(SAFE)
def crashes(ill):
    "Crash in the middle."
    yield Chmod(ill[0], 0o640)
    raise KeyError("boom")

@remedy(SAFE)
def leaves(ill):
    "End the program."
    raise SystemExit(7)
    yield

class Rough:
    targets = ()
    brief = "rough"
    def __str__(self): return "rough"
    def inverse(self, hands): return ()
    def difference(self, hands): raise ZeroDivisionError("in the difference")
    def take(self, hands): raise self.what

class Unready(Rough):
    what = OSError(28, "No space left on device")

class Wrong(Rough):
    what = TypeError("a wrong type")

@remedy(SAFE)
def unready(ill):
    "Meet an OSError."
    yield Chmod(ill[0], 0o640)
    yield Unready()

@remedy(SAFE)
def wrong(ill):
    "Meet a TypeError."
    yield Wrong()

@remedy(SAFE)
def nothing(ill):
    "Do nothing."
    return ()

@remedy(SAFE)
def no_generator(ill):
    "Forget to yield."
"""
    + check("rolled_back", cure="remedy=rewrite")
    + check("refused", cure="remedy=never_allowed")
    + check("crashed", cure="remedy=crashes")
    + check("left", cure="remedy=leaves")
    + check("unready", cure="remedy=unready")
    + check("wrong", cure="remedy=wrong")
    + check("nothing", cure="remedy=nothing")
    + check("no_generator", cure="remedy=no_generator")
    + check("judges_badly", "assert not ill, 'ill' if ill[0] else 1/0", cure="remedy=nothing")
)


def test_what_did_not_help_is_rolled_back_and_a_crash_is_a_sentence(toy: Toy) -> None:
    toy.checks(_ROUGH)
    for name in ("a", "b"):
        path = toy.add(name, b"old\n\0\xffsecond")
        path.chmod(0o751)
        os.chown(path, 12, 34)
        os.utime(path, ns=(10**18, 10**18 + 7))
    before = tree(toy.data)
    result = toy.run("--fix")
    assert tree(toy.data) == before
    fixes = {name[4:]: row["fix"] for name, row in toy.rows.items() if name.startswith("toy.")}
    said = {name: f"{fix['state']}: {fix['message']}" for name, fix in fixes.items()}
    back = "everything was taken back"
    assert said["rolled_back"] == f"rolled_back: it was still ill after the fix; {back}"
    assert said["refused"].startswith("refused: /etc/passwd: ")
    assert back in said["refused"]
    assert said["crashed"] == "failed: the remedy crashed: KeyError: 'boom'"
    assert said["left"] == "failed: the remedy crashed: SystemExit: 7"
    assert "failed: a step crashed: OSError: [Errno 28]" in said["unready"]
    assert "nobody knows whether this was done: rough" in said["unready"]
    assert "failed: a step crashed: TypeError: a wrong type" in said["wrong"]
    assert said["nothing"].startswith("refused: a person has to look")
    assert said["no_generator"].startswith("failed: the remedy crashed: TypeError")
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()
    assert set(toy.came().values()) == {"ill"}
    assert result.ret == 1
    toy.run("--fix=plan", "-k", "wrong")
    assert "ZeroDivisionError" in toy.rows["toy.wrong"]["fix"]["message"]


def test_a_cure_of_a_part_is_kept_and_the_finding_tells_of_the_rest(toy: Toy) -> None:
    toy.checks(_ROUGH + check("partly", cure="remedy=first_only"))
    toy.add("a")
    toy.add("b")
    toy.run("--fix", "-k", "partly")
    row = toy.rows["toy.partly"]
    assert row["fix"]["state"] == "partly"
    assert row["evidence"] == [str(toy.data / "ill/b")]
    assert not (toy.data / "ill/a").exists()


def test_one_refusal_does_not_block_another_fix(toy: Toy) -> None:
    toy.checks(
        _ROUGH.replace("def test_", "def untested_")
        + check("a_refused", cure="remedy=never_allowed", severity="P0")
        + check("b_cured")
    )
    toy.add("a")
    result = toy.run("--fix")
    assert toy.came() == {"a_refused": "ill", "b_cured": "fixed"}
    assert result.ret == 10


def test_tries_are_counted_across_runs_and_then_a_human_is_called(toy: Toy) -> None:
    toy.checks(check("comes_back"))
    (toy.folder.parent / "systems.toml").write_text(
        (toy.folder.parent / "systems.toml").read_text().replace("attempts = 3", "attempts = 2")
    )
    for _ in range(2):
        toy.add("a")
        toy.run("--fix")
        assert toy.came() == {"comes_back": "fixed"}
    toy.add("a")
    toy.run("--fix")
    fix = toy.rows["toy.comes_back"]["fix"]
    assert fix["state"] == "spent"
    assert "call a human" in fix["message"]
    assert (toy.data / "ill/a").exists()
    assert (toy.state / "attempts.json").stat().st_mode & 0o777 == 0o600


def test_the_second_look_that_can_not_see_is_not_believed(toy: Toy) -> None:
    toy.probes(
        """
@probe
def seen_once(system) -> tuple[str, ...]:
    marker = os.path.join(system.folder, "odd", "seen")
    if os.path.exists(marker):
        raise CannotTell("the lamp went out")
    open(marker, "w").close()
    return ("a",)
"""
    )
    toy.checks(
        """
@remedy(SAFE)
def close(system):
    "Close it."
    yield Chmod(system.folder + "/ill", 0o700)
"""
        + check("lit", "assert not seen_once", facts="seen_once", cure="remedy=close")
    )
    mode = (toy.data / "ill").stat().st_mode
    toy.run("--fix")
    fix = toy.rows["toy.lit"]["fix"]
    assert fix["state"] == "rolled_back"
    assert "the lamp went out" in fix["message"]
    assert (toy.data / "ill").stat().st_mode == mode
    assert Path(toy.state / "journal").stat().st_mode & 0o777 == 0o700
