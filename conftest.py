"""The list of plugins, nothing else."""

import pytest

# Before anything of `plugins` is imported, so that its asserts explain themselves as tests do.
pytest.register_assert_rewrite("plugins")

pytest_plugins = [
    "plugins.options",
    "plugins.undoing",
    "plugins.demo",
    "plugins.units",
    "plugins.looking",
    "plugins.queried",
    "plugins.judge",
    "plugins.recovering",
    "plugins.watching",
    "plugins.remembering",
    "plugins.incidents",
    "plugins.fixtures",
    "plugins.proofs",
    "plugins.skips",
    "plugins.report.plugin",
]
