"""What the CI services have in common: the command line, the time it may take, the reports."""

from __future__ import annotations

import math
import shlex
from pathlib import PurePosixPath

from plugins.schedules.job import NAME, Job

LABEL = NAME  # of the runner, which is the machine that is looked at
MEANINGS = (
    "0: nothing is ill at or above --fail-on. 1: a P1 or P2 is ill. 10: a P0 is ill.",
    "11: something could not be told. 5: nothing ran. All but 0 fail the job.",
)
_JUNIT, _AGENTS = "reports/junit.xml", "reports/agents.md"


def junit(job: Job) -> str:
    """Return where the job writes JUnit's XML."""
    return job.junit or _JUNIT


def told_agents(job: Job) -> str | None:
    """Return where the job writes what agents read, None where there is no such report."""
    return None if job.told_agents is None else (job.told_agents or _AGENTS)


def command(job: Job) -> str:
    """Return the line that was typed, with the reports that the service shows, for a shell."""
    words = [".venv/bin/python", "-m", "pytest", *job.words]
    if not job.junit:
        words.append(f"--junitxml={_JUNIT}")
    if job.told_agents == "":
        words.append(f"--agent-report={_AGENTS}")
    return shlex.join(words)


def minutes(job: Job) -> int:
    """Return how long the job may take, its setting up included."""
    return math.ceil(job.deadline / 60) + (60 if job.fixes else 15)


def kept(job: Job) -> list[str]:
    """Return what of the checkout is kept after a run.

    Raises:
        ValueError: a report lies elsewhere, where the service does not find it.
    """
    paths = [path for path in (junit(job), job.page, told_agents(job)) if path]
    for path in map(PurePosixPath, paths):
        if path.is_absolute() or ".." in path.parts or path.parts[:1] == ("~",):
            raise ValueError(f"{path} lies outside the checkout: name a file in it")
    return list(dict.fromkeys(["reports/", *(p for p in paths if not p.startswith("reports/"))]))


def ends(job: Job, kind: str) -> None:
    """Refuse what does not end by itself.

    Raises:
        ValueError: it is a watch.
    """
    if job.stays:
        raise ValueError(f"--watch does not end, and a job of {kind} must: take systemd for it")
