"""Answers to the queries of logs that stand in the systems file, and the checks made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from plugins.endpoints.asking import Asked
from plugins.finding import Measure
from plugins.outcomes import Absent, NoFact, NotThere, WrongKind
from plugins.queries import Query, queries_in
from plugins.run import RUN
from plugins.text import printable

if TYPE_CHECKING:
    from plugins.endpoints.filesystem import Filesystem
    from plugins.endpoints.logs import Logs

_AT_ONCE = 2
_SHOWN = 50
_LARGEST = 1e300


@dataclass(frozen=True)
class Answer:
    """What a query came to.

    Args:
        value: its number.
        evidence: what shows it.
        ill: whether it is past the limit.
        sentence: the number beside its limit.
        measures: the number with its limit, and with each further line.
    """

    value: float
    evidence: tuple[str, ...]
    ill: bool
    sentence: str
    measures: tuple[Measure, ...]


@dataclass(frozen=True)
class Answers:
    """The answers to all queries of a system.

    Args:
        found: by the query's name; where there is no answer, why.
    """

    found: Mapping[str, Answer | NoFact] = field(hash=False)

    def of(self, query: Query) -> Answer:
        """Return the answer to a query; raises the `NoFact` that it met."""
        answer = self.found[query.name]
        if isinstance(answer, NoFact):
            raise answer
        return answer

    def measures(self, query: Query) -> tuple[Measure, ...]:
        """Return the measures of a query, none where it has no answer."""
        answer = self.found.get(query.name)
        return answer.measures if isinstance(answer, Answer) else ()


def answers(
    queries: tuple[Query, ...],
    places: Callable[[str], str],
    logs: Logs,
    filesystem: Filesystem,
    *,
    deadline: float,
) -> Answers:
    """Ask all queries that are not switched off, a few at a time.

    Args:
        queries: of one system.
        places: gives the path of a log's name, or of a path as it stands in the settings.
        logs, filesystem: the endpoints.
        deadline: seconds for one query.
    """

    def ask(query: Query) -> Answer | NoFact:
        paths = tuple(places(name) for name in query.log)
        try:
            there = {path: seen for path in paths if (seen := filesystem.look(path))}
            if not there:
                raise NotThere("none of them")
            written = [path for path, seen in there.items() if seen.size or seen.kind != "file"]
            if not written and query.ill_when == "above":
                return answer_of(query, Asked((), 0), paths)
            return answer_of(query, logs.ask(query, list(there), deadline=deadline), paths)
        except NotThere:
            return Absent("no such log is kept here", paths)
        except NoFact as why:
            return why
        except RecursionError:
            return WrongKind("what the query gives is nested too deep to be shown")

    wanted = [query for query in queries if query.enabled]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return Answers(dict(zip((q.name for q in wanted), pool.map(ask, wanted), strict=True)))


def answer_of(query: Query, asked: Asked, paths: tuple[str, ...]) -> Answer:
    """Return what the values of a query come to.

    A number is compared; of an array its length is, and its items are the evidence; an object gives
    its number as `value` and its evidence as an array; true is well and false is ill.

    Raises:
        Absent: there was nothing to judge: no entry, null, or nothing at all.
        WrongKind: it gave what cannot be compared, such as a text.
    """
    hours = "hour" if query.hours == 1 else f"{query.hours:g} hours"
    span = f" of the last {hours}" if query.hours else ""
    if not asked.entries and query.ill_when == "above":
        raise Absent(f"nothing to judge: there are no entries{span}", paths)
    told: Any = asked.values[0] if len(asked.values) == 1 else list(asked.values) or None
    evidence: Any = ()
    if isinstance(told, dict):
        told, evidence = told.get("value"), told.get("evidence", ())
    if isinstance(told, list):
        told, evidence = len(told), told
    if told is None:
        raise Absent(
            f"nothing to judge: the query gives nothing for {asked.entries} entries", paths
        )
    if isinstance(told, bool):
        return _answer(query, float(not told), not told, "it gives false", evidence)
    if not isinstance(told, (int, float)) or abs(told) > _LARGEST:
        kind = "a text" if isinstance(told, str) else "what is none"
        raise WrongKind(f"the query gives {kind} where a number, an array or true is wanted")
    unit = f" {query.unit}" if query.unit else ""
    side = "at most" if query.ill_when == "above" else "at least"
    words = f"it gives {told:.6g}{unit}{span and f' for the entries{span}'}, and should give"
    return _answer(query, told, query.is_ill(told), f"{words} {side} {query.limit:g}", evidence)


def _answer(query: Query, value: float, ill: bool, sentence: str, evidence: Any) -> Answer:
    rows = evidence if isinstance(evidence, (list, tuple)) else ()
    shown = [row if isinstance(row, str) else printable(repr(row)) for row in rows]
    more = [f"and {len(shown) - _SHOWN} more"] if len(shown) > _SHOWN else []
    measures = tuple(
        Measure(printable(query.name), value, printable(query.unit), line)
        for line in (query.limit, *query.lines)
    )
    kept = tuple(printable(row, 600) for row in shown[:_SHOWN])
    return Answer(value, (*kept, *more), ill, sentence, measures)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one check of each query in force that is not switched off."""
    if not hasattr(metafunc.function, "__check__") or "query" not in metafunc.fixturenames:
        return
    tables = metafunc.config.stash[RUN].configuration.tables
    rows = tables[metafunc.definition.path.parent.name]["queries"].value
    wanted = [query for query in queries_in(rows) if query.enabled]
    metafunc.parametrize("query", [pytest.param(query, id=query.name) for query in wanted])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what pytest puts in the place of queries that are all switched off."""
    items[:] = [item for item in items if not _is_empty(item)]


def _is_empty(item: pytest.Item) -> bool:
    callspec: Any = getattr(item, "callspec", None)
    asks = callspec is not None and "query" in callspec.params
    return asks and not isinstance(callspec.params["query"], Query)
