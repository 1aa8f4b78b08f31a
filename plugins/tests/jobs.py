"""Jobs that tell what they were given, and machines on which a printed script can be run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from plugins.schedules.job import Job
from plugins.tests.runs import NOBODY, ROOT, open_the_way

# What a shell, systemd, cron, YAML, XML or GitHub might make something else of.
ODD = """x $HOME%d'"\\ y* `id` ${{ github.token }} <&> # ä {{ }} $[[ z ]] !!"""
# It stands in for what starts things here: it writes down what it was told.
_TOLD = '#!/bin/sh\necho "${0##*/} $*" >>"$HOME/told"\n'


def printed(kind: str, *words: str, **env: str) -> str:
    """Return what the option prints for a command line."""
    command = [sys.executable, "-m", "pytest", "healthchecks/", *words, "--print-unit", kind]
    ran = subprocess.run(
        command, cwd=ROOT, env=os.environ | env, check=False, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


_EACH = """
import contextlib, io, json, sys, pytest
for words in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = pytest.main(words)
    print(json.dumps([int(status), out.getvalue(), err.getvalue()]))
"""


def refusals(kind: str, lines: list[tuple[str, ...]]) -> list[tuple[int, str, str]]:
    """Return exit status, output and errors of each command line, all of them in one process."""
    each = [["healthchecks/", *words, "--print-unit", kind] for words in lines]
    ran = subprocess.run(
        [sys.executable, "-c", _EACH],
        input=json.dumps(each),
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [tuple(json.loads(line)) for line in ran.stdout.splitlines()]


class Machine:
    """A home folder, and a program that writes down its words and what it was told of a secret.

    Args:
        folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home of mine"
        self.home.mkdir()
        # Root's units go to the system's own folders: a script of root's is not run here.
        self.user = NOBODY if os.geteuid() == 0 else os.geteuid()
        self.program = self.home / "pro gram"
        self._executable(
            self.program,
            '#!/bin/sh\nprintf "%s\\n" "$@" "$TOKEN_OF_MINE" >"$SAID"\n[ "$ILL" != yes ]\n',
        )
        for name in ("systemctl", "loginctl", "launchctl", "plutil"):
            self._executable(self.home / "bin" / name, _TOLD)
        self.variables = self.home / ".config/agent-healthchecks/environment"
        if os.geteuid() == 0:
            open_the_way(folder)
            for path in (self.home, *self.home.rglob("*")):
                os.chown(path, NOBODY, NOBODY)

    def _executable(self, path: Path, text: str) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def job(self, **more: Any) -> Job:
        """Return a job of the program with odd words, in a folder with a space."""
        return Job(
            **{
                "program": (str(self.program),),
                "words": (ODD, "--deep"),
                "folder": str(self.home),
                "path": "/usr/bin:/bin",
                "named": "agent-healthchecks-odd",
                "user": self.user,
                "home": str(self.home),
                "variables": str(self.variables),
                "secrets": ("TOKEN_OF_MINE",),
                "told": (("SAID", f"{self.home}/said"),),
                **more,
            }
        )

    @property
    def environment(self) -> dict[str, str]:
        """What a session of that user knows."""
        path = f"{self.home}/bin:/usr/bin:/bin"
        return {"HOME": str(self.home), "PATH": path, "XDG_RUNTIME_DIR": str(self.home)}

    def sh(self, text: str) -> subprocess.CompletedProcess[str]:
        """Let a shell of that user run a script that it is given on its standard input."""
        drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        return subprocess.run(
            [*(drop if os.geteuid() == 0 else ()), "/bin/sh"],
            input=text,
            env=self.environment,
            cwd="/",
            check=False,
            capture_output=True,
            text=True,
        )

    @property
    def told(self) -> list[str]:
        """What was typed of the programs that start things."""
        return (self.home / "told").read_text().splitlines()

    @property
    def said(self) -> list[str]:
        """What the program wrote down, once."""
        lines = (self.home / "said").read_text().splitlines()
        (self.home / "said").unlink()
        return lines
