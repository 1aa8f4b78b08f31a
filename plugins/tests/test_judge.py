"""What checks come to, what the run makes of it, and the flow that pytest users expect."""

from __future__ import annotations

import time

import pytest

from plugins.endpoints.names import ENDPOINTS
from plugins.tests.toy import Toy, check


@pytest.fixture
def toy(pytester: pytest.Pytester) -> Toy:
    return Toy(pytester)


_PROBES = """
@probe
def absent(system):
    raise Absent("no such thing", ("/here", "/there"))

@probe
def blocked(system):
    raise Blocked("toy.ill_one", "the other is the cause")

@probe
def closed(system):
    raise NoPermission("we may not look")

@probe
def crashed(system):
    raise KeyError("a secret? password=hunter2hunter2")

@probe
def left(system):
    raise SystemExit(3)

@probe
def skipped(system):
    import pytest
    pytest.skip("I would rather not")

@probe(deadline=0.3)
def hung(system):
    time.sleep(300)

@probe
def wanting(system, no_such_endpoint):
    return ()

@probe
def measured(system):
    return Measure("used", 5.0, "%", 90.0)
"""


def body(name: str, *, severity: str = "P2") -> str:
    words = {"facts": name, "severity": severity, "cure": "hint='Look.'"}
    return check(f"{name}_one", f"assert not {name}", **words)


_CHECKS = (
    "".join(map(body, ("absent", "blocked", "closed", "crashed")))
    + "".join(map(body, ("left", "skipped", "hung", "wanting")))
    + check("ill_one", severity="P0")
    + check("judges_badly", "return 1 / 0")
    + check("unknown_fact", "pass", facts="nobody_knows", cure="hint='Look.'")
    + check("healthy_one", "assert measured.value < 9", facts="measured", cure="hint='Look.'")
)


def test_every_outcome_is_told_apart_and_nothing_hangs(toy: Toy) -> None:
    toy.probes(_PROBES)
    toy.checks(_CHECKS)
    toy.add("a")
    began = time.monotonic()
    result = toy.run("--junitxml=junit.xml")
    assert time.monotonic() - began < 30
    assert result.ret == 10
    assert toy.came() == {
        "absent_one": "absent",
        "blocked_one": "blocked",
        "closed_one": "cannot_tell",
        "crashed_one": "cannot_tell",
        "left_one": "cannot_tell",
        "skipped_one": "cannot_tell",
        "hung_one": "cannot_tell",
        "wanting_one": "cannot_tell",
        "ill_one": "ill",
        "judges_badly": "cannot_tell",
        "unknown_fact": "cannot_tell",
        "healthy_one": "healthy",
    }
    said = {name[4:]: row["message"] for name, row in toy.rows.items()}
    assert said["absent_one"] == "no such thing (looked in /here, /there)"
    assert said["crashed_one"].startswith("looking at crashed crashed: KeyError")
    assert "hunter2" not in said["crashed_one"]
    assert said["left_one"] == "looking at left crashed: SystemExit: 3"
    assert "I would rather not" in said["skipped_one"]
    assert said["hung_one"].endswith("no answer in time (our limit of 0.3 s)")
    assert said["wanting_one"] == "no endpoint is called no_such_endpoint"
    assert said["judges_badly"].startswith("the check crashed: ZeroDivisionError")
    assert "nobody_knows" in said["unknown_fact"]
    assert toy.rows["toy.blocked_one"]["blocked_by"] == "toy.ill_one"
    assert toy.rows["toy.healthy_one"]["measures"][0]["value"] == 5.0
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert 'value="P0"' in (toy.root / "junit.xml").read_text()


