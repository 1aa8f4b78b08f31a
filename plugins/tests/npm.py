"""Packages of npm that tests need, installed once and kept between runs."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


def install(folder: Path, package: str) -> Path:
    """Install the package below a folder, once; return the folder of modules."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent))
        argv = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
        argv += ["--prefer-offline", "--fetch-retries=1", "--prefix"]
        subprocess.run([*argv, str(made), package], check=True, capture_output=True, timeout=300)
        try:
            made.rename(folder)
        except OSError:  # another process of this run was quicker
            shutil.rmtree(made)
    return folder / "node_modules"


def installed(config: pytest.Config, package: str) -> Path:
    """Return the folder of modules that holds a package, such as "axe-core@4.14.1"."""
    if not shutil.which("npm"):
        pytest.skip("needs npm (apt-get install npm)")
    cache = config.cache
    assert cache is not None
    name, _, version = package.rpartition("@")
    return install(cache.mkdir(name.rpartition("/")[2]) / version, package)
