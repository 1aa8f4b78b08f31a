"""`--scenarios` fails, with the right sentence, for every promise that is not kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.tests.toy import Toy, check

_SCENARIOS = """
from pathlib import Path
import os

from dataclasses import dataclass
from plugins.hands import tree

class Leaky(Write):
    "Its way back forgets the content."
    def inverse(self, hands):
        return (Move(self.path, hands.slot + ".away"), Mkdir(self.path))

class Mute(Quarantine):
    "What it prints does nothing."
    def __str__(self):
        return "true"

class Wrong(Quarantine):
    "What it prints cannot be run."
    def __str__(self):
        return "no-such-program --at-all"

def cure(safety, step):
    def steps(ill):
        "Cure it."
        return [step(path) for path in ill]
    return remedy(safety)(steps)

empty = cure(SAFE, lambda path: Write(path, b"", 0o600))
leaky = cure(SAFE, lambda path: Leaky(path, b"", 0o600))
mute = cure(SAFE, Mute)
wrong = cure(SAFE, Wrong)
idle = cure(SAFE, lambda path: Chmod(path, 0o640))
lossy = cure(UNSAFE, lambda path: Run(("rm", path)))
lossy_mute = cure(UNSAFE, Mute)
FULL = "assert not any(os.path.isdir(p) or os.path.getsize(p) for p in ill), listed('ill', ill)"
"""


def proof(name: str, cure: str, body: str = "assert not ill, listed('ill', ill)") -> str:
    return (
        check(name, body, cure=f"remedy={cure}")
        + f"""
@healthy(test_{name})
def well(world):
    pass

@fault(test_{name})
def bad(world):
    world.add("a")
"""
    )


def test_every_broken_promise_is_told(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = Toy(pytester)
    monkeypatch.setenv("CLOSED", str(toy.root / "closed"))
    full = "assert not any(os.path.isdir(p) or os.path.getsize(p) for p in ill), 'full'"
    toy.checks(
        _SCENARIOS
        + proof("good", "put_away")
        + proof("good_unsafe", "lossy")
        + proof("never_fails", "put_away", "pass")
        + proof("never_passes", "put_away", "assert False, 'always'")
        + proof("not_healed", "idle")
        + proof("not_undone", "leaky", full)
        + proof("printed_wrong", "mute")
        + proof("printed_broken", "wrong")
        + proof("unsafe_printed_wrong", "lossy_mute")
        + proof("crashes", "put_away", "assert not ill or 1 / 0")
    )
    result = toy.run("--scenarios", "--system=toy", "-v", "-p", "no:cacheprovider")
    assert result.ret == 1
    said = result.stdout.str()
    for words in (
        "toy.never_fails: bad: as it was made it must be ill, and was healthy",
        "toy.never_passes: well: as it was made it must be healthy, and was ill (always",
        "toy.not_healed: bad: the fix did not heal it: Fix(state='rolled_back'",
        "toy.not_undone: bad: after undo these are not what they were: ['ill/a']",
        "toy.printed_wrong: bad: after a shell ran ['true'] it must be healthy, and was ill",
        "toy.printed_broken: bad: the plan ended with status 127 in a shell",
        "toy.unsafe_printed_wrong: bad: after a shell ran ['true'] it must be healthy",
        "ZeroDivisionError",
    ):
        assert words in said, words
    result.assert_outcomes(passed=11, failed=9)
    failed = [line.rpartition(" - ")[0] or line for line in result.outlines if "FAILED" in line]
    assert not [line for line in failed if "good" in line]
    # Each world is ended once, whatever became of it; UNSAFE ones are built twice.
    assert len(Path(toy.root / "closed").read_text().splitlines()) == 20 + 2
