"""Probes and facts: everything is looked at at once, each look in a thread of its own.

A round is one look at the hosts. Facts live here, not in pytest's fixture cache, which would give
the second look the first one's answers.
"""

from __future__ import annotations

import inspect
import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast, overload

import pytest

from plugins.configuration import Configuration
from plugins.crashes import guarded
from plugins.endpoints.names import ENDPOINTS, endpoint
from plugins.hosts import Host
from plugins.outcomes import CannotTell, NoFact, TimedOut
from plugins.systems import Found, Uses, find

FIND_DEADLINE = 10.0

L = TypeVar("L", bound=Callable[..., Any])


class NotReached(NoFact):
    """The run's own deadline passed before the look was over."""


@dataclass(frozen=True)
class Probe:
    """What is declared of a probe.

    Args:
        name: of the function, and of the argument of the checks.
        function: looks; its parameters name its system and endpoints.
        deadline: seconds.
        late: asked when its check comes, as it looks at the run itself.
    """

    name: str
    function: Callable[..., Any]
    deadline: float
    late: bool = False


@overload
def probe(function: L) -> L: ...
@overload
def probe(*, deadline: float = 10.0, late: bool = False) -> Callable[[L], L]: ...
def probe(
    function: Callable[..., Any] | None = None, *, deadline: float = 10.0, late: bool = False
) -> Any:
    """Declare a function to be a probe; what it returns is the fact of its name.

    Args:
        function: given when the decorator stands without brackets.
        deadline: seconds until the look is given up as "cannot tell".
        late: asked when its check comes, for probes of the run itself.
    """
    if function is None:
        return partial(probe, deadline=deadline, late=late)
    declared = Probe(function.__name__, function, deadline, late)

    def fact(request: pytest.FixtureRequest) -> Any:
        from plugins.run import RUN

        return request.config.stash[RUN].fact(request.path.parent.name, declared)

    fact.__name__, fact.__doc__ = function.__name__, function.__doc__
    fixture = pytest.fixture(name=function.__name__)(fact)
    fixture.__probe__ = declared  # type: ignore[attr-defined]
    return fixture


def probes_of(item: pytest.Item) -> tuple[Probe, ...]:
    """Return the probes that a check's arguments name, from its folder's conftest.py."""
    conftest = item.config.pluginmanager.get_plugin(str(item.path.parent / "conftest.py"))
    names = inspect.signature(getattr(item, "obj")).parameters  # noqa: B009 - Function has it
    found = (getattr(getattr(conftest, name, None), "__probe__", None) for name in names)
    return tuple(declared for declared in found if isinstance(declared, Probe))


class Answer:
    """One question under way: begun in a thread, waited for by whoever needs it.

    Args:
        what: what is looked at, in a few words.
        deadline: seconds.
        ask: looks.
        after: another question that `ask` waits for first; its time is not counted here.
    """

    def __init__(
        self, what: str, deadline: float, ask: Callable[[], Any], after: Answer | None = None
    ) -> None:
        self.what = what
        self.deadline = deadline
        self.seconds = 0.0
        self._ask = ask
        self._after = after
        self._value: Any = None
        self._error: NoFact | None = None
        self._done = threading.Event()
        self._asked = self._over = time.monotonic()
        # A daemon: a look at a dead mount must not keep the program from ending.
        threading.Thread(target=self._look, daemon=True, name=what).start()

    def _look(self) -> None:
        if self._after is not None:
            self._after.wait(math.inf)
        began = time.monotonic()
        try:
            self._value = guarded(f"looking at {self.what}", self._ask)
        except NoFact as why:
            self._error = why
        self._over = time.monotonic()
        self.seconds = self._over - began
        self._done.set()

    @property
    def _ends(self) -> float:
        """When it is given up, on the monotonic clock."""
        return (self._after.over if self._after is not None else self._asked) + self.deadline

    @property
    def over(self) -> float:
        """When it was over, or will be given up."""
        return self._over if self._done.is_set() else self._ends

    def done(self) -> bool:
        """Tell whether the look is over or past its deadline."""
        return self._done.is_set() or time.monotonic() > self._ends

    def wait(self, until: float) -> None:
        """Wait until the look is over, its deadline, or a moment on the monotonic clock."""
        if self._after is not None:
            self._after.wait(until)
        while not self._done.is_set():
            left = min(self._ends, until) - time.monotonic()
            if left <= 0:
                return
            self._done.wait(left)

    def get(self, until: float) -> Any:
        """Wait for the answer.

        Args:
            until: the run's own deadline on the monotonic clock.

        Raises:
            NoFact: what the look met; `TimedOut` past its deadline, `NotReached` past the run's.
        """
        self.wait(until)
        if not self._done.is_set():
            self.seconds = time.monotonic() - self._asked
            if time.monotonic() < self._ends:
                raise NotReached(f"{self.what} was still being looked at")
            raise TimedOut(f"looking at {self.what}", self.deadline)
        if self._error is not None:
            raise self._error
        return self._value


