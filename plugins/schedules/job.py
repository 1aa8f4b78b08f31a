"""The command line that is to be run by itself, and what it needs to be the same one there."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from plugins.schedules.every import DAILY, Every

NAME = "agent-healthchecks"
VARIABLE = "HEALTHCHECKS_SCHEDULED"
GRACE_S = 300  # a copy in hand is finished when the service is ended; of a GB, on a slow disk
# For sh -c: reads the file of variables, $0, where it is there.
WITH_VARIABLES = '[ ! -r "$0" ] || { set -a; . "$0"; set +a; }'


@dataclass(frozen=True)
class Job:
    """What is to be run.

    Args:
        program: the program and the words before what was typed.
        words: what was typed behind it.
        folder: its working folder.
        path: the value of PATH, with which it finds what this command line found.
        named: its name, with what it watches, so that two can stand beside each other.
        user: the number of the user who runs it.
        home: that user's home folder.
        variables: the file that holds the variables with secrets, which are never printed.
        secrets: names of the variables with secrets that the systems files ask for.
        told: further names and values of our environment, by which it sees what we see.
        every: how often it looks.
        watch: seconds between the rounds of one that stays, None where it ends after a look.
        deadline: seconds that a look may take.
        fixes: whether it takes steps, which no deadline ends.
        junit: where it writes JUnit's XML, "" where nobody asked for that.
        page: where it writes its page.
        told_agents: where it writes the report for agents; None where there is no such report.
    """

    program: tuple[str, ...]
    words: tuple[str, ...]
    folder: str
    path: str
    named: str
    user: int
    home: str
    variables: str
    secrets: tuple[str, ...] = ()
    told: tuple[tuple[str, str], ...] = ()
    every: Every = DAILY
    watch: float | None = None
    deadline: float = 60.0
    fixes: bool = False
    junit: str = ""
    page: str = "reports/health.html"
    told_agents: str | None = None

    @property
    def argv(self) -> tuple[str, ...]:
        """The program and its arguments."""
        return (*self.program, *self.words)

    @property
    def stays(self) -> bool:
        """Whether it runs on, or ends after a look."""
        return self.watch is not None

    @property
    def what(self) -> str:
        """What it is, in a few words."""
        return f"Health checks of this machine, {'again and again' if self.stays else self.every}"

    def mark(self, kind: str) -> str:
        """Return by what a run knows that it was started by a schedule, and by which."""
        # A round may take as long as its deadline, however short the interval.
        seconds = self.every.seconds if self.watch is None else max(self.watch, self.deadline)
        return f"{kind}:{self.named}:{int(seconds)}"

    def environment(self, kind: str) -> tuple[tuple[str, str], ...]:
        """Return all names and values that are set for it by a schedule of this kind."""
        return (("PATH", self.path), *self.told, (VARIABLE, self.mark(kind)))


def as_it_was_typed(job: Job) -> str:
    """Return the words that were typed, for a comment."""
    return shlex.join(["pytest", *job.words])


def script(head: list[str], body: list[str], job: Job) -> str:
    """Return a script for sh that installs something for the user who printed it.

    Args:
        head: what it does, line by line, for whoever reads it.
        body: its commands.
        job: what is installed.
    """
    refused = f'"this was printed for user {job.user}: print it as the user who is to run it"'
    notes = [f"# {name}=''" for name in job.secrets] or ["# NAME='value'"]
    lines = [
        *(f"# {line}".rstrip() for line in head),
        "# Variables with secrets are not printed. They stand in this file, which only you can",
        f"# read, one a line as NAME='value': {job.variables}",
        "set -eu",
        f'[ "$(id -u)" = {job.user} ] || {{ echo {refused} >&2; exit 1; }}',
        "# What stood there before is kept beside it.",
        'put() { [ ! -e "$1" ] || cp -p "$1" "$1.before"; cat >"$1"; }',
        f"variables={shlex.quote(job.variables)}",
        '[ -e "$variables" ] || (',
        "    umask 077",
        '    mkdir -p "${variables%/*}"',
        f"    printf '%s\\n' {shlex.join(notes)} >\"$variables\"",
        ")",
        'chmod 600 "$variables"',
        *body,
        "",
    ]
    return "\n".join(lines)


def document(target: str, text: str) -> list[str]:
    """Return the lines that put a text into a file; no line of it is END-OF-FILE."""
    return [f"put {target} <<'END-OF-FILE'", *text.rstrip("\n").split("\n"), "END-OF-FILE"]
