"""Make the picture of the report that stands in README, in a real Chromium.

In a new state folder (XDG_STATE_HOME), so that something changed since the run before:

pytest healthchecks/ --demo=healthy
pytest healthchecks/ --demo --fix
pytest healthchecks/ --demo
python docs/picture.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from plugins.tests.chromium import chromium, pictured  # noqa: E402

PICTURE = Path(__file__).with_name("report.png")
MOST = 200 * 1024  # bytes


def main() -> None:
    """Write the picture of `reports/health.html` beside this program."""
    with tempfile.TemporaryDirectory() as folder, chromium(Path(folder)) as browser:
        picture = pictured(browser, ROOT / "reports" / "health.html", "light", 1180, 1024)
    if len(picture) > MOST:
        sys.exit(f"the picture has {len(picture)} bytes, more than {MOST}")
    PICTURE.write_bytes(picture)


if __name__ == "__main__":
    main()
