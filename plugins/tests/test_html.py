"""The page in a real browser: it opens worst first, filters, sorts, and runs nobody's script."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from plugins.finding import Finding, Fix, Measure, Outcome, Safety, Severity, Waiver
from plugins.report.html import details_of
from plugins.tests.reporting import finding, lay_out, run

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """A Chromium of its own, without a window, that asks nobody for anything."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1400,1400",
        f"--user-data-dir={tmp_path / 'chromium'}",
    ):
        options.add_argument(flag)
    driver = webdriver.Chrome(
        options, webdriver.ChromeService(shutil.which("chromedriver") or "chromedriver")
    )
    yield driver
    driver.quit()


def rows() -> list[Finding]:
    return [
        finding("well", Outcome.HEALTHY, measures=(Measure("used on /", 40.0, "%", 90.0),)),
        finding("untidy", severity=Severity.P3, safety=Safety.SAFE),
        finding("gone", Outcome.ABSENT),
        finding("hidden", Outcome.BLOCKED, blocked_by="box.down"),
        finding(
            "cured",
            Outcome.FIXED,
            fix=Fix("taken", ("chmod 600 a",), ("-mode 644", "+mode 600"), "R1", "2 modes set"),
        ),
        finding("unknown", Outcome.CANNOT_TELL, message="no permission to read /x"),
        finding("waived", Outcome.SILENCED, silenced=Waiver("2999-01-01", "why", "who")),
        finding("down", severity=Severity.P0, evidence=("port 8443: refused", "no process")),
        finding(
            HOSTILE,
            severity=Severity.P2,
            system=HOSTILE,
            title=HOSTILE,
            message=HOSTILE,
            evidence=(HOSTILE, "\x1b[31mred"),
            hint=HOSTILE,
            why=HOSTILE,
            fix=Fix("planned", (HOSTILE,), (HOSTILE,), "", HOSTILE),
        ),
    ]


def opened(browser: webdriver.Chrome, path: Path) -> None:
    browser.get(path.as_uri())


def complaints(browser: webdriver.Chrome) -> list[str]:
    """Return what the browser's console holds."""
    entries: list[dict[str, str]] = browser.get_log("browser")  # type: ignore[no-untyped-call]
    return [entry["message"] for entry in entries]


def shown(browser: webdriver.Chrome, column: str) -> list[str]:
    cells = browser.find_elements(By.CSS_SELECTOR, f".collapsible .col-{column}")
    return [cell.text.split("\n")[0] for cell in cells]


def page_of(pytester: pytest.Pytester, *arguments: str) -> Path:
    strangers = f"\n@pytest.mark.parametrize('x', [{HOSTILE!r}])\ndef test_odd(x): assert 0, x\n"
    lay_out(pytester, rows(), strangers)
    run(pytester, *arguments)
    return pytester.path / "reports" / "health.html"


@pytest.mark.parametrize("more", [(), ("-n", "2")])
def test_the_page_opens_worst_first_filters_and_sorts(
    pytester: pytest.Pytester, browser: webdriver.Chrome, more: tuple[str, ...]
) -> None:
    opened(browser, page_of(pytester, *more))
    assert browser.title.startswith("Health of ")
    verdict = browser.find_element(By.CLASS_NAME, "verdict").text
    assert verdict.startswith("Data is being lost or exposed, or a system is down: 1 P0, 1 P2")
    names = shown(browser, "testId")
    assert names[1:3] == ["box.down", "box." + HOSTILE]
    assert names[-1] == "box.well"
    assert len(names) == 10

    heads = [th.text for th in browser.find_elements(By.CSS_SELECTOR, "#results-table th")]
    assert [head.split()[0] for head in heads] == [
        *("Outcome", "Severity", "System", "Check", "What", "Fixed", "Duration")
    ]
    for row in browser.find_elements(By.CLASS_NAME, "collapsible"):
        assert len(row.find_elements(By.TAG_NAME, "td")) == len(heads)

    browser.find_element(By.CSS_SELECTOR, "th[data-column-type=severity]").click()
    assert shown(browser, "testId") == names[::-1]
    for column in ("system", "testId", "todo", "fixed", "duration", "result"):
        browser.find_element(By.CSS_SELECTOR, f"th[data-column-type={column}]").click()
        assert sorted(shown(browser, "testId")) == sorted(names)

    browser.find_element(By.CSS_SELECTOR, "input[data-test-result=passed]").click()
    left = shown(browser, "testId")
    assert len(left) == 8
    assert not {"box.well", "box.cured"} & set(left)
    assert complaints(browser) == []


def test_hostile_text_is_text(pytester: pytest.Pytester, browser: webdriver.Chrome) -> None:
    opened(browser, page_of(pytester))
    browser.find_element(By.ID, "show_all_details").click()
    body = browser.find_element(By.TAG_NAME, "body").text
    assert body.count("<script>alert(1)</script>") >= 8
    assert browser.find_elements(By.CSS_SELECTOR, "img[src=x]") == []
    assert (
        browser.execute_script(
            "return [...document.scripts].filter(s => s.textContent.startsWith('alert')).length"
        )
        == 0
    )
    assert complaints(browser) == []


def test_a_click_on_a_row_opens_its_details(
    pytester: pytest.Pytester, browser: webdriver.Chrome
) -> None:
    opened(browser, page_of(pytester))
    place = "//tr[contains(., 'box.cured')]/td[contains(@class, 'col-testId')]"
    assert "chmod 600 a" not in browser.find_element(By.TAG_NAME, "body").text
    browser.find_element(By.XPATH, place).click()
    text = browser.find_element(By.TAG_NAME, "body").text
    assert "chmod 600 a" in text
    assert "pytest healthchecks/ --undo R1" in text


def test_what_is_ill_can_be_read_without_scripts(pytester: pytest.Pytester) -> None:
    text = page_of(pytester).read_text()
    without = text.split("<noscript>", 1)[1].split("</noscript>", 1)[0]
    assert "P0 box.down" in without
    assert "<script" not in without


def test_details_are_one_line_that_pytest_html_can_not_colour() -> None:
    # It takes each line that begins with an E for an error of pytest.
    assert "\n" not in details_of(finding("a", evidence=("Error\nEvil",), why="Ever"))
