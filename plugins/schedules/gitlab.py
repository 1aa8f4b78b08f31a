"""GitLab CI: a job whose runner is the machine that is looked at."""

from __future__ import annotations

import json

from plugins.schedules.job import VARIABLE, Job, as_it_was_typed
from plugins.schedules.workflows import LABEL, MEANINGS, command, ends, junit, kept, minutes


def gitlab(job: Job) -> str:
    """Return the job.

    Raises:
        ValueError: GitLab cannot do that.
    """
    ends(job, "GitLab CI")
    return "\n".join([*_head(job), *_job(job), *_reports(job), ""])


def _head(job: Job) -> list[str]:
    secrets = ", ".join(job.secrets) or "none is asked for now"
    return [
        f"# {job.what}, by GitLab CI.",
        "#",
        "# Save this as .gitlab-ci.yml in a private project that holds these checks, this",
        "# checkout's or a copy; where there is one already, add the job to it.",
        "# Build, Pipeline schedules, New schedule, Interval pattern:",
        f"#     {job.every.cron}",
        "# Only the machine itself sees its own state: register it as a runner of that project,",
        f"# with the shell executor and the tag {LABEL}.",
        "# Variables with secrets: Settings, CI/CD, Variables, each masked and protected:",
        f"#     {secrets}",
        "#",
        f"# Typed: {as_it_was_typed(job)}",
    ]


def _job(job: Job) -> list[str]:
    return [
        f"{job.named}:",
        "  rules:",
        '    - if: $CI_PIPELINE_SOURCE == "schedule"',
        "      variables:",
        "        # Tells a scheduled run from one that was started by hand.",
        f'        {VARIABLE}: "{job.mark("gitlab")}"',
        '    - if: $CI_PIPELINE_SOURCE == "web"',
        f"  tags: [{LABEL}]",
        f"  timeout: {minutes(job)} minutes",
        "  # One look at a time; one that is under way is not cut short.",
        f"  resource_group: {job.named}",
        "  interruptible: false",
        "  script:",
        "    - sh .ci/setup",
        *(f"    # {line}" for line in MEANINGS),
        "    - |",
        f"      {command(job)}",
    ]


def _reports(job: Job) -> list[str]:
    return [
        "  artifacts:",
        "    when: always",
        "    access: developer",
        "    expire_in: 30 days",
        "    paths:",
        *(f"      - {json.dumps(path, ensure_ascii=False)}" for path in kept(job)),
        "    reports:",
        f"      junit: {json.dumps(junit(job), ensure_ascii=False)}",
    ]
