"""`--undo`: take the fixes of a run back, newest first, and say what became of each step."""

from __future__ import annotations

import pytest

from plugins.fixing import undo
from plugins.run import RUN
from plugins.steps import Refusal


@pytest.hookimpl
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Undo instead of looking; 0 when all was taken back, 1 when some was not, 5 for nothing."""
    if config.option.undo is None:
        return None
    refused = taken = 0
    try:
        for done, sentence in undo(config.stash[RUN], config.option.undo):
            print(f"{'undone' if done else 'REFUSED'}: {sentence}")  # noqa: T201 - it is the answer
            taken += done
            refused += not done
    except Refusal as why:
        print(f"{why}; looked in {config.stash[RUN].state / 'journal'}")  # noqa: T201
        return int(pytest.ExitCode.NO_TESTS_COLLECTED)
    print(f"{taken} taken back, {refused} refused")  # noqa: T201
    return int(bool(refused))
