"""`--print-unit` for this machine: each kind is read by the program that will read it."""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import subprocess
import tempfile
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from plugins.schedules.cron import cron, lines
from plugins.schedules.every import Every
from plugins.schedules.launchd import launchd
from plugins.schedules.systemd import service, systemd, timer
from plugins.tests.jobs import ODD, Machine, printed, refusals
from plugins.tests.runs import ROOT

needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="needs systemd-analyze"
)
needs_cron = pytest.mark.skipif(not shutil.which("crontab"), reason="needs crontab (cron)")
STAYS = pytest.mark.parametrize("watch", [None, 10.0], ids=["looks", "watches"])
EVERY = ["1m", "5m", "15m", "30m", "1h", "6h", "24h", "7d"]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def verify(machine: Machine, *paths: Path) -> None:
    """Let systemd read the units; it says on its error output what it does not understand."""
    command = ["systemd-analyze", "--user", "verify", "--man=no", *map(str, paths)]
    # Other units of the machine name sockets below it, whose paths must not be too long.
    with tempfile.TemporaryDirectory(prefix="hc-") as runtime:
        env = machine.environment | {"XDG_RUNTIME_DIR": runtime}
        ran = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
    said = [line for line in ran.stderr.splitlines() if "odd" in line or str(machine.home) in line]
    assert (ran.returncode, said) == (0, []), ran.stderr


@needs_systemd
@STAYS
def test_one_line_installs_units_that_systemd_understands(
    machine: Machine, watch: float | None
) -> None:
    folder = machine.home / ".config/systemd/user"
    ran = machine.sh(systemd(machine.job(watch=watch)))
    assert ran.returncode == 0, ran.stderr
    unit = f"agent-healthchecks-odd.{'timer' if watch is None else 'service'}"
    verify(machine, *folder.glob("*"))
    assert machine.told[:3] == [
        "systemctl --user daemon-reload",
        f"systemctl --user enable {unit}",
        f"systemctl --user restart {unit}",
    ]
    assert "enable-linger" in ran.stdout
    assert (folder / "agent-healthchecks-odd.service").read_text() == service(
        machine.job(watch=watch)
    )


@needs_systemd
def test_systemd_would_complain_of_what_it_does_not_understand(machine: Machine) -> None:
    for name, text in (
        ("odd.service", service(machine.job())),
        ("odd.timer", timer(machine.job())),
    ):
        path = machine.home / name
        path.write_text(text)
        verify(machine, path, *([machine.home / "odd.service"] if "timer" in name else []))
        path.write_text(re.sub("(?m)^(Type|OnCalendar)=.*", r"\1=sometimes", text))
        with pytest.raises(AssertionError):
            verify(machine, path)
        path.write_text(text)


