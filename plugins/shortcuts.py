"""Options of the command line that stand for an inquiry: data of a system, not code of ours."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

_SYSTEMS = Path(__file__).resolve().parents[1] / "healthchecks"


@dataclass(frozen=True)
class Shortcut:
    """One such option.

    Args:
        name: without its dashes, such as "show-invite-code".
        inquiry: what it stands for, as `--recover` takes it.
        help: what it does, in a few words.
    """

    name: str
    inquiry: str
    help: str


def shortcuts(systems: Path = _SYSTEMS) -> tuple[Shortcut, ...]:
    """Return the shortcuts that stand in the systems' shortcuts.toml."""
    return tuple(
        Shortcut(name, table["inquiry"], table["help"])
        for path in sorted(systems.glob("*/shortcuts.toml"))
        for name, table in tomllib.loads(path.read_text("utf-8")).items()
    )


def declare(group: pytest.OptionGroup) -> None:
    """Add each of them to the command line."""
    for one in shortcuts():
        group.addoption(f"--{one.name}", action="store_true", help=one.help)


def resolve(config: pytest.Config) -> None:
    """Let `--recover` say what a shortcut stands for.

    Raises:
        pytest.UsageError: two things are asked for at once.
    """
    given = [one for one in shortcuts() if config.getoption(f"--{one.name}")]
    if not given:
        return
    if config.option.recover is not None or len(given) > 1:
        raise pytest.UsageError(f"--{given[0].name} tells one thing: give it without --recover")
    config.option.recover = given[0].inquiry
