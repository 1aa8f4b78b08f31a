"""Pages of findings that are given, written for a browser to open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from plugins.finding import Finding, Fix, Measure, Outcome, Safety, Severity, Waiver
from plugins.past import Past, RunBefore
from plugins.report.account import Account
from plugins.report.document import document
from plugins.report.page import page_of
from plugins.tests.npm import installed
from plugins.tests.reporting import finding

HOSTILE = '</script><script>alert(1)</script>"><img src=x onerror=alert(2)>'
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def before(**days: float) -> str:
    """Return the ISO moment so long before now."""
    return (NOW - timedelta(**days)).isoformat()


def rows() -> list[Finding]:
    """Return a finding of every outcome, one of them hostile, with all kinds of change."""
    stuck = Past("still", before(days=3), before(days=9), before(hours=1))
    diff = ("--- a", "+++ a", "@@ -1 +1 @@", "-mode 644", "+mode 600")
    return [
        finding("well", Outcome.HEALTHY, measures=(Measure("used on /", 40.0, "%", 90.0),)),
        finding("untidy", severity=Severity.P3, safety=Safety.SAFE, past=stuck),
        finding("gone", Outcome.ABSENT, system="shed"),
        finding("hidden", Outcome.BLOCKED, blocked_by="box.down"),
        finding("cured", Outcome.FIXED, fix=Fix("taken", ("chmod 600 a",), diff, "R1", "done")),
        finding("better", Outcome.HEALTHY, past=Past("fixed", before(minutes=5))),
        finding("unknown", Outcome.CANNOT_TELL, message="no permission to read /x"),
        finding("waived", Outcome.SILENCED, silenced=Waiver("2999-01-01", "why", "who")),
        finding(
            "down",
            severity=Severity.P0,
            evidence=tuple(f"port {number}: refused" for number in range(1000)),
            refs=("https://example.org/issues/7", "javascript:alert(3)"),
            past=Past("new", before(hours=2)),
        ),
        hostile(),
    ]


def hostile() -> Finding:
    """Return a finding in which every text wants to be a tag."""
    return finding(
        HOSTILE,
        severity=Severity.P2,
        system=HOSTILE,
        title=HOSTILE,
        message=HOSTILE,
        evidence=(HOSTILE, "\x1b[31mred", "a\u202eb", "שלום עולם", "w" * 3000),
        hint=f"{HOSTILE} `run {HOSTILE}`",
        why=HOSTILE,
        guide=(HOSTILE,),
        refs=(HOSTILE, f"https://example.org/{HOSTILE}"),
        measures=(Measure(HOSTILE, 1.0, HOSTILE, 2.0),),
        fix=Fix("planned", (HOSTILE,), (f"+{HOSTILE}",), "", HOSTILE),
        past=Past("worse", HOSTILE, HOSTILE, HOSTILE, flapping=True),
    )


def account(findings: Sequence[Finding]) -> Account:
    """Return the account of a run that came to these findings, after four others."""
    states = ("healthy", "P2", "cannot_tell", "P0")
    runs = tuple(
        RunBefore(f"r{number}", before(days=4 - number), 1, 2.0, {"box": state, HOSTILE: HOSTILE})
        for number, state in enumerate(states)
    )
    made = Account(started=NOW - timedelta(seconds=3), name="web-7", runs_before=runs)
    made.compared_with = "r3"
    made.selected = [(f"test_{number}", row) for number, row in enumerate(findings)]
    made.absences.append(("dgmo", f"not installed (looked in {HOSTILE})"))
    made.warnings.append(f"take note of {HOSTILE}")
    made.strangers.append((f"test_odd[{HOSTILE}]", f"E  assert 0\n{HOSTILE}"))
    return made


def text_of(made: Account, status: int = 10, **more: str) -> str:
    """Return the text of the page."""
    return page_of(made, document(made, status, NOW), **more)


def shown(browser: webdriver.Chrome) -> list[str]:
    """Return the ids of the rows, from above to below."""
    ids: list[str] = browser.execute_script(
        "return [...document.querySelectorAll('.check > code')].map(code => code.textContent)"
    )
    return ids


def opened(browser: webdriver.Chrome, folder: Path, text: str, *, at: str = "") -> None:
    """Write the page and open it, without what an earlier one left in the browser."""
    path = folder / "page.html"
    path.write_text(text, "utf-8")
    browser.get("about:blank")
    browser.get(path.as_uri() + at)


def one(browser: webdriver.Chrome, css: str) -> WebElement:
    """Return the one element that fits."""
    (found,) = browser.find_elements(By.CSS_SELECTOR, css)
    return found


def button(browser: webdriver.Chrome, name: str) -> WebElement:
    """Return the button that opens the row of a check."""
    place = f"//tr[not(@id)][.//code[text()='{name}']]//button"
    return browser.find_element(By.XPATH, place)


def choose(browser: webdriver.Chrome, group: str, value: str) -> None:
    """Press the button of a filter."""
    one(browser, f"[data-group={group}][data-value='{value}']").click()


def axe(browser: webdriver.Chrome, config: pytest.Config) -> list[tuple[str, list[str]]]:
    """Return the serious faults of the page that is open: their rule, and where they are."""
    source = installed(config, "axe-core@4.14.1") / "axe-core" / "axe.min.js"
    browser.execute_script(source.read_text("utf-8"))
    found = browser.execute_async_script(
        "axe.run().then(found => arguments[0](found.violations), problem => arguments[0](problem))"
    )
    bad = [each for each in found if each["impact"] in {"serious", "critical"}]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in bad]
