"""A real Chromium without a window, that asks nobody for anything."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from selenium import webdriver

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1400,1400",
)


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[webdriver.Chrome]:
    """Start one and end it.

    Args:
        folder: where it keeps what it remembers.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*_FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(
        options, webdriver.ChromeService(shutil.which("chromedriver") or "chromedriver")
    )
    try:
        yield driver
    finally:
        driver.quit()


def complaints(browser: webdriver.Chrome) -> list[str]:
    """Return what the browser's console holds, and forget it."""
    entries: list[dict[str, str]] = browser.get_log("browser")  # type: ignore[no-untyped-call]
    return [entry["message"] for entry in entries]


def themed(browser: webdriver.Chrome, theme: str) -> None:
    """Let the system's own theme be this, "light" or "dark"."""
    media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


def scripts_run(browser: webdriver.Chrome, run: bool) -> None:
    """Let the scripts of pages run, or none of them."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not run})


def sized(browser: webdriver.Chrome, width: int, height: int, *, mobile: bool = False) -> None:
    """Let its page have this size, in CSS pixels, on a telephone or not."""
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)


def unsized(browser: webdriver.Chrome) -> None:
    """Let its page have the size of its window again."""
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def pictured(browser: webdriver.Chrome, page: Path, theme: str, width: int, height: int) -> bytes:
    """Open the page in a theme and return a picture of its top, as PNG."""
    themed(browser, theme)
    sized(browser, width, height)
    browser.get("about:blank")
    browser.get(page.resolve().as_uri())
    picture = browser.get_screenshot_as_png()
    unsized(browser)
    return picture
