"""The command line: what only prints touches nothing, and what is wrong is said."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib

import pytest

from plugins.tests.toy import ROOT, Toy, check


@pytest.fixture
def toy(pytester: pytest.Pytester) -> Toy:
    made = Toy(pytester)
    made.probes(
        "@probe\ndef marking(system):\n    open(os.environ['LOOKED'], 'w').close()\n    return ()\n"
    )
    made.checks(
        check("well", "assert not marking", facts="marking", cure="hint='Look \\u201chere\\u201d.'")
        + check("slow", "pass", cure="hint='Wait.', slow=True", severity="P0")
    )
    return made


def test_what_only_prints_looks_at_nothing(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = toy.root / "looked"
    monkeypatch.setenv("LOOKED", str(looked))
    result = toy.run("--co", "-q")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*test_toy.py::test_well"])
    result = toy.run("--list-checks", "--deep", "--system=toy")
    assert result.ret == 0
    rows = [json.loads(line) for line in result.outlines]
    assert [row["id"] for row in rows] == ["toy.slow", "toy.well"]
    assert rows[1] == {
        "id": "toy.well",
        "system": "toy",
        "severity": "P2",
        "safety": "manual",
        "guide": ["X01"],
        "title": "It is well",
        "why": "Why it matters.",
        "hint": "Look “here”.",
    }
    assert toy.run("--print-systems").ret == 0
    assert not looked.exists()
    assert not toy.state.exists()
    assert not (toy.root / "reports").exists()
    assert toy.run().ret == 0
    assert looked.exists()
    assert toy.came() == {"well": "healthy"}


def test_collecting_opens_nothing_of_the_system(toy: Toy) -> None:
    trace = toy.root / "trace"
    calls = "trace=openat,open,connect,socket,execve,statx,newfstatat,stat,lstat,readlink"
    argv = ["strace", "-f", "-qq", "-e", calls, "-o", str(trace)]
    argv += [sys.executable, "-B", "-m", "pytest"]
    ran = toy.pytester.run(*argv, "-p", "no:html", "--co", "-q", "healthchecks")
    assert ran.ret == 0
    lines = trace.read_text().splitlines()
    assert len(lines) > 100
    assert not [line for line in lines if str(toy.data) in line or str(toy.state) in line]
    assert not [line for line in lines if "connect(" in line or "AF_INET" in line]
    started = [line for line in lines if "execve(" in line and line.endswith(" = 0")]
    # pytest's own plugins ask for the platform: that is this process, and no watched system.
    known = ("python", "/uname", "/ldconfig")
    assert [line for line in started if not any(name in line for name in known)] == []


def test_the_systems_in_force_can_be_read_back(toy: Toy) -> None:
    mine = toy.root / "mine.toml"
    mine.write_text(
        'require = ["toy.well"]\n[toy]\nenabled = true\nlimit = inf\n'
        'names = ["a\\"b", "\\u007f\\n"]\n'
        '[waivers."toy.well"]\nuntil = 2999-01-01\nbecause = "a # b"\nowner = "me"\n'
    )
    result = toy.run("--print-systems", "--systems", str(mine))
    text = result.stdout.str()
    read = tomllib.loads(text)
    assert read["toy"]["enabled"] == "yes"
    assert read["toy"]["names"] == ['a"b', "\x7f\n"]
    assert read["waivers"]["toy.well"]["because"] == "a # b"
    result.stdout.fnmatch_lines([f"enabled = *# {mine}", "home = *# shipped"])
    again = toy.root / "again.toml"
    again.write_text(text)
    second = toy.run("--print-systems", "--systems", str(again)).stdout.str()
    assert tomllib.loads(second) == read


def test_the_systems_in_force_are_printed_without_secrets(toy: Toy) -> None:
    mine = toy.root / "mine.toml"
    mine.write_text("[toy]\nfolder = 'https://me:hunter2@box/x'\nnames = ['token=abcdef']\n")
    text = toy.run("--print-systems", "--systems", str(mine)).stdout.str()
    assert tomllib.loads(text)["toy"]["folder"] == "https://me:***@box/x"
    assert tomllib.loads(text)["toy"]["names"] == ["token=***"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--system=tyo"], "there is no such system; did you mean toy?"),
        (["--deadline=nan"], "--deadline must be more than 0 seconds"),
        (["--systems=none.toml"], "none.toml: No such file or directory"),
        (["--fix=all"], "invalid choice"),
    ],
)
def test_a_wrong_option_is_a_usage_error(toy: Toy, arguments: list[str], said: str) -> None:
    result = toy.run(*arguments)
    assert result.ret == 4
    assert said in result.stderr.str()
    assert "Traceback" not in result.stderr.str()


def test_a_wrong_file_is_a_usage_error_with_the_nearest_name(toy: Toy) -> None:
    mine = toy.root / "mine.toml"
    mine.write_text("[toy]\nfoldre = '/x'\n")
    result = toy.run("--systems", str(mine))
    assert result.ret == 4
    assert f"{mine}: unknown key foldre in [toy]; did you mean folder?" in result.stderr.str()


def test_a_system_is_switched_off_expected_or_asked_for(toy: Toy) -> None:
    mine = toy.root / "mine.toml"
    mine.write_text("[toy]\nenabled = false\n")
    toy.run("--systems", str(mine))
    assert toy.came() == {}
    mine.write_text("[toy]\nenabled = true\nfolder = '/nowhere/at/all'\n")
    assert toy.run("--systems", str(mine)).ret == 10
    assert toy.came() == {"well": "absent"}
    expected = toy.rows["suite.every_expected_system_is_here"]
    assert expected["outcome"] == "ill"
    assert "/nowhere/at/all" in expected["evidence"][0]


def test_a_usage_error_keeps_the_last_reports(toy: Toy) -> None:
    toy.run()
    last = (toy.root / "reports" / "health.json").read_bytes()
    assert toy.run("--fix", "--fix-only", "toy.wel").ret == 4
    assert (toy.root / "reports" / "health.json").read_bytes() == last


def test_a_system_that_is_not_asked_for_is_not_loaded() -> None:
    words = [sys.executable, "-m", "pytest", "healthchecks", "--system", "pocket_agent", "--co"]
    said = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "test_wire.py" in said
    assert re.findall(r"Package (\w+)>", said) == ["healthchecks", "pocket_agent"]