@needs_systemd
@pytest.mark.parametrize("text", EVERY)
def test_an_interval_is_what_systemd_takes_it_for(text: str) -> None:
    every = Every.read(text)
    command = ["systemd-analyze", "calendar", "--iterations=4", every.calendar]
    ran = subprocess.run(
        command, env={"TZ": "UTC", "PATH": "/usr/bin:/bin"}, check=True, capture_output=True
    )
    found = re.findall(rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", ran.stdout)
    times = [datetime.fromisoformat(each.decode()) for each in dict.fromkeys(found)]
    assert len(times) == 4
    assert {b - a for a, b in pairwise(times)} == {timedelta(minutes=every.minutes)}


def test_what_stood_there_is_kept_and_secrets_are_the_owners(machine: Machine) -> None:
    folder = machine.home / ".config/systemd/user"
    machine.sh(systemd(machine.job()))
    assert machine.variables.read_text() == "# TOKEN_OF_MINE=''\n"
    machine.variables.write_text("TOKEN_OF_MINE='mine'\n")
    machine.variables.chmod(0o644)
    (folder / "agent-healthchecks-odd.service").write_text("of a person\n")
    machine.sh(systemd(machine.job()))
    assert (folder / "agent-healthchecks-odd.service.before").read_text() == "of a person\n"
    assert machine.variables.read_text() == "TOKEN_OF_MINE='mine'\n"
    assert machine.variables.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("make", [systemd, launchd, cron])
def test_a_script_for_somebody_else_installs_nothing(machine: Machine, make: object) -> None:
    ran = machine.sh(make(machine.job(user=machine.user + 1)))  # type: ignore[operator]
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "print it as the user who is to run it" in ran.stderr
    assert not (machine.home / ".config").exists()


@STAYS
def test_launchd_gets_every_word(machine: Machine, watch: float | None) -> None:
    job = machine.job(watch=watch)
    ran = machine.sh(launchd(job))
    assert ran.returncode == 0, ran.stderr
    place = machine.home / "Library/LaunchAgents/org.agent-healthchecks-odd.plist"
    agent = plistlib.loads(place.read_bytes())
    assert machine.told[-1] == f"launchctl bootstrap gui/{machine.user} {place}"
    assert agent.get("KeepAlive", False) is (watch is not None)
    assert agent.get("StartCalendarInterval") == (None if watch else {"Hour": 7, "Minute": 30})
    machine.variables.write_text("TOKEN_OF_MINE='a b'\n")
    subprocess.run(
        agent["ProgramArguments"],
        env=agent["EnvironmentVariables"],
        cwd=agent["WorkingDirectory"],
        check=True,
    )
    assert machine.said == [ODD, "--deep", "a b"]


@needs_cron
@STAYS
def test_cron_takes_its_lines_and_gets_every_word(machine: Machine, watch: float | None) -> None:
    job = machine.job(watch=watch)
    table = machine.home / "table"
    table.write_text("\n".join([*lines(job), ""]))
    ran = subprocess.run(["crontab", "-n", str(table)], check=False, capture_output=True)
    assert ran.returncode == 0, ran.stderr
    entries = [line for line in table.read_text().splitlines() if line[0] != "#"]
    assert [entry.split(" ")[0] for entry in entries] == (["@reboot", "*/5"] if watch else ["30"])
    machine.variables.parent.mkdir(parents=True)
    machine.variables.write_text("TOKEN_OF_MINE='a b'\n")
    for entry in entries:
        command = re.sub(r"^(@reboot|\S+ \S+ \S+ \S+ \S+) ", "", entry)
        # A plain % ends the command for cron; \% is a %.
        assert not re.search(r"(?<!\\)%", command)
        for ill in ("yes", "no"):
            ran = subprocess.run(
                ["/bin/sh", "-c", command.replace("\\%", "%")],
                env={"HOME": "/", "ILL": ill},
                check=False,
                capture_output=True,
            )
            # It mails what is ill, and is silent else.
            assert ran.stdout == (b"\n" if ill == "yes" and not watch else b"")
            assert machine.said == [ODD, "--deep", "a b"]


@needs_cron
def test_cron_would_complain_of_what_it_does_not_understand(tmp_path: Path) -> None:
    (tmp_path / "table").write_text("*/15 * * true\n")
    ran = subprocess.run(["crontab", "-n", str(tmp_path / "table")], check=False)
    assert ran.returncode != 0


@needs_cron
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for crontabs that are nobody's")
def test_one_line_puts_it_into_a_crontab_beside_what_stands_there(machine: Machine) -> None:
    """Within a name space of its own, so that this machine's crontabs are left alone."""
    script = cron(machine.job(user=0))
    again = cron(machine.job(user=0, every=Every.read("15m")))
    for name, text in (("first", script), ("again", again)):
        (machine.home / name).write_text(text)
    steps = """set -e; mount -t tmpfs tmpfs /var/spool/cron/crontabs; cd "$HOME"
    sh first >&2; crontab -l; echo ===
    printf '# mine\\n1 2 3 4 5 true\\n' | crontab -; sh first >&2; sh again >&2; crontab -l
    crontab -l | grep -v END | crontab -; echo ===; sh again || crontab -l | head -n 2"""
    ran = subprocess.run(
        ["unshare", "--mount", "/bin/sh", "-c", steps],
        env=machine.environment,
        check=False,
        capture_output=True,
        text=True,
    )
    alone, both, kept = ran.stdout.split("===\n")
    assert alone.splitlines() == lines(machine.job(user=0)), ran.stderr
    mine = ["# mine", "1 2 3 4 5 true"]
    assert both.splitlines() == mine + lines(machine.job(user=0, every=Every.read("15m")))
    assert kept.splitlines() == mine
    assert "has only one of" in ran.stderr


def test_a_line_that_cron_would_cut_off_is_refused(machine: Machine) -> None:
    with pytest.raises(ValueError, match="longer than cron takes"):
        lines(machine.job(path="/x" * 500))


@pytest.mark.parametrize("text", ["7m", "90m", "5h", "2d", "0m", "-1h", "1", "1w", "1 h", "٣h", ""])
def test_an_interval_that_cron_cannot_keep_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"take|write"):
        Every.read(text)


def test_the_same_command_line_is_run_and_no_secret_is_printed() -> None:
    words = ("--system", "host", "--deep", "-k", "a or b")
    text = printed(
        "systemd",
        *words,
        "--every=1h",
        DOCKER_HOST="unix:///run/d%d.sock",
        QDRANT_API_KEY="the-very-secret",
    )
    assert '"pytest" "healthchecks/" "--system" "host" "--deep" "-k" "a or b"\n' in text
    assert 'Environment="DOCKER_HOST=unix:///run/d%%d.sock"' in text
    assert "HEALTHCHECKS_SCHEDULED=systemd:agent-healthchecks-host:3600" in text
    assert "OnCalendar=*-*-* 00/1:30:00" in text
    assert "# QDRANT_API_KEY=" in text
    assert "the-very-secret" not in text
    assert f"WorkingDirectory={ROOT}" in text


REFUSED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("does not go together with --demo", ("--demo",)),
    ("does not go together with --recover", ("--show-invite-code",)),
    ("take 6m or 10m", ("--every", "7m")),
    ("--every does not go together with --watch", ("--every", "1h", "--watch", "10")),
    ("is no longer than --deadline, 600 s", ("--every", "10m", "--deep")),
    ("must be more than 0", ("--watch", "0")),
    ("there is no such system", ("--system", "hsot")),
    ("cannot stand in a unit", ("-k", "a\nb")),
    ("needs healthchecks/", ("plugins/tests",)),
    ("needs healthchecks/", ("healthchecks/nosuch",)),
    ("holds a secret", ("--junitxml=https://me:pass-word-1@box.example/x",)),
)


def test_what_would_not_run_is_not_printed() -> None:
    told = refusals("cron", [words for _, words in REFUSED])
    for (said, words), (status, out, err) in zip(REFUSED, told, strict=True):
        assert (status, out) == (4, ""), words
        assert said in err, words
        assert "pass-word-1" not in err
