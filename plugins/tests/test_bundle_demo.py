"""The demo's bundle, judged where nothing of the demo is left: every finding is the same."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from plugins.bundle import packing
from plugins.tests.runs import ROOT

SAME = ("outcome", "severity", "message", "evidence", "blocked_by", "silenced", "measures", "hint")


def findings(folder: Path, *options: str) -> dict[str, dict[str, Any]]:
    """Run the suite; return its findings by id, what is masked shown as the reports mask it."""
    document = folder / "health.json"
    words = ["healthchecks/", "-p", "no:cacheprovider", "--no-reports", *options]
    command = [sys.executable, "-m", "pytest", *words, f"--health-json={document}"]
    ran = subprocess.run(
        command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 10, ran.stdout + ran.stderr
    rows = json.loads(re.sub(r"<(?:secret|mail)-\d+>", "***", document.read_text()))["findings"]
    return {row["id"]: {word: row[word] for word in SAME} for row in rows}


def test_every_finding_of_the_demo_is_the_same_from_its_bundle(tmp_path: Path) -> None:
    bundle = tmp_path / "demo.tar.zst"
    here = findings(tmp_path, "--demo", f"--bundle={bundle}")
    there = findings(tmp_path, f"--from-bundle={bundle}")
    assert there == here
    assert len({row["outcome"] for row in here.values()}) >= 6
    held = packing.unpacked(packing.content_of(bundle))
    head = json.loads(held["manifest.json"])
    assert not head["unlike"]
    systems = {name.split("/")[1] for name in held if name.startswith("collected/")}
    assert systems == {
        *("host", "claude_docker", "crash_protection", "dgmo", "pocket_agent", "portagent")
    }
