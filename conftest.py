"""The list of plugins, and how they are loaded."""

import gc
from importlib import import_module

import pytest

# A start makes some 200,000 objects, which stay: to look for garbage among them at every 700th
# takes a tenth of it.
gc.set_threshold(50_000)

# Before anything of `plugins` is imported, so that its asserts explain themselves as tests do.
pytest.register_assert_rewrite("plugins")

PLUGINS = [
    "plugins.options",
    "plugins.from_bundle",
    "plugins.undoing",
    "plugins.demo",
    "plugins.units",
    "plugins.looking",
    "plugins.spreading",
    "plugins.queried",
    "plugins.judge",
    "plugins.recovering",
    "plugins.serving",
    "plugins.watching",
    "plugins.remembering",
    "plugins.recalling",
    "plugins.incidents",
    "plugins.scheduled",
    "plugins.bundling",
    "plugins.fixtures",
    "plugins.proofs",
    "plugins.skips",
    "plugins.alerting",
    "plugins.explaining",
    "plugins.writing",
    "plugins.report.plugin",
]


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register them; for each of `pytest_plugins`, pytest reads the metadata of all packages."""
    for name in PLUGINS:
        pluginmanager.register(import_module(name), name)


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """Let nobody look for garbage in what ends anyhow: pytest does so twice, a tenth of a start."""
    gc.freeze()
