"""What is looked at before the first check, and the order in which it is judged."""

from __future__ import annotations

import pytest

from plugins.tests.toy import Toy

_PROBES = """
@probe
def under(system) -> tuple[str, ...]:
    if os.listdir(os.path.join(system.folder, "ill")):
        raise Blocked("toy.well", "something is ill")
    return ()
"""

_CHECKS = """
@check(P0, guide="T1", hint="nothing")
def test_above(under):
    \"\"\"It is above.

    It stands before its root cause in the file.
    \"\"\"
    assert not under

@check(P0, guide="T2", remedy=put_away)
def test_well(ill):
    \"\"\"All is well.

    It is the root cause.
    \"\"\"
    assert not ill, listed("ill", ill)
"""


def test_what_a_root_cause_blocks_is_judged_after_its_cure(pytester: pytest.Pytester) -> None:
    toy = Toy(pytester)
    toy.probes(_PROBES)
    toy.checks(_CHECKS)
    toy.add("a")
    assert toy.run().ret == 10
    assert toy.came() == {"above": "blocked", "well": "ill"}
    assert toy.run("--fix").ret == 0
    assert toy.came() == {"above": "healthy", "well": "fixed"}
