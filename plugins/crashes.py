"""The one place that turns a crash of a probe, a remedy or a step into a sentence.

A crash of what others wrote is no illness; it must not end the run or leave a fix half done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from plugins.outcomes import CannotTell, NoFact
from plugins.text import printable

T = TypeVar("T")

# pytest's own ways out are no Exceptions; a thread that one of them ended would answer nothing.
_ANY = (Exception, SystemExit, pytest.fail.Exception, pytest.skip.Exception)


class Crashed(CannotTell):
    """The code itself failed; the message says whose, and with what."""


def guarded(what: str, ask: Callable[[], T], *known: type[BaseException]) -> T:
    """Return what `ask` returns.

    Args:
        what: whose crash it would be, in a few words.
        ask: what is called.
        known: kinds of exceptions that pass, beside `NoFact`.

    Raises:
        Crashed: it raised anything else.
    """
    passing: tuple[type[BaseException], ...] = (NoFact, *known)
    try:
        return ask()
    except passing:
        raise
    except _ANY as crash:
        said = printable(f"{type(crash).__name__}: {crash}")
        raise Crashed(f"{what} crashed: {said}") from crash
