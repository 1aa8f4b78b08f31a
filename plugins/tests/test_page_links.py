"""Links into the page lead to a finding wherever it stands, and it stays in sight."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from plugins.finding import Outcome
from plugins.past import Past
from plugins.tests import paging
from plugins.tests.chromium import chromium, complaints, scripts_run
from plugins.tests.paging import button, one, opened, shown
from plugins.tests.reporting import finding

pytestmark = pytest.mark.xdist_group("page")
_ODD = "a\x1b[31m\ud800\u202eb"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


def test_the_last_of_many_findings_is_opened_and_stays_in_sight(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    many = [finding(f"n{number:04}", Outcome.HEALTHY) for number in range(2000)]
    text = paging.text_of(paging.account(many))
    opened(browser, tmp_path, text, at="#open=box.n1900")
    WebDriverWait(browser, 20).until(lambda driver: len(shown(driver)) == 2000)
    row = button(browser, "box.n1900")
    assert shown(browser)[1900] == "box.n1900"
    assert browser.switch_to.active_element == row
    assert len(browser.find_elements(By.CLASS_NAME, "pane")) == 1
    top = browser.execute_script("return arguments[0].getBoundingClientRect().top", row)
    assert 0 <= top < 200


def test_links_work_in_a_frame_without_an_origin_of_its_own(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    text = escape(paging.text_of(paging.account(paging.rows())))
    opened(
        browser, tmp_path, f'<iframe sandbox="allow-scripts" width=900 srcdoc="{text}"></iframe>'
    )
    browser.switch_to.frame(0)
    one(browser, "a.tile.P0").click()
    assert shown(browser) == ["box.down"]
    one(browser, "#clear").click()
    assert len(shown(browser)) == len(paging.rows())
    one(browser, ".turn.still li a").click()
    assert browser.switch_to.active_element == button(browser, "box.untidy")
    browser.switch_to.default_content()
    assert complaints(browser) == []


def test_to_skip_to_the_findings_takes_no_filter_away(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    text = paging.text_of(paging.account(paging.rows()))
    opened(browser, tmp_path, text, at="#severity=P3")
    one(browser, ".skip").send_keys(Keys.ENTER)
    assert browser.switch_to.active_element == one(browser, "h2#findings")
    assert shown(browser) == ["box.untidy"]
    assert browser.current_url.endswith("#severity=P3")


def test_an_id_of_odd_characters_breaks_no_page_and_is_led_to(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    odd = finding(_ODD, system=_ODD, past=Past("new"))
    opened(browser, tmp_path, paging.text_of(paging.account([finding("other"), odd])))
    one(browser, ".turn.new li a").click()
    WebDriverWait(browser, 10).until(lambda d: d.find_elements(By.CLASS_NAME, "pane"))
    assert browser.switch_to.active_element == button(browser, "box.a\\x1b[31m\\ud800\\u202eb")
    (card,) = [a for a in browser.find_elements(By.CSS_SELECTOR, "a.card") if "\\x1b" in a.text]
    card.click()
    WebDriverWait(browser, 10).until(lambda driver: len(shown(driver)) == 1)
    assert complaints(browser) == []


def test_stacked_accents_are_drawn_over_no_other_finding(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    rows = [finding("tall", message="e" + "\u0301" * 500), finding("short")]
    opened(browser, tmp_path, paging.text_of(paging.account(rows)))
    cell = button(browser, "box.tall").find_element(By.XPATH, "..")
    assert cell.value_of_css_property("overflow") == "clip"


def test_without_scripts_it_says_how_many_lines_are_not_shown(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    row = finding("long", evidence=tuple(f"line {number}" for number in range(1234)))
    scripts_run(browser, False)
    try:
        opened(browser, tmp_path, paging.text_of(paging.account([row])))
        text = one(browser, "body").text
    finally:
        scripts_run(browser, True)
    assert "line 19" in text
    assert "line 20" not in text
    assert "… and 1,214 more" in text


def test_paper_says_how_many_lines_are_not_on_it(browser: webdriver.Chrome, tmp_path: Path) -> None:
    row = finding("long", evidence=tuple(f"line {number}" for number in range(1234)))
    opened(browser, tmp_path, paging.text_of(paging.account([row])))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        browser.execute_script("dispatchEvent(new Event('beforeprint'))")
        assert "line 19\nShow 1214 more lines" in one(browser, ".pane").text
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_hundreds_that_are_ill_are_printed_without_a_word(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    many = [finding(f"n{number}") for number in range(400)]
    opened(browser, tmp_path, paging.text_of(paging.account(many)), at="#sort=check")
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert len(browser.find_elements(By.CLASS_NAME, "pane")) == 400
    assert browser.current_url.endswith("#sort=check")
    assert complaints(browser) == []


def test_a_clock_that_was_set_back_tells_no_length() -> None:
    made = paging.account([finding("one")])
    made.started = paging.NOW + paging.DAY
    text = paging.text_of(made)
    assert "1 checks" in text
    assert "took" not in text.partition("<main>")[0].partition("<body>")[2]


def test_a_named_run_that_is_not_among_the_last_ones_is_named() -> None:
    for row in (finding("one", past=Past("new")), finding("one", Outcome.HEALTHY)):
        made = paging.account([row])
        made.compared_with = "20260101T000000000Z"
        assert "Against the run 20260101T000000000Z." in paging.text_of(made)
