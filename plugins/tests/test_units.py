"""`--print-unit`: each kind is read by the program that will read it, or by its format's reader."""

from __future__ import annotations

import plistlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from plugins.units import Job, cron, launchd, systemd

ROOT = Path(__file__).resolve().parents[2]
ODD = """x $HOME%d'"\\ y*"""


def printed(kind: str, *words: str) -> str:
    """Return what the option prints for a command line."""
    command = [sys.executable, "-m", "pytest", "healthchecks/", *words, "--print-unit", kind]
    ran = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def job(folder: Path, *, stays: bool) -> Job:
    """Return a job that writes its arguments, one a line, to a file in its working folder."""
    program = folder / "program"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > said\n')
    program.chmod(0o755)
    return Job((str(program), ODD, "--watch", "10"), str(folder), "/usr/bin:/bin", stays, "odd")


def parts(text: str) -> list[str]:
    """Return the units that a printed text holds, each for a file of its own."""
    return [part for part in re.split(r"(?m)^(?=# Save this part)", text) if part]


def verify(folder: Path, text: str) -> None:
    """Let systemd read the units; it says on its error output what it does not understand."""
    names = []
    for part in parts(text):
        saved = re.search(r"/([^/\s,]+\.(?:service|timer))", part)
        assert saved
        (folder / saved[1]).write_text(part)
        names.append(str(folder / saved[1]))
    command = ["systemd-analyze", "--user", "verify", "--man=no", *names]
    environment = {"XDG_RUNTIME_DIR": str(folder), "HOME": str(folder), "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    said = [line for line in ran.stderr.splitlines() if str(folder) in line or "odd" in line]
    assert (ran.returncode, said) == (0, []), ran.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
@pytest.mark.parametrize("stays", [True, False])
def test_systemd_understands_its_units(tmp_path: Path, stays: bool) -> None:
    verify(tmp_path, systemd(job(tmp_path, stays=stays)))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_would_complain_of_what_it_does_not_understand(tmp_path: Path) -> None:
    text = systemd(job(tmp_path, stays=True)).replace("Restart=always", "Restart=sometimes")
    with pytest.raises(AssertionError):
        verify(tmp_path, text)


@pytest.mark.parametrize("stays", [True, False])
def test_launchd_gets_every_word(tmp_path: Path, stays: bool) -> None:
    wanted = job(tmp_path, stays=stays)
    agent = plistlib.loads(launchd(wanted).encode())
    assert tuple(agent["ProgramArguments"]) == wanted.argv
    assert agent["WorkingDirectory"] == str(tmp_path)
    assert agent.get("KeepAlive", False) is stays
    assert ("StartCalendarInterval" in agent) is not stays


@pytest.mark.parametrize("stays", [True, False])
def test_cron_gets_every_word(tmp_path: Path, stays: bool) -> None:
    lines = [line for line in cron(job(tmp_path, stays=stays)).splitlines() if line[0] != "#"]
    assert [bool(re.match(r"@reboot|\*/5", line)) for line in lines] == [stays] * len(lines)
    schedule = re.compile(r"(@reboot|\S+ \S+ \S+ \S+ \S+) (.*)")
    for line in lines:
        found = schedule.fullmatch(line)
        assert found
        # A plain % ends the command for cron; \% is a %.
        assert not re.search(r"(?<!\\)%", found[2])
        subprocess.run(["/bin/sh", "-c", found[2].replace("\\%", "%")], check=True)
        assert (tmp_path / "said").read_text().splitlines() == [ODD, "--watch", "10"]
        (tmp_path / "said").unlink()


def test_the_same_command_line_is_run() -> None:
    agent = plistlib.loads(printed("launchd", "--system", "host", "--deep").encode())
    wanted = [sys.executable, "-m", "pytest", "healthchecks/", "--system", "host", "--deep"]
    assert agent["ProgramArguments"] == wanted
    assert agent["WorkingDirectory"] == str(ROOT)


def test_what_ends_by_itself_cannot_be_a_unit() -> None:
    command = [sys.executable, "-m", "pytest", "healthchecks/", "--demo", "--print-unit", "cron"]
    ran = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert ran.returncode == 4
    assert "--print-unit does not go together with --demo" in ran.stderr


def test_it_sees_the_engine_and_the_state_that_we_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"DOCKER_HOST": "unix:///run/user/7/d%d.sock", "XDG_STATE_HOME": f"{tmp_path}/s t"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    agent = plistlib.loads(printed("launchd", "--watch", "10").encode())
    assert {**agent["EnvironmentVariables"], "PATH": ""} == {**told, "PATH": ""}
    unit = printed("systemd", "--watch", "10")
    assert 'Environment="DOCKER_HOST=unix:///run/user/7/d%%d.sock"' in unit
    line = printed("cron", "--watch", "10").splitlines()[-1]
    assert r"DOCKER_HOST=unix:///run/user/7/d\%d.sock " in line
