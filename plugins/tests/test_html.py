"""The page in a real browser: it opens worst first, filters, sorts, copies, and runs no script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from plugins.finding import Outcome
from plugins.report.account import Account
from plugins.tests import paging
from plugins.tests.chromium import (
    chromium,
    complaints,
    pictured,
    scripts_run,
    sized,
    themed,
    unsized,
)
from plugins.tests.paging import HOSTILE, axe, button, choose, one, opened, shown
from plugins.tests.reporting import finding
from plugins.tests.runs import suite

# One process of pytest-xdist: it starts a browser once.
pytestmark = pytest.mark.xdist_group("page")
WORST_FIRST = [
    *("box.down", f"box.{HOSTILE}", "box.untidy", "box.unknown", "box.hidden", "box.cured"),
    *("box.waived", "box.gone", "box.better", "box.well"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


@pytest.fixture
def page(browser: webdriver.Chrome, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """The page of all kinds of findings, open; nothing in it may be said to be wrong."""
    themed(browser, "light")
    opened(browser, tmp_path, paging.text_of(paging.account(paging.rows())))
    yield browser
    assert complaints(browser) == []


def test_the_top_says_how_the_host_is_and_what_changed(page: webdriver.Chrome) -> None:
    assert page.title == "Health of web-7"
    assert one(page, "#verdict").text.startswith("Data is being lost or exposed, or a system is")
    tiles = [tile.text.split("\n")[0] for tile in page.find_elements(By.CLASS_NAME, "tile")]
    assert tiles == ["1", "0", "1", "1"]
    turns = {t.get_attribute("class"): t.text for t in page.find_elements(By.CLASS_NAME, "turn")}
    assert "1 new" in turns["turn new"]
    assert "for 3 days" in turns["turn still"]
    assert "1 no longer ill" in turns["turn fixed"]
    assert "against the run of 2026-11-29 12:00 (exit status 1)" in page.page_source.lower()
    card = one(page, "a.card[href='#system=box']")
    assert "P0 ill" in card.text
    assert "2 of 8 healthy" in card.text
    bars = card.find_elements(By.TAG_NAME, "rect")
    assert [bar.get_attribute("class") for bar in bars] == [
        *("healthy", "P2", "cannot_tell", "P0", "P0")
    ]
    drawing = card.find_element(By.TAG_NAME, "svg").get_attribute("aria-label")
    assert drawing == (
        "the last 4 runs: healthy 1 times, P2 1 times, cannot tell 1 times, P0 1 times"
    )


def test_it_sorts_and_says_so(page: webdriver.Chrome) -> None:
    assert shown(page) == WORST_FIRST
    for column in ("check", "system", "change", "cure", "time", "worst"):
        head = one(page, f"th[data-column={column}]")
        head.find_element(By.TAG_NAME, "button").click()
        assert head.get_attribute("aria-sort") == "ascending"
        assert sorted(shown(page)) == sorted(WORST_FIRST)
        assert len(page.find_elements(By.CSS_SELECTOR, "[aria-sort]")) == 1
    head.find_element(By.TAG_NAME, "button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert shown(page) == WORST_FIRST[::-1]
    assert page.current_url.endswith("#sort=-worst")


def test_it_filters_and_the_address_keeps_it(page: webdriver.Chrome) -> None:
    choose(page, "outcome", "healthy")
    assert shown(page) == ["box.better", "box.well"]
    choose(page, "outcome", "ill")
    choose(page, "severity", "P3")
    assert shown(page) == ["box.untidy"]
    assert one(page, "[data-value=P3]").get_attribute("aria-pressed") == "true"
    address = page.current_url
    page.get("about:blank")
    page.get(address)
    assert shown(page) == ["box.untidy"]
    one(page, "#clear").click()
    assert shown(page) == WORST_FIRST
    choose(page, "changed", "still")
    assert shown(page) == ["box.untidy"]
    one(page, "#clear").click()
    choose(page, "system", "shed")
    assert shown(page) == ["box.gone"]
    one(page, "#clear").click()
    one(page, "#search").send_keys("REFUSED port 999:")
    assert shown(page) == ["box.down"]
    one(page, "#search").send_keys(" nonsense")
    assert shown(page) == []
    assert "No finding fits" in one(page, "#nothing").text
    one(page, "a.tile.P0").click()
    WebDriverWait(page, 10).until(lambda driver: shown(driver) == ["box.down"])
    assert one(page, "#search").get_attribute("value") == ""


def test_a_finding_is_opened_by_its_name(page: webdriver.Chrome) -> None:
    one(page, ".turn.still li a").click()
    WebDriverWait(page, 10).until(lambda d: d.find_elements(By.CLASS_NAME, "pane"))
    pane = one(page, ".pane").text
    assert "pytest healthchecks/ --fix --fix-only box.untidy" in pane
    assert "first seen ill 2026-11-21 12:00 (9 days ago)" in pane
    assert "looked at in 250 ms" in pane
    assert page.switch_to.active_element == button(page, "box.untidy")


def test_a_row_opens_by_keyboard_and_shows_all_there_is(page: webdriver.Chrome) -> None:
    row = button(page, "box.down")
    row.send_keys(Keys.ENTER)
    assert row.get_attribute("aria-expanded") == "true"
    pane = one(page, f"#{row.get_attribute('aria-controls')}")
    assert len(pane.find_elements(By.CSS_SELECTOR, ".lines > li")) == 20
    pane.find_element(By.CLASS_NAME, "more").click()
    assert len(pane.find_elements(By.CSS_SELECTOR, ".lines > li")) == 1000
    assert "Nobody can work without it." in pane.text
    (link,) = pane.find_elements(By.TAG_NAME, "a")
    assert link.get_attribute("href") == "https://example.org/issues/7"
    assert link.get_attribute("rel") == "noopener noreferrer"
    assert "javascript:alert(3)" in pane.text
    width = page.execute_script("return getComputedStyle(document.activeElement).outlineWidth")
    assert width == "3px"
    row.send_keys(Keys.SPACE)
    assert page.find_elements(By.CLASS_NAME, "pane") == []
    button(page, "box.cured").send_keys(Keys.ENTER)
    parts = page.find_elements(By.CSS_SELECTOR, ".diff > div")
    assert [part.get_attribute("class") for part in parts] == ["place"] * 3 + ["taken", "added"]
    assert "pytest healthchecks/ --undo R1" in one(page, ".pane").text
    page.find_element(By.TAG_NAME, "body").send_keys("/")
    assert page.switch_to.active_element == one(page, "#search")


@pytest.mark.parametrize("has_clipboard", [True, False])
def test_what_to_type_is_copied(page: webdriver.Chrome, has_clipboard: bool) -> None:
    if not has_clipboard:
        page.execute_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    button(page, "box.cured").click()
    copy = page.find_element(By.CSS_SELECTOR, ".pane .copy")
    copy.click()
    WebDriverWait(page, 10).until(lambda _: copy.text == "Copied")
    assert one(page, "#said").get_attribute("textContent") == "Copied"
    search = one(page, "#search")
    search.send_keys(Keys.CONTROL, "v")
    assert search.get_attribute("value") == "chmod 600 a"


def test_the_theme_is_the_systems_until_one_is_chosen(page: webdriver.Chrome) -> None:
    def paper() -> str:
        return str(page.execute_script("return getComputedStyle(document.body).backgroundColor"))

    light = paper()
    themed(page, "dark")
    dark = paper()
    assert dark != light
    one(page, "#theme").click()
    assert paper() == light
    page.refresh()
    assert paper() == light
    assert one(page, "#theme").text == "Dark theme"
    page.execute_script("localStorage.clear()")


def test_hostile_text_is_text(page: webdriver.Chrome) -> None:
    button(page, "box.unknown").click()
    for row in page.find_elements(By.CSS_SELECTOR, ".row[aria-expanded=false]"):
        row.click()
    text = one(page, "body").text
    assert text.count("<script>alert(1)</script>") >= 15
    assert "\\x1b[31mred" in text
    assert "a\\u202eb" in text
    assert page.find_elements(By.CSS_SELECTOR, "img, iframe, [onerror]") == []
    assert len(page.find_elements(By.TAG_NAME, "script")) == 3
    targets = [link.get_attribute("href") or "" for link in page.find_elements(By.TAG_NAME, "a")]
    outside = {target for target in targets if not target.startswith("file:")}
    assert outside == {"https://example.org/issues/7"}


def test_nothing_is_asked_for_and_no_other_script_would_run(page: webdriver.Chrome) -> None:
    asked = page.execute_script("return performance.getEntriesByType('resource').length")
    assert asked == 0
    page.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        "document.body.append(s); document.body.insertAdjacentHTML('beforeend',"
        "'<img src=https://example.org/x.png onerror=\"window.ran = 2\">')"
    )
    assert page.execute_script("return window.ran") is None
    assert any("Content Security Policy" in line for line in complaints(page))


def test_without_scripts_it_says_what_is_ill(browser: webdriver.Chrome, tmp_path: Path) -> None:
    scripts_run(browser, False)
    try:
        opened(browser, tmp_path, paging.text_of(paging.account(paging.rows())))
        text = one(browser, "body").text
    finally:
        scripts_run(browser, True)
    assert "Data is being lost or exposed" in text
    assert "P0 box.down it answered with 500" in text
    assert "port 0: refused" in text
    assert "cannot tell box.unknown no permission to read /x" in text
    assert "What to do: Run `systemctl restart it`." in text
    assert "P0 ill" in text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault(
    page: webdriver.Chrome, pytestconfig: pytest.Config, theme: str
) -> None:
    themed(page, theme)
    for name in ("box.down", "box.cured", "box.unknown", f"box.{HOSTILE}"):
        button(page, name).click()
    assert axe(page, pytestconfig) == []


def test_the_report_of_the_demo_is_fit_to_be_looked_at(
    browser: webdriver.Chrome, pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    look = suite(tmp_path / "demo", {}, "--demo", "--fix=plan", systems=())
    pictures = {
        theme: pictured(browser, look.folder / "health.html", theme, 1280, 1024)
        for theme in ("light", "dark")
    }
    for theme, picture in pictures.items():
        (tmp_path / f"{theme}.png").write_bytes(picture)
        assert len(picture) > 50_000
    assert pictures["light"] != pictures["dark"]
    choose(browser, "outcome", "ill")
    WebDriverWait(browser, 10).until(lambda driver: len(shown(driver)) > 40)
    planned = [row for row in look.document["findings"] if row["fix"] and row["fix"]["diff"]]
    button(browser, planned[0]["id"]).click()
    assert planned[0]["fix"]["plan"][0] in one(browser, ".pane").text
    assert browser.find_elements(By.CSS_SELECTOR, ".diff > .added")
    assert axe(browser, pytestconfig) == []
    assert complaints(browser) == []


def test_a_telephone_shows_all_without_going_sideways(page: webdriver.Chrome) -> None:
    sized(page, 360, 800, mobile=True)
    try:
        for row in page.find_elements(By.CLASS_NAME, "row"):
            row.send_keys(Keys.ENTER)
        assert page.execute_script("return document.documentElement.scrollWidth") == 360
        assert page.execute_script("return innerWidth") == 360
    finally:
        unsized(page)


def test_on_paper_everything_that_is_ill_is_open(page: webdriver.Chrome) -> None:
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert len(page.find_elements(By.CLASS_NAME, "pane")) == 3


def test_five_thousand_rows_are_all_there(browser: webdriver.Chrome, tmp_path: Path) -> None:
    many = [finding(f"n{number}", Outcome.HEALTHY) for number in range(4999)]
    opened(browser, tmp_path, paging.text_of(paging.account([*many, finding("ill")])))
    assert shown(browser)[0] == "box.ill"
    WebDriverWait(browser, 20).until(lambda driver: len(shown(driver)) == 5000)
    one(browser, "#search").send_keys("n4321")
    assert shown(browser) == ["box.n4321"]


def test_a_run_without_findings_has_a_page(browser: webdriver.Chrome, tmp_path: Path) -> None:
    opened(browser, tmp_path, paging.text_of(Account(), 5))
    text = one(browser, "body").text
    assert "Nothing was judged" in text
    assert "no earlier run to compare with" in text
    assert complaints(browser) == []


def test_users_style_and_other_plugins_come_in(browser: webdriver.Chrome, tmp_path: Path) -> None:
    style, guests = "h1 { text-indent: 7px; }", "<b id=guest>hello</b>"
    made = paging.account(paging.rows())
    opened(browser, tmp_path, paging.text_of(made, styles=style, guests=guests))
    assert one(browser, "#guest").text == "hello"
    indent = browser.execute_script(
        "return getComputedStyle(document.querySelector('h1')).textIndent"
    )
    assert indent == "7px"
    assert complaints(browser) == []
