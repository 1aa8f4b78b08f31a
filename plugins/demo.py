"""`--demo`: a small host, real and embedded, to look at instead of this machine.

It is built of the systems' own worlds, under reports/demo, anew for every demo; what a fix did
there can be taken back with `--undo` until the next one.
"""

from __future__ import annotations

import datetime
import fcntl
import importlib
import importlib.util
import json
import shutil
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plugins.configuration import Configuration
from plugins.finding import Waiver
from plugins.journal import runs
from plugins.report.account import on_worker, opened
from plugins.run import RUN, Run

WORLDS = pytest.StashKey[ExitStack]()
TOLD = "health_demo"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Build the demo host and let the run look at it."""
    config.stash[WORLDS] = ExitStack()
    if not config.option.demo or config.option.collectonly or config.option.list_checks:
        return
    run = config.stash[RUN]
    if on_worker(config):
        tables: dict[str, dict[str, Any]] = json.loads(vars(config)["workerinput"][TOLD])
    else:
        tables = _build(config, folder_of(config))
        (run.state / "attempts-demo.json").unlink(missing_ok=True)
    run.configuration = _waived(run.configuration.lay_over(tables, "demo"), config.option.demo)
    opened(config).name = "the demo host"


def folder_of(config: pytest.Config) -> Path:
    """Return the folder that the demo host stands in."""
    return config.rootpath / "reports" / "demo"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the controller built the demo host."""
    run = node.config.stash[RUN]
    tables = {
        system: {key: setting.value for key, setting in table.items() if setting.origin == "demo"}
        for system, table in run.configuration.tables.items()
    }
    node.workerinput[TOLD] = json.dumps(tables)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End every process that the demo host started."""
    if WORLDS in config.stash:
        config.stash[WORLDS].close()


def _part(system: str, name: str) -> Any:
    """Return a module of the system's folder, None where it has none of this name."""
    full = f"healthchecks.{system}.{name}"
    return importlib.import_module(full) if importlib.util.find_spec(full) else None


def _forget(run: Run, marker: Path) -> None:
    """Forget what the demo before took: nobody can take it back on a host that is gone."""
    before = marker.read_text() if marker.is_file() else ""
    if before in runs(run.state):
        (run.state / "journal" / f"{before}.jsonl").unlink()
        shutil.rmtree(run.state / "quarantine" / before, ignore_errors=True)


def _cleared(config: pytest.Config, folder: Path) -> None:
    """Make the folder anew, for this run alone.

    Raises:
        pytest.UsageError: it cannot be written to, or another demo lives in it now.
    """
    run = config.stash[RUN]
    try:
        folder.parent.mkdir(exist_ok=True)
        lock = config.stash[WORLDS].enter_context((folder.parent / ".demo.lock").open("w"))
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if folder.exists():
            _forget(run, folder / "run")
            shutil.rmtree(folder)
        folder.mkdir()
        (folder / "run").write_text(run.id)
    except BlockingIOError:
        raise pytest.UsageError("--demo: another demo runs in this checkout now") from None
    except OSError as error:
        place, why = error.filename or folder, error.strerror
        raise pytest.UsageError(f"--demo: its host is built in {folder}: {place}: {why}") from None


def _build(config: pytest.Config, folder: Path) -> dict[str, dict[str, Any]]:
    _cleared(config, folder)
    tables: dict[str, dict[str, Any]] = {}
    for system in config.stash[RUN].configuration.tables:
        demo = _part(system, "demo")
        if demo is None:
            continue
        (folder / system).mkdir()
        world = _part(system, "world").World(folder / system)
        config.stash[WORLDS].callback(world.close)
        demo.stage(world, broken=config.option.demo == "broken")
        tables[system] = world.settings()
    return tables


def _waived(configuration: Configuration, demo: str) -> Configuration:
    """Return the configuration with the waivers that a broken demo names."""
    waivers = dict(configuration.waivers)
    today = datetime.datetime.now(datetime.UTC).astimezone().date()
    until = (today + datetime.timedelta(days=60)).isoformat()
    for system in configuration.tables if demo == "broken" else ():
        accepted = getattr(_part(system, "demo"), "WAIVED", {})
        waivers |= {check: Waiver(until, why, "the demo") for check, why in accepted.items()}
    return replace(configuration, waivers=waivers)
