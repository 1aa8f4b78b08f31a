"""Checks: how they are declared, named and selected."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from plugins.finding import Safety, Severity
from plugins.queries import Query
from plugins.remedy import Remedy, remedy_of

if TYPE_CHECKING:
    from plugins.endpoints.signatures import Signature

F = TypeVar("F", bound=Callable[..., None])


@dataclass(frozen=True)
class Check:
    """What is declared of a check; see `check` for the words.

    Args:
        id: folder and function name, the name that waivers, `--fix-only` and documents use.
        title: the healthy state in a sentence.
        why: why it matters.
        hint: what a person would type.
        guide: the entries of the catalog of knowledge that this check answers for.
        formerly: ids that this check had before.
    """

    id: str
    system: str
    severity: Severity
    title: str
    why: str
    hint: str
    safety: Safety
    guide: tuple[str, ...]
    refs: tuple[str, ...]
    slow: bool
    formerly: tuple[str, ...]
    remedy: Remedy | None = field(default=None, compare=False)


def _words(doc: str | None) -> tuple[str, str]:
    title, _, why = inspect.cleandoc(doc or "").partition("\n")
    return title.strip().rstrip("."), re.sub(r"\s*\n\s*", " ", why.strip())


def _whole(function: Callable[..., None], words: dict[str, str], cure: Remedy | None) -> None:
    """Raise `TypeError` where something of a check's declaration is missing."""
    name = f"{function.__module__}.{function.__name__}"
    missing = [what for what, said in words.items() if not said]
    if missing:
        raise TypeError(f"{name} has not got {missing[0]}")
    seen = {*inspect.signature(function).parameters, "system"}
    unseen = sorted(set(cure.asks) - seen) if cure else []
    if unseen:
        raise TypeError(f"the remedy of {function.__name__} never saw {unseen}")
    if "." not in function.__module__:
        raise TypeError(f"{function.__module__} stands in no package (is there an __init__.py?)")


def check(
    severity: Severity,
    *,
    guide: str | tuple[str, ...],
    remedy: Callable[..., object] | None = None,
    hint: str = "",
    refs: tuple[str, ...] = (),
    slow: bool = False,
    formerly: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Declare a test function to be a check.

    Args:
        severity: the usual severity of its finding.
        guide: the entries of the catalog of knowledge that it answers for.
        remedy: a function that `@remedy` made; its docstring is the hint.
        hint: what a person would type, where there is no remedy.
        refs: links to upstream issues.
        slow: run with `--deep` only.
        formerly: ids that the check had before a rename.

    Raises:
        TypeError: at import, when the title, the reason or the hint is missing, or when the remedy
            asks for more than what the check saw.
    """

    def declare(function: F) -> F:
        title, why = _words(function.__doc__)
        cure = remedy_of(remedy) if remedy else None
        words = cure.hint if cure else re.sub(r"\s*\n\s*", " ", hint.strip())
        _whole(function, {"a title": title, "a reason": why, "a remedy or a hint": words}, cure)
        system = function.__module__.rpartition(".")[0].rpartition(".")[2]
        function.__check__ = Check(  # type: ignore[attr-defined]
            id=f"{system}.{function.__name__.removeprefix('test_')}",
            system=system,
            severity=severity,
            title=title,
            why=why,
            hint=words,
            safety=cure.safety if cure else Safety.MANUAL,
            guide=(guide,) if isinstance(guide, str) else guide,
            refs=refs,
            slow=slow,
            formerly=formerly,
            remedy=cure,
        )
        return function

    return declare


def known_issues(file: str, *, guide: str | tuple[str, ...]) -> Callable[[F], F]:
    """Declare a test function to be one check for each log signature of a TOML table.

    The function takes the argument `signature`. Severity, title, reason, hint and links come from
    the table; the id is `SYSTEM.known_issue.KEY`.

    Args:
        file: the path of the table.
        guide: the entries of the catalog of knowledge that the table answers for.
    """
    from plugins.endpoints.signatures import load

    def declare(function: F) -> F:
        signatures = load(file)
        declared = check(Severity.P3, guide=guide, hint="see each known issue")(function)
        mark = pytest.mark.parametrize(
            "signature", [pytest.param(entry, id=entry.key) for entry in signatures]
        )
        return mark(declared)  # type: ignore[no-any-return]

    return declare


def log_queries(*, guide: str | tuple[str, ...]) -> Callable[[F], F]:
    """Declare a test function to be one check for each query of its system in the systems file.

    Its parameter `query` is a `plugins.queries.Query`.

    Args:
        guide: the entries of the catalog of knowledge that queries answer for which name none.
    """

    def declare(function: F) -> F:
        return check(Severity.P3, guide=guide, hint="see each query")(function)

    return declare


def _of_query(check_: Check, query: Query) -> Check:
    return replace(
        check_,
        id=f"{check_.system}.query.{query.name}",
        severity=Severity(query.severity),
        title=query.title.rstrip("."),
        why=query.why,
        hint=query.hint,
        guide=query.guide or check_.guide,
    )


def _known_issue(check_: Check, signature: Signature) -> Check:
    return replace(
        check_,
        id=f"{check_.system}.known_issue.{signature.key}",
        severity=Severity(signature.severity),
        title=signature.title.rstrip("."),
        why=signature.why,
        hint=signature.hint,
        refs=tuple(signature.refs),
    )


def check_of(item: pytest.Item) -> Check | None:
    """Return what is declared of the item, None when it is no health check."""
    declared: Check | None = getattr(getattr(item, "obj", None), "__check__", None)
    callspec: Any = getattr(item, "callspec", None)
    if declared and callspec and "signature" in callspec.params:
        return _known_issue(declared, callspec.params["signature"])
    query = callspec.params.get("query") if callspec else None
    if declared and isinstance(query, Query):
        return _of_query(declared, query)
    return declared


def checks_of(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, Check]]:
    """Yield the items that are health checks, with what is declared of them."""
    for item in items:
        declared = check_of(item)
        if declared:
            yield item, declared


def table_beside(file: str, name: str = "known_issues.toml") -> str:
    """Return the path of a table that stands beside a check file."""
    return str(Path(file).with_name(name))