class Round:
    """One look at the hosts.

    Args:
        configuration: the systems files in force.
        systems: the names of the systems that may be looked at.
        until: the run's deadline on the monotonic clock.
        extras: further things that a probe may name as parameters.
        wanted: the names of the systems that somebody asked for by name.
    """

    def __init__(
        self,
        configuration: Configuration,
        systems: Iterable[str],
        until: float,
        extras: Mapping[str, Any] | None = None,
        wanted: Iterable[str] = (),
    ) -> None:
        self.configuration = configuration
        self.systems = tuple(systems)
        self.until = until
        self._extras = dict(extras or {})
        self._wanted = frozenset(wanted)
        self._lock = threading.RLock()
        self._hosts: dict[str, Host] = {}
        self._endpoints: dict[tuple[str, str], Any] = {}
        self._found: dict[str, Answer] = {}
        self._answers: dict[tuple[str, str], Answer] = {}

    def host(self, system: str) -> Host:
        """Return the host that a system's settings name; a folder without settings is on ours."""
        table = self.configuration.tables.get(system)
        spec = str(table["on"].value) if table else "local://"
        with self._lock:
            return self._hosts.setdefault(spec, Host(spec))

    def endpoint(self, system: str, name: str) -> Any:
        """Return an endpoint on the system's host; the same one for the whole round."""
        host = self.host(system)
        with self._lock:
            key = (host.spec, name)
            if key not in self._endpoints:
                self._endpoints[key] = endpoint(name, host)
            return self._endpoints[key]

    def _finding(self, system: str) -> Answer:
        with self._lock:
            if system not in self._found:
                wanted, host = system in self._wanted, self.host(system)
                look = partial(find, self.configuration, system, host, wanted=wanted)
                self._found[system] = Answer(f"where {system} lives", FIND_DEADLINE, look)
            return self._found[system]

    def system(self, name: str) -> Found:
        """Return what was found of a system; raises `Absent` and other kinds of `NoFact`."""
        return cast("Found", self._finding(name).get(self.until))

    def watched(self, beside: str) -> tuple[Uses, ...]:
        """Return what every other present system on the same host uses of it."""
        others = []
        for name in self.systems:
            if name != beside and self.host(name).spec == self.host(beside).spec:
                try:
                    others.append(self.system(name).uses)
                except NoFact:
                    continue  # its own checks say so
        return tuple(others)

    def _argument(self, system: str, name: str) -> Any:
        if name == "system":
            return self.system(system)
        if name == "watched":
            return self.watched(system)
        if name == "host":
            return self.host(system).testinfra
        if name in self._extras:
            return self._extras[name]
        if name in ENDPOINTS:
            return self.endpoint(system, name)
        raise CannotTell(f"no endpoint is called {name}")

    def ask(self, system: str, declared: Probe) -> Answer:
        """Begin to look, or return the look that is under way."""
        with self._lock:
            key = (system, declared.name)
            if key not in self._answers:
                look = partial(self._look, system, declared)
                # The system is found first, so that its own deadline does not eat the probe's.
                found = self._finding(system)
                self._answers[key] = Answer(declared.name, declared.deadline, look, found)
            return self._answers[key]

    def seen(self, system: str, declared: Probe) -> bool:
        """Tell whether a look was begun and is over, or past its own deadline."""
        answer = self._answers.get((system, declared.name))
        return answer is not None and answer.done()

    def _look(self, system: str, declared: Probe) -> Any:
        self.system(system)
        names = inspect.signature(declared.function).parameters
        return declared.function(**{name: self._argument(system, name) for name in names})

    def fact(self, system: str, declared: Probe) -> Any:
        """Return a fact, looking for it first where nobody did; raises kinds of `NoFact`."""
        return self.ask(system, declared).get(self.until)

    def seconds(self, system: str, names: Iterable[str]) -> float:
        """Return how long the looks of these names took, the longest of them (they ran at once)."""
        taken = [
            self._answers[key].seconds
            for key in self._answers
            if key[0] == system and key[1] in set(names)
        ]
        return max(taken, default=0.0)
