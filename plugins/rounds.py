"""Rounds: everything is looked at at once, each look in a thread of its own.

A round is one look at the hosts. Facts live here, not in pytest's fixture cache, which would give
the second look the first one's answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, cast

from plugins.answers import Answer
from plugins.configuration import Configuration
from plugins.crew import Crew
from plugins.endpoints.names import ENDPOINTS, endpoint
from plugins.endpoints.tracing import Trace
from plugins.facts import Probe, named
from plugins.handing import TRACED, Handed, Key, may_be_kept
from plugins.hosts import Host
from plugins.kept import Kept
from plugins.outcomes import Absent, CannotTell, NoFact
from plugins.saved import Saved
from plugins.systems import Found, Uses, find

FIND_DEADLINE = 10.0


class Round:
    """One look at the hosts.

    Args:
        configuration: the systems files in force.
        systems: the names of the systems that may be looked at.
        until: the run's deadline on the monotonic clock.
        extras: further things that a probe may name as parameters.
        wanted: the names of the systems that somebody asked for by name.
        kept: system -> what its probes remember while the program runs.
        before: what the round before handed on, in a watch.
        crew: the threads that look.
        saved: what was seen elsewhere, in the place of every look; no host is asked then.
    """

    def __init__(
        self,
        configuration: Configuration,
        systems: Iterable[str],
        until: float,
        extras: Mapping[str, Any] | None = None,
        wanted: Iterable[str] = (),
        *,
        kept: dict[str, Kept] | None = None,
        before: Handed | None = None,
        crew: Crew | None = None,
        saved: Saved | None = None,
    ) -> None:
        self.configuration = configuration
        self.systems = tuple(systems)
        self.until = until
        self._extras = dict(extras or {})
        self._wanted = frozenset(wanted)
        self._kept = {} if kept is None else kept
        self._crew = crew or Crew()
        self._saved = saved
        self._lock = threading.RLock()
        self._hosts: dict[str, Host] = {}
        self._endpoints: dict[Key, Any] = {}
        self._found: dict[str, Answer] = {}
        self._answers: dict[Key, Answer] = {}
        self._before = before
        self._traces: dict[Key, Trace] = {}
        self._probes: dict[Key, Probe] = {}
        self._others: dict[Key, Answer] = {}

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
                look = partial(self._find, system)
                self._found[system] = self._begun(
                    (system, ""), f"where {system} lives", FIND_DEADLINE, look
                )
            return self._found[system]

    def _find(self, system: str) -> Found:
        if self._saved is not None:
            return self._saved.system(system)
        wanted = system in self._wanted
        return find(self.configuration, system, self.host(system), wanted=wanted)

    def _begun(
        self,
        key: Key,
        what: str,
        deadline: float,
        look: Callable[[], Any],
        after: Answer | None = None,
    ) -> Answer:
        """Begin a look, unless one of a former round still hangs: one such thread is enough."""
        hanging = self._before.hanging.get(key) if self._before else None
        if self._before and hanging is not None and not hanging.ended():
            on_time = self._before.taken_over and not hanging.done()
            return hanging if on_time else hanging.given_up()
        return Answer(what, deadline, look, after, self._crew)

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

    def argument(self, system: str, name: str) -> Any:
        """Return what a probe or a duty of a system names as a parameter."""
        if name == "system":
            return self.system(system)
        if name == "watched":
            return self.watched(system)
        if name == "host":
            return self.host(system).testinfra
        if name == "kept":
            return self._kept.setdefault(system, Kept())
        if name in self._extras:
            return self._extras[name]
        if name in ENDPOINTS:
            return self.endpoint(system, name)
        raise CannotTell(f"no endpoint is called {name}")

    def renew(self, systems: Iterable[str]) -> tuple[Answer, ...]:
        """Begin to find out which facts of the round before are still good.

        To be waited for before anything is asked; only a watch has any.
        """
        if self._before is None:
            return ()
        return tuple(
            self.once(
                system,
                "what changed",
                FIND_DEADLINE,
                partial(self._still_good, system, self._before),
                self._finding(system),
            )
            for system in systems
        )

    def _still_good(self, system: str, before: Handed) -> frozenset[str]:
        try:
            found = self.system(system)
        except Absent as why:
            return frozenset(before.still_absent(system, why))
        if before.systems.get(system) != found:
            return frozenset()
        memory = self.endpoint(system, "filesystem").memory
        return frozenset(before.still_good(system, memory))

    def _is_good(self, key: Key) -> bool:
        renewal = self._others.get((key[0], " what changed"))
        if renewal is None or not renewal.ended() or renewal.met is not None:
            return False
        return key[1] in renewal.get(0.0)

    def ask(self, system: str, declared: Probe) -> Answer:
        """Begin to look, or return the look that is under way or still good."""
        with self._lock:
            key = (system, declared.name)
            if key not in self._answers:
                self._probes[key] = declared
                self._answers[key] = self._asked(key, declared)
            return self._answers[key]

    def _asked(self, key: Key, declared: Probe) -> Answer:
        if self._before is not None and self._is_good(key):
            if key in self._before.traces:
                self._traces[key] = self._before.traces[key]
            return self._before.answers[key]
        look = partial(self._look, key[0], declared)
        # The system is found first, so that its own deadline does not eat the probe's.
        return self._begun(key, declared.name, declared.deadline, look, self._finding(key[0]))

    def once(
        self,
        system: str,
        what: str,
        deadline: float,
        look: Callable[[], Any],
        after: Answer | None = None,
    ) -> Answer:
        """Begin a look that no later round takes over, or return the one that is under way."""
        with self._lock:
            key = (system, f" {what}")
            if key not in self._others:
                self._others[key] = self._begun(key, f"{what} of {system}", deadline, look, after)
            return self._others[key]

    def seen(self, system: str, declared: Probe) -> bool:
        """Tell whether a look was begun and is over, or past its own deadline."""
        answer = self._answers.get((system, declared.name))
        return answer is not None and answer.done()

    def _look(self, system: str, declared: Probe) -> Any:
        if self._saved is not None:
            return self._saved.fact(system, declared.name)
        self.system(system)
        names = named(declared.function)
        given = {name: self.argument(system, name) for name in names}
        if self._before is not None and set(names) <= TRACED and not declared.late:
            trace = self._traces[system, declared.name] = Trace()
            if "filesystem" in given:
                given["filesystem"] = given["filesystem"].traced(trace)
        return declared.function(**given)

    def fact(self, system: str, declared: Probe) -> Any:
        """Return a fact, looking for it first where nobody did; raises kinds of `NoFact`."""
        return self.ask(system, declared).get(self.until)

    def seconds(self, system: str, names: Iterable[str]) -> float:
        """Return how long the looks of these names took, the longest of them (they ran at once)."""
        if self._saved is not None:
            return max((self._saved.seconds(system, name) for name in names), default=0.0)
        asked = (self._answers.get((system, name)) for name in names)
        return max((answer.seconds for answer in asked if answer is not None), default=0.0)

    def asked(self) -> dict[Key, Answer]:
        """Return every answer by system and probe; what was found of a system has no probe ("")."""
        with self._lock:
            return {**{(name, ""): one for name, one in self._found.items()}, **self._answers}

    def hand_on(self, *, facts: bool) -> Handed:
        """Return what the next round of a watch takes over: data, and nothing of this round.

        Args:
            facts: whether what was seen may be good then; after a cure it is not.
        """
        with self._lock:
            begun = {**{(name, ""): answer for name, answer in self._found.items()}}
            begun |= self._others | self._answers
            hanging = {key: one.original for key, one in begun.items() if not one.original.ended()}
            if not facts:
                return Handed(hanging=hanging)
            systems = {
                name: answer.get(0.0)
                for name, answer in self._found.items()
                if answer.ended() and answer.met is None
            }
            self._take_over()
            answers = {key: one for key, one in self._answers.items() if may_be_kept(one)}
            for answer in answers.values():
                answer.let_go()
            probes = dict(self._probes)
            return Handed(hanging, systems, answers, dict(self._traces), probes, taken_over=True)

    def _take_over(self) -> None:
        """Take over what is still good of the round before, and was not asked for in this one."""
        before = self._before or Handed()
        for key in before.answers.keys() - self._answers.keys():
            if self._is_good(key):
                self._answers[key] = before.answers[key]
                self._probes[key] = before.probes[key]
                if key in before.traces:
                    self._traces[key] = before.traces[key]
