"""A look is given up at its own deadline, and what crashed is told from what was seen."""

from __future__ import annotations

import math
import threading
import time
from typing import Any

import pytest

from plugins.answers import Answer, NotReached
from plugins.crashes import Crashed, guarded
from plugins.outcomes import Absent, TimedOut


def test_a_look_that_hangs_is_given_up_and_says_whose_limit_it_was() -> None:
    answer = Answer("it", 0.1, lambda: time.sleep(60))
    began = time.monotonic()
    with pytest.raises(TimedOut, match=r"looking at it: .*our limit of 0.1 s"):
        answer.get(math.inf)
    assert time.monotonic() - began < 20
    assert answer.done()
    with pytest.raises(NotReached, match="still being looked at"):
        Answer("it", 9.0, lambda: time.sleep(60)).get(time.monotonic() + 0.05)


def test_the_clock_of_a_look_begins_when_what_it_waits_for_is_over() -> None:
    first = Answer("first", 5.0, lambda: time.sleep(0.3))
    second = Answer("second", 0.2, lambda: time.sleep(60), first)
    began = time.monotonic()
    assert not second.done()
    with pytest.raises(TimedOut, match=r"limit of 0.2 s"):
        second.get(math.inf)
    assert 0.4 < time.monotonic() - began < 20
    hung = Answer("hung", 0.2, lambda: time.sleep(60))
    third = Answer("third", 0.2, lambda: hung.get(math.inf), hung)
    with pytest.raises(TimedOut, match="looking at hung"):
        third.get(math.inf)


@pytest.mark.parametrize("crash", [KeyError("x"), SystemExit(1), MemoryError(), RecursionError()])
def test_any_crash_is_an_answer_at_once(crash: BaseException) -> None:
    def ask() -> Any:
        raise crash

    began = time.monotonic()
    with pytest.raises(Crashed, match=f"looking at it crashed: {type(crash).__name__}"):
        Answer("it", 9.0, ask).get(math.inf)
    assert time.monotonic() - began < 8
    with pytest.raises(Crashed, match="it crashed"):
        guarded("it", ask)


def test_what_was_met_passes_and_so_does_what_is_known() -> None:
    def absent() -> Any:
        raise Absent("it", ("/x",))

    with pytest.raises(Absent, match="looked in /x"):
        Answer("it", 9.0, absent).get(math.inf)
    with pytest.raises(ZeroDivisionError):
        guarded("it", lambda: 1 / 0, ZeroDivisionError)
    with pytest.raises(KeyboardInterrupt):
        guarded("it", _interrupted)


def _interrupted() -> None:
    raise KeyboardInterrupt


def test_many_looks_take_as_long_as_one() -> None:
    began = time.monotonic()
    answers = [Answer(str(n), 5.0, lambda: time.sleep(0.2)) for n in range(50)]
    for answer in answers:
        answer.get(math.inf)
    assert time.monotonic() - began < 8  # one after the other: 10 s
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.isdigit())
