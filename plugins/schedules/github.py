"""GitHub Actions: a workflow whose runner is the machine that is looked at."""

from __future__ import annotations

import json

from plugins.schedules.job import VARIABLE, Job, as_it_was_typed
from plugins.schedules.workflows import (
    LABEL,
    MEANINGS,
    command,
    ends,
    kept,
    minutes,
    told_agents,
)

_LEAST = 5  # minutes; GitHub starts nothing more often


def _plain(text: str) -> str:
    """Return a text in which GitHub finds no expression of its own."""
    return text.replace("${{", "${{ '${{' }}")


def github(job: Job) -> str:
    """Return the workflow.

    Raises:
        ValueError: GitHub cannot do that.
    """
    ends(job, "GitHub Actions")
    if job.every.minutes < _LEAST:
        raise ValueError(f"GitHub starts nothing more often than each {_LEAST} minutes")
    return "\n".join([*_head(job), *_when(job), *_job(job), *_reports(job), ""])


def _head(job: Job) -> list[str]:
    return [
        f"# {job.what}, by GitHub Actions.",
        "#",
        "# Save this as .github/workflows/health.yml in a private repository that holds these",
        "# checks, this checkout's or a copy. In another repository, tell the step `checkout`",
        "# where they are: `repository: OWNER/NAME`.",
        "#",
        "# Only the machine itself sees its own state: register it as a self-hosted runner of that",
        f"# repository with the label {LABEL}. Do so for no public repository: whoever may propose",
        "# a change there may run it on that machine. Who may read the repository may read the",
        "# reports, which name files, processes and hosts.",
        "#",
        f"# Typed: {as_it_was_typed(job)}",
    ]


def _when(job: Job) -> list[str]:
    return [
        f"name: {job.named}",
        "",
        "on:",
        "  schedule:",
        f'    - cron: "{job.every.cron}" # UTC; GitHub may be late',
        "  workflow_dispatch:",
        "",
        "permissions:",
        "  contents: read",
        "",
        "# One look at a time; one that is under way is not cut short.",
        "concurrency:",
        f"  group: {job.named}",
        "  cancel-in-progress: false",
        "",
    ]


def _job(job: Job) -> list[str]:
    mark = f"${{{{ github.event_name == 'schedule' && '{job.mark('github')}' || '' }}}}"
    secrets = [f"      {name}: ${{{{ secrets.{name} }}}}" for name in job.secrets]
    note = "      # Settings, Secrets and variables, Actions: what is not set there is empty here."
    return [
        "jobs:",
        "  health:",
        f"    runs-on: [self-hosted, {LABEL}]",
        f"    timeout-minutes: {minutes(job)}",
        "    env:",
        "      # Tells a scheduled run from one that was started by hand.",
        f"      {VARIABLE}: {mark}",
        *([note, *secrets] if secrets else []),
        "    steps:",
        "      - uses: actions/checkout@v7",
        "        with:",
        "          persist-credentials: false",
        "      - name: Set up",
        "        run: sh .ci/setup",
        *(f"      # {line}" for line in MEANINGS),
        "      - name: Look",
        "        run: |",
        f"          {_plain(command(job))}",
    ]


def _reports(job: Job) -> list[str]:
    told = told_agents(job)
    summary = [
        "      - name: Tell in the summary",
        "        if: always()",
        "        env:",
        f"          TOLD: {json.dumps(_plain(told or ''), ensure_ascii=False)}",
        '        run: if [ -f "$TOLD" ]; then cat "$TOLD" >>"$GITHUB_STEP_SUMMARY"; fi',
    ]
    return [
        *(summary if told else []),
        "      - name: Keep the reports",
        "        if: always()",
        "        uses: actions/upload-artifact@v7",
        "        with:",
        f"          name: {job.named}",
        "          path: |",
        *(f"            {_plain(path)}" for path in kept(job)),
        "          if-no-files-found: warn",
        "          retention-days: 30",
    ]
