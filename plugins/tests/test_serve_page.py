"""The page in a real browser, as a watch serves it."""

from __future__ import annotations

from pathlib import Path

from plugins.tests import paging
from plugins.tests.chromium import chromium, complaints
from plugins.tests.paging import button, one, shown
from plugins.tests.served import served


def test_it_works_as_served_and_runs_no_script_but_its_own(tmp_path: Path) -> None:
    text = paging.text_of(paging.account(paging.rows()))
    with served(text.encode()) as house, chromium(tmp_path) as browser:
        browser.get(f"http://127.0.0.1:{house.port}/report")
        assert shown(browser)[0] == "box.down"
        button(browser, "box.down").click()
        assert "port 7: refused" in one(browser, "main").text
        assert [line for line in complaints(browser) if "favicon" not in line] == []
        script = "const s = document.createElement('script'); s.text = 'window.ran = 1';"
        browser.execute_script(f"{script} document.body.append(s)")
        assert browser.execute_script("return window.ran") is None
        assert "Content Security Policy" in " ".join(complaints(browser))
