"""The result document is whole, valid, private, and alone where it was asked to be."""

from __future__ import annotations

import json
import math
import os
import stat
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from plugins.finding import Finding, Fix, Measure, Outcome, Severity, Waiver
from plugins.report import document as build
from plugins.report.account import Account
from plugins.report.document import as_text, save
from plugins.tests.reporting import document_of, finding, lay_out, run

SCHEMA = json.loads(Path(__file__).parents[1].joinpath("report/schema.json").read_text())
SECRET = "sk-ant-api03-AbCdEfGh12345678"


def valid(body: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(body)


def everything() -> list[Finding]:
    return [
        finding("healthy", Outcome.HEALTHY, measures=(Measure("used", math.inf, "%", 90.0),)),
        finding("silenced", Outcome.SILENCED, silenced=Waiver("2999-01-01", "why", "who")),
        finding("blocked", Outcome.BLOCKED, blocked_by="box.ill"),
        finding("fixed", Outcome.FIXED, fix=Fix("taken", ("a",), ("-b",), "R1", "done")),
        finding("absent", Outcome.ABSENT),
        finding("unknown", Outcome.CANNOT_TELL),
        finding("mild", severity=Severity.P3),
        finding("ill", severity=Severity.P0, evidence=("a", "b")),
    ]


def test_the_document_keeps_its_schema_and_is_worst_first() -> None:
    rows = [*everything(), finding("left", Outcome.NOT_RUN)]
    account = Account(selected=[(row.id, row) for row in rows], absences=[("x", "no x")])
    body = json.loads(as_text(build(account, 10, datetime.now().astimezone())))
    valid(body)
    names = [row["id"].removeprefix("box.") for row in body["findings"]]
    assert names[:4] == ["ill", "mild", "unknown", "left"]
    assert names[4:] == ["blocked", "fixed", "silenced", "absent", "healthy"]
    assert body["summary"]["ill"] == {"P0": 1, "P1": 0, "P2": 0, "P3": 1}
    assert body["summary"]["outcomes"]["blocked"] == 1
    assert body["summary"]["verdict"].endswith(
        "1 P0, 1 P3. 1 fixed in this run. 2 could not be told."
    )
    assert body["findings"][-1]["measures"][0]["value"] is None


@pytest.mark.parametrize("spread", [(), ("-n", "2")])
def test_a_run_leaves_a_valid_document_that_only_its_owner_reads(
    pytester: pytest.Pytester, spread: tuple[str, ...]
) -> None:
    lay_out(pytester, everything())
    result = run(pytester, *spread)
    body = document_of(pytester)
    valid(body)
    assert result.ret == body["exit_status"] == 10
    assert len(body["findings"]) == 8
    for name in ("health.json", "health.html"):
        mode = pytester.path.joinpath("reports", name).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600


@pytest.mark.parametrize("more", [(), ("-v",), ("-s",), ("-n", "2"), ("--junitxml=j.xml",)])
def test_a_dash_prints_the_document_and_nothing_else(
    pytester: pytest.Pytester, more: tuple[str, ...]
) -> None:
    noisy = "\nimport warnings\ndef test_noise():\n    print('noise')\n    warnings.warn('noise')\n"
    lay_out(pytester, everything(), "" if "-s" in more else noisy)
    result = run(pytester, "--health-json", "-", *more)
    valid(json.loads(result.stdout.str()))
    assert result.stderr.str().strip() == ""


def test_a_dash_prints_the_document_also_of_a_run_that_went_wrong(
    pytester: pytest.Pytester,
) -> None:
    lay_out(pytester, everything())
    pytester.path.joinpath("healthchecks/test_broken.py").write_text("def :")
    body = json.loads(run(pytester, "--health-json", "-").stdout.str())
    valid(body)
    assert body["exit_status"] == 2
    assert "SyntaxError" in body["summary"]["errors"][0]["text"]


def test_the_document_goes_where_it_is_asked_for(pytester: pytest.Pytester) -> None:
    lay_out(pytester, everything())
    run(pytester, "--health-json", "mine.json")
    valid(json.loads(pytester.path.joinpath("mine.json").read_text()))
    assert not pytester.path.joinpath("reports/health.json").exists()


def test_a_folder_that_is_not_there_is_a_usage_error(pytester: pytest.Pytester) -> None:
    lay_out(pytester, everything())
    result = run(pytester, "--health-json", "no/such/mine.json")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--health-json no/such/mine.json: its folder*"])


def test_reports_that_can_not_be_written_are_told_in_a_line_each(pytester: pytest.Pytester) -> None:
    lay_out(pytester, [finding("a", Outcome.HEALTHY)])
    pytester.path.joinpath("reports").write_text("a file stands here")
    result = run(pytester)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*no HTML page could be*", "*document could not be written*"])


def test_an_old_document_stays_whole_when_the_new_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "health.json"
    save(target, "old")

    def full(descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        save(target, "new")
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["health.json"]


def test_junit_has_the_finding_as_properties(pytester: pytest.Pytester) -> None:
    lay_out(pytester, everything())
    run(pytester, "--junitxml=j.xml")
    cases = ET.parse(pytester.path / "j.xml").iter("testcase")
    found = {
        each.get("value"): {p.get("name"): p.get("value") for p in case.iter("property")}
        for case in cases
        for each in case.iter("property")
        if each.get("name") == "id"
    }
    assert len(found) == 8
    assert found["box.ill"]["severity"] == "P0"
    assert found["box.ill"]["outcome"] == "ill"
    assert found["box.ill"]["hint"] == "Run `systemctl restart it`."


@pytest.mark.parametrize("more", [(), ("-v", "--tb=long", "-l"), ("-vv",), ("-n", "2", "-v")])
def test_no_output_holds_a_secret_or_an_escape_code(
    pytester: pytest.Pytester, more: tuple[str, ...]
) -> None:
    leaky = finding(
        "leaky", message=f"key {SECRET} \x1b[31m", evidence=(f"token={SECRET}",), hint=SECRET
    )
    loud = f"\ndef test_loud():\n    key = {SECRET!r}\n    print(key)\n    assert not key\n"
    lay_out(pytester, [leaky], loud)
    result = run(pytester, "--junitxml=reports/j.xml", *more)
    outputs = [result.stdout.str(), result.stderr.str()]
    outputs += [path.read_text() for path in pytester.path.joinpath("reports").iterdir()]
    assert len(outputs) == 5
    for text in outputs:
        assert SECRET not in text
        assert "\x1b[31m" not in text
    assert "***" in outputs[0]