def test_past_the_runs_deadline_what_was_seen_is_judged_and_the_rest_has_rows(toy: Toy) -> None:
    toy.probes("@probe(deadline=200)\ndef hung(system):\n    time.sleep(300)\n")
    toy.checks(body("hung", severity="P0") + check("seen"))
    toy.add("a")
    result = toy.run("--deadline=1", "--fix", "--system=toy")
    assert result.ret == 1
    assert toy.came() == {"hung_one": "not_run", "seen": "ill"}
    limit = "the run's deadline of 1 s passed (--deadline sets another)"
    assert toy.rows["toy.hung_one"]["message"] == f"{limit}: it was not reached"
    assert toy.rows["toy.seen"]["fix"]["message"] == "the run's deadline had passed"
    (toy.data / "ill" / "a").unlink()
    assert toy.run("--deadline=1", "--system=toy").ret == 11


def test_a_slow_search_for_the_system_does_not_lengthen_a_probes_deadline(toy: Toy) -> None:
    system = toy.folder / "system.py"
    waits = "    import time; time.sleep(0.7)\n    with open"
    system.write_text(system.read_text().replace("    with open", waits, 1))
    toy.probes("@probe(deadline=0.5)\ndef hung(system):\n    time.sleep(300)\n")
    toy.checks(body("hung") + check("well", cure="hint='Look.'"))
    toy.run("--deadline=8", "--system=toy")
    assert toy.came() == {"hung_one": "cannot_tell", "well": "healthy"}
    assert "our limit of 0.5 s" in toy.rows["toy.hung_one"]["message"]


def test_pytests_own_options_keep_their_meaning(toy: Toy) -> None:
    toy.checks(
        check("first", severity="P0")
        + check("second", severity="P1")
        + check("third", "pass", severity="P2", cure="hint='Look.'")
    )
    toy.add("a")
    assert toy.run("-x", "--system=toy").ret == 10
    assert toy.came() == {"first": "ill", "second": "not_run", "third": "not_run"}
    assert toy.rows["toy.third"]["message"] == "the run ended before its turn"
    assert toy.run("-m", "P1", "--system=toy").ret == 1
    assert toy.came() == {"second": "ill"}
    assert toy.run("--lf", "--system=toy").ret == 10
    assert toy.came() == {"first": "ill", "second": "ill"}
    assert toy.run("-k", "third and not second").ret == 0
    assert toy.came() == {"third": "healthy"}
    assert toy.run("-k", "no_such_check").ret == 5


def test_exit_statuses_tell_the_worst_that_is_known(toy: Toy) -> None:
    toy.checks(
        check("minor", severity="P3")
        + check("dark", "assert not odd", facts="odd", cure="hint='Look.'")
    )
    toy.add("a")
    assert toy.run("--system=toy").ret == 0
    assert toy.run("--system=toy", "--fail-on=P3").ret == 1
    (toy.data / "odd").rmdir()
    assert toy.run("--system=toy").ret == 11
    assert "FileNotFoundError" in toy.rows["toy.dark"]["message"]
    assert toy.run("--system=toy", "-k", "minor", "--require", "toy.dark").ret == 11
    (toy.data / "ill" / "a").unlink()
    (toy.data / "ill").rmdir()
    toy.data.rmdir()
    assert toy.run("--system=toy").ret == 5
    assert set(toy.came().values()) == {"absent"}


def test_two_checks_of_one_name_are_refused(toy: Toy) -> None:
    toy.checks(check("twin"))
    (toy.folder / "test_more.py").write_text((toy.folder / "test_toy.py").read_text())
    result = toy.run()
    assert result.ret == 4
    assert "two checks are called toy.twin" in result.stderr.str() + result.stdout.str()


def test_a_plain_test_in_any_folder_has_the_endpoints(toy: Toy) -> None:
    names = ", ".join(ENDPOINTS)
    mine = toy.folder.with_name("mine")
    mine.mkdir()
    (mine / "test_mine.py").write_text(
        f"import testinfra.host\ndef test_it({names}, host):\n"
        "    assert isinstance(host, testinfra.host.Host)\n"
        "    assert commands.run(('true',)).status == 0\n"
        f"    assert len({{type(one) for one in ({names})}}) == {len(ENDPOINTS)}\n"
    )
    assert toy.pytester.runpytest_subprocess("healthchecks/mine", timeout=60).ret in {0, 5}
    toy.pytester.runpytest_subprocess("healthchecks/mine", "-v").assert_outcomes(passed=1)
