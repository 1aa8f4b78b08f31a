"""`--print-unit systemd|launchd|cron`: what runs the same command line by itself, on this machine.

With `--watch` it is a service that stays; without, a look a day. What is printed is saved as it is;
its first comment says where, and what to type then.
"""

from __future__ import annotations

import os
import plistlib
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from plugins.report.status import NOTHING_RAN

NAME = "agent-healthchecks"
_LABEL = f"org.{NAME}"
_HOUR, _MINUTE = 7, 30  # of the look a day, local time
_GRACE_S = 300  # a copy in hand is finished when the service is ended; of a GB, on a slow disk
_USAGE = 4  # what a second instance ends with: starting it again and again helps nobody
# Where the engine, our state (with the lock of a watch) and Claude's configuration are.
_TOLD = ("DOCKER_HOST", "XDG_STATE_HOME", "CLAUDE_CONFIG_DIR")
_ALONE = {
    "collectonly": "--collect-only",
    "demo": "--demo",
    "history": "--history",
    "list_checks": "--list-checks",
    "recover": "--recover",
    "scenarios": "--scenarios",
    "undo": "--undo",
}


@dataclass(frozen=True)
class Job:
    """What is to be run.

    Args:
        argv: the program and its arguments.
        folder: its working folder.
        path: the value of PATH, with which it finds what this command line found.
        stays: whether it runs on, or ends after a look.
        named: its name, with what it watches, so that two can stand beside each other.
        told: further names and values of our environment, by which it sees what we see.
    """

    argv: tuple[str, ...]
    folder: str
    path: str
    stays: bool
    named: str
    told: tuple[tuple[str, str], ...] = ()

    @property
    def environment(self) -> tuple[tuple[str, str], ...]:
        """All names and values that are set for it."""
        return (("PATH", self.path), *self.told)

    @property
    def what(self) -> str:
        """What it is, in a few words."""
        return "Health checks of this machine" + (", again and again" if self.stays else "")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.getgroup("health").addoption(
        "--print-unit",
        choices=sorted(_KINDS),
        help="print what runs this same command line by itself; changes nothing",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Print the unit where that is what was asked for."""
    kind = config.option.print_unit
    if kind is None:
        return None
    for option, words in _ALONE.items():
        if getattr(config.option, option, None) not in (None, False):
            raise pytest.UsageError(f"--print-unit does not go together with {words}")
    print(_KINDS[kind](job_of(config)), end="")  # noqa: T201 - the document that was asked for
    return 0


def job_of(config: pytest.Config) -> Job:
    """Return what the command line asks for, without `--print-unit`."""
    given = [str(word) for word in config.invocation_params.args]
    kept, words = [], iter(given)
    for word in words:
        if word == "--print-unit":
            next(words, None)
        elif not word.startswith("--print-unit="):
            kept.append(word)
    told = tuple((name, os.environ[name]) for name in _TOLD if os.environ.get(name))
    words_of_it = (*kept, str(config.invocation_params.dir), *(value for _, value in told))
    bad = [word for word in words_of_it if not word.isprintable()]
    if bad:
        raise pytest.UsageError(f"--print-unit: {bad[0]!r} cannot stand in a unit")
    systems = "-".join(config.option.system)
    return Job(
        argv=(sys.executable, "-m", "pytest", *kept),
        folder=str(config.invocation_params.dir),
        path=os.environ.get("PATH", os.defpath),
        stays=getattr(config.option, "watch", None) is not None,
        named=f"{NAME}-{systems}" if systems else NAME,
        told=told,
    )


def _word(text: str) -> str:
    """Return a word as systemd reads it: quoted, with its own signs doubled."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _argument(text: str) -> str:
    return _word(text).replace("$", "$$")


def _service(job: Job) -> list[str]:
    statuses = " ".join(map(str, (1, NOTHING_RAN, 10, 11)))
    restart = (
        ["Restart=always", "RestartSec=10", f"RestartPreventExitStatus={_USAGE}"]
        if job.stays
        else []
    )
    return [
        "[Unit]",
        f"Description={job.what}",
        "",
        "[Service]",
        f"Type={'simple' if job.stays else 'oneshot'}",
        f"WorkingDirectory={job.folder.replace('%', '%%')}",
        *(f"Environment={_word(f'{name}={value}')}" for name, value in job.environment),
        f"ExecStart={' '.join(map(_argument, job.argv))}",
        "# What is ill is told; it is no failure of the checks themselves.",
        f"SuccessExitStatus={statuses}",
        *restart,
        "UMask=0077",
        "Nice=10",
        f"TimeoutStopSec={_GRACE_S}" if job.stays else "TimeoutStartSec=infinity",
    ]


def systemd(job: Job) -> str:
    """Return a user unit that stays, or a service and the timer that starts it once a day."""
    folder, service = "~/.config/systemd/user", _service(job)
    if job.stays:
        head = _head(f"{folder}/{job.named}.service", f"{job.named}.service")
        return "\n".join([*head, *service, "", "[Install]", "WantedBy=default.target", ""])
    timer = [
        "[Unit]",
        f"Description={job.what}, once a day",
        "",
        "[Timer]",
        f"OnCalendar=*-*-* {_HOUR:02d}:{_MINUTE:02d}:00",
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
        "",
    ]
    first = [f"# Save this part as {folder}/{job.named}.service", "", *service, ""]
    return "\n".join([*first, *_head(f"{folder}/{job.named}.timer", f"{job.named}.timer"), *timer])


def _head(path: str, unit: str) -> list[str]:
    return [
        f"# Save this part as {path}, then type:",
        f"#   systemctl --user daemon-reload && systemctl --user enable --now {unit}",
        "# and, so that it runs while you are not logged in: loginctl enable-linger",
        "",
    ]


def launchd(job: Job) -> str:
    """Return a launchd agent's property list."""
    label = f"{_LABEL}{job.named.removeprefix(NAME)}"
    log = f"{Path.home()}/Library/Logs/{job.named}.log"
    agent: dict[str, object] = {
        "Label": label,
        "ProgramArguments": list(job.argv),
        "WorkingDirectory": job.folder,
        "EnvironmentVariables": dict(job.environment),
        "Umask": 0o077,
        "Nice": 10,
        "ProcessType": "Background",
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    if job.stays:
        # KeepAlive starts it again however it ended; a second instance ends at once, by its lock.
        agent |= {"RunAtLoad": True, "KeepAlive": True, "ThrottleInterval": 60}
        agent |= {"ExitTimeOut": _GRACE_S, "StandardOutPath": "/dev/null"}
    else:
        agent |= {"StartCalendarInterval": {"Hour": _HOUR, "Minute": _MINUTE}}
    head, _, rest = plistlib.dumps(agent, sort_keys=False).decode().partition("<plist")
    path = f"~/Library/LaunchAgents/{label}.plist"
    hint = f"<!-- Save as {path}, then type: launchctl bootstrap gui/$(id -u) {path} -->\n"
    return f"{head}{hint}<plist{rest}"


def cron(job: Job) -> str:
    """Return crontab lines."""
    command = f"cd {shlex.quote(job.folder)} && exec {shlex.join(job.argv)}"
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in job.environment)
    line = f"{settings} /bin/sh -c {shlex.quote(command)}".replace("%", "\\%")
    head = ["# Add these lines with: crontab -e"]
    if job.stays:
        silent = f"{line} >/dev/null 2>&1"
        why = "# The second line starts it again where it ended; while it runs, a second one ends."
        return "\n".join([*head, why, f"@reboot {silent}", f"*/5 * * * * {silent}", ""])
    return "\n".join([*head, f"{_MINUTE} {_HOUR} * * * {line}", ""])


_KINDS = {"systemd": systemd, "launchd": launchd, "cron": cron}
