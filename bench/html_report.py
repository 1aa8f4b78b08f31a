"""How soon a page of 5,000 findings opens in Chromium, against pytest-html's own of the same tests.

Run `python bench/html_report.py`; it takes about a minute and wants chromium and chromedriver. Exit
status 1 when a goal is missed. It also prints what the page of 150 checks costs a run.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from selenium import webdriver

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import timing
from plugins.finding import Finding, Outcome, Severity
from plugins.past import Past, RunBefore
from plugins.report.account import Account
from plugins.report.document import document
from plugins.report.page import page_of
from plugins.tests.chromium import chromium

ROWS, ROUNDS = 5000, 5
GOAL = 2.0  # seconds until the page is drawn and can be used
COST_GOAL = 0.05  # seconds of CPU for the page of 150 checks
PEER = f"{ROWS} tests, pytest-html's own page"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)

_TESTS = """
import json, pathlib, pytest
ROWS = json.loads(pathlib.Path(__file__).with_name("rows.json").read_text())

@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_check(row):
    text = "\\n".join([row["message"], *row["evidence"], row["hint"], row["why"]])
    assert row["outcome"] == "healthy", text
"""
# Begun before the page's own scripts: it notes when the page was loaded and drawn.
_WATCH = """
addEventListener("load", () => requestAnimationFrame(() => setTimeout(() => {
  window.opened = performance.now();
})));
"""
_ALL = """
const [rows, done] = arguments;
const wait = () => document.querySelectorAll("tbody tr").length >= rows
  ? done(performance.now()) : setTimeout(wait, 5);
wait();
"""
_SEARCH = """
const began = performance.now();
const search = document.querySelector("#search");
search.value = "box.check_4321";
search.dispatchEvent(new Event("input"));
document.body.offsetHeight;
return performance.now() - began;
"""


def findings(count: int) -> list[Finding]:
    """Return findings of which every fifth is ill, with evidence and a past."""
    ill = [number % 5 == 0 for number in range(count)]
    return [
        Finding(
            f"box.check_{number}",
            f"box{number % 7}",
            list(Severity)[number % 4],
            Outcome.ILL if sick else Outcome.HEALTHY,
            "The file belongs to its owner and nobody else can read it",
            "readable by others" if sick else "",
            tuple(f"/srv/data/file{each} has mode 0644" for each in range(6)) if sick else (),
            "Run `chmod 600` on each file that is listed; look who could read them.",
            "It holds whole conversations, keys and all, and a copy has the mode of the umask.",
            guide=("CP08",),
            duration_s=0.01,
            past=Past("still", NOW.isoformat(), NOW.isoformat()) if sick else None,
        )
        for number, sick in enumerate(ill)
    ]


def ours(rows: list[Finding]) -> str:
    """Return our page of the findings, after 30 runs."""
    states = {row.system: "P1" for row in rows}
    runs = tuple(
        RunBefore(f"r{number}", (NOW - timedelta(hours=30 - number)).isoformat(), 1, 3.0, states)
        for number in range(30)
    )
    account = Account(runs_before=runs, compared_with="r29")
    account.selected = [(row.id, row) for row in rows]
    return page_of(account, document(account, 1, NOW))


def theirs(rows: list[Finding], folder: Path) -> Path:
    """Run the findings as plain tests under pytest-html; return its page."""
    folder.mkdir()
    (folder / "rows.json").write_text(json.dumps([row.to_row() for row in rows]), "utf-8")
    (folder / "test_rows.py").write_text(_TESTS, "utf-8")
    words = ("-q", "--tb=short", "--no-header", "--no-summary", "--show-capture=no")
    page = ("--html", str(folder / "page.html"), "--self-contained-html")
    timing.expected(timing.timed((*timing.PYTEST, *words, *page, "test_rows.py"), folder), 1)
    return folder / "page.html"


def opens(browser: webdriver.Chrome, page: Path) -> Callable[[], float]:
    """Return a call that opens the page and gives the seconds until it is drawn."""

    def run() -> float:
        browser.get("about:blank")
        browser.get(page.as_uri())
        while not (moment := browser.execute_script("return window.opened")):
            time.sleep(0.005)
        return float(moment) / 1000

    return run


def cost() -> float:
    """Return the median seconds of CPU that our page of 150 checks takes."""
    rows = findings(150)
    taken = []
    for _ in range(15):
        began = time.process_time()
        ours(rows)
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def main() -> int:
    """Print the figures and return the exit status."""
    print(f"{timing.machine()}; {ROUNDS} rounds in turns: median (range), ratio to the peer")
    name = f"{ROWS} findings, our page"
    with tempfile.TemporaryDirectory(prefix="bench-") as top:
        folder = Path(top)
        rows = findings(ROWS)
        own, peer = folder / "own.html", theirs(rows, folder / "peer")
        own.write_text(ours(rows), "utf-8")
        sizes = [path.stat().st_size / timing.MIB for path in (own, peer)]
        with chromium(folder / "browser") as browser:
            browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _WATCH})
            print(f"Chromium {browser.capabilities['browserVersion']}, until loaded and drawn:")
            pages = {PEER: opens(browser, peer), name: opens(browser, own)}
            taken = timing.in_turns(pages, ROUNDS)
            print("\n".join(timing.against(PEER, taken)))
            browser.get(own.as_uri())
            whole = browser.execute_async_script(_ALL, ROWS) / 1000
            print(f"  all rows drawn, while it can be used: {whole:.2f} s")
            print(f"  one search in all rows: {browser.execute_script(_SEARCH):.0f} ms")
    print(f"  sizes: ours {sizes[0]:.1f} MiB, pytest-html's {sizes[1]:.1f} MiB")
    cpu = cost()
    print(f"  the page of 150 checks, its document with it: {cpu * 1000:.0f} ms of CPU")
    median = statistics.median(taken[name])
    goals = [
        timing.verdict(f"{ROWS} findings open within {GOAL:g} s", median <= GOAL),
        timing.verdict(f"150 checks cost at most {COST_GOAL * 1000:g} ms", cpu <= COST_GOAL),
    ]
    return max(goals)


if __name__ == "__main__":
    sys.exit(main())
