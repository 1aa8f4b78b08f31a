"""Which worker of pytest-xdist runs what: that which shares something costly stays together.

The controller knows no marks, only what stands in a file: a group is all of a file, or of several.
"""

from __future__ import annotations

import re
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

_GROUP = re.compile(r'^pytestmark = pytest\.mark\.xdist_group\("(\w+)"\)$', re.MULTILINE)


@cache
def _group_of(file: Path) -> str:
    """Return the group that a file of tests names for all that stands in it, "" for none."""
    found = _GROUP.search(file.read_text("utf-8", "replace")) if file.is_file() else None
    return found[1] if found else ""


def scope_of(config: pytest.Config, nodeid: str) -> str:
    """Return what a test is run together with: all of one scope are run by one worker."""
    file = nodeid.partition("::")[0]
    if file.startswith("healthchecks/") and not config.getoption("scenarios", False):
        return "health"  # all checks of a run share one look
    return _group_of(config.rootpath / file) or nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give out whole scopes, those with the most tests first."""
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    scheduling = LoadScopeScheduling(config, log)
    scheduling._split_scope = partial(scope_of, config)  # meant to be overridden
    return scheduling
