"""The hook by which whatever writes, sends or keeps what a run came to is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from plugins.report.account import Account


@dataclass(frozen=True)
class Conclusion:
    """What a run has come to; the exit status in it is computed, and no output changes it.

    Args:
        account: what the run gathered; its findings hold no secret and no control character.
        document: the result document, in the shape of schema.json.
        status: the exit status.
        seconds: since the run began.
        final: whether this is the end; a watch concludes again and again.
    """

    account: Account
    document: dict[str, Any]
    status: int
    seconds: float
    final: bool = True


class Hooks:
    """The hooks of this project."""

    @pytest.hookspec
    def pytest_health_concluding(self, config: pytest.Config) -> None:
        """Complete the account, before the result document is made of it.

        Called where `pytest_health_concluded` is called soon after; it must not raise.

        Args:
            config: of the session, whose account is open.
        """

    @pytest.hookspec
    def pytest_health_concluded(self, config: pytest.Config, conclusion: Conclusion) -> str | None:
        """Write, send or keep what the run came to.

        Called on the controller only, at the end of a run that looked at a host, and in a watch
        whenever its document is written anew. It must not raise and must not take long.

        Args:
            config: of the session.
            conclusion: what the run came to.

        Returns:
            A sentence where an output that somebody asked for could not be written: a run that
            would end with 0 then ends with 1, and the sentence is told. What else a person should
            know goes to `conclusion.account.warnings`.
        """

    @pytest.hookspec
    def pytest_health_round(
        self, config: pytest.Config, rounds: int, status: int
    ) -> list[str] | None:
        """Do what is due after a round of a watch, whether it changed anything or not.

        It must not raise and must not take long.

        Args:
            config: of the session.
            rounds: how many rounds there were; this one may have been cut short by the end.
            status: the exit status with which the watch would end now.

        Returns:
            Lines that the watch is to say.
        """


def told(config: pytest.Config, conclusion: Conclusion) -> list[str]:
    """Tell everybody; return the sentences of what could not be written though it was asked for."""
    troubles = config.hook.pytest_health_concluded(config=config, conclusion=conclusion)
    said = [str(trouble) for trouble in troubles if trouble]
    conclusion.account.unwritten = bool(said)
    return said


def after_round(config: pytest.Config, rounds: int, status: int) -> list[str]:
    """Tell everybody that a round of a watch is over; return the lines that it is to say."""
    said = config.hook.pytest_health_round(config=config, rounds=rounds, status=status)
    return [line for lines in said for line in lines or ()]
