"""The page as a watch hands it out: under a policy by which only its own scripts run."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.tests import paging
from plugins.tests.chromium import chromium, complaints
from plugins.tests.paging import button, one, shown
from plugins.tests.served import served

pytestmark = pytest.mark.xdist_group("page")


def test_it_works_as_a_watch_serves_it(tmp_path: Path) -> None:
    text = paging.text_of(paging.account(paging.rows()))
    with served(text.encode()) as house, chromium(tmp_path) as browser:
        browser.get(f"http://127.0.0.1:{house.port}/report")
        assert shown(browser)[0] == "box.down"
        button(browser, "box.down").click()
        assert "port 7: refused" in one(browser, "main").text
        said = [line for line in complaints(browser) if "favicon" not in line]
        assert said == []
        script = "const s = document.createElement('script'); s.text = 'window.ran = 1';"
        browser.execute_script(f"{script} document.body.append(s)")
        assert browser.execute_script("return window.ran") is None
        assert "Content Security Policy" in " ".join(complaints(browser))
