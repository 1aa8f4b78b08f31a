"""Facts as JSON and back: what every probe saw, for a bundle that is judged on another machine.

A bundle may come from anybody. What is read makes nothing but data: frozen dataclasses, named
tuples and enumerations of this project, kinds of `NoFact`, and Python's own plain types. No code of
theirs runs while they are made, and no module is loaded for it.
A class that has changed since makes its facts unreadable: they are not judged by half.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import hashlib
import json
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import PurePath, PurePosixPath
from typing import Any, ClassVar, cast

from plugins.outcomes import CannotTell, NoFact
from plugins.redaction import Secret

DEEPEST = 60
# What a kind of `NoFact` tells beside its sentence.
_TOLD = frozenset({"what", "looked_in", "by", "limit", "stage"})
_OURS = ("plugins.", "healthchecks.")


class Unwritable(CannotTell):
    """A fact holds what no bundle can carry."""


class Unreadable(CannotTell):
    """What a bundle holds of a fact cannot be read by this version."""


def kind_name(kind: type) -> str:
    """Return a class by the name that a bundle has for it."""
    return f"{kind.__module__}:{kind.__qualname__}"


def shape(kind: type) -> str:
    """Return a short text that changes when the fields of a class, or their types, do."""
    if dataclasses.is_dataclass(kind):
        parts = [f"{one.name}: {one.type}" for one in dataclasses.fields(kind)]
    elif issubclass(kind, enum.Enum):
        parts = list(kind.__members__)
    else:
        parts = [f"{name}" for name in getattr(kind, "_fields", ())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _fields(kind: type) -> tuple[str, ...]:
    if dataclasses.is_dataclass(kind):
        return tuple(one.name for one in dataclasses.fields(kind))
    return tuple(getattr(kind, "_fields", ()))


def _is_record(kind: type) -> bool:
    """Tell whether a class is a frozen dataclass or a named tuple; a step is one, and only data."""
    if issubclass(kind, tuple):
        return hasattr(kind, "_fields")
    declared = getattr(kind, "__dataclass_params__", None)
    return declared is not None and bool(declared.frozen)


class Writer:
    """Writes one fact.

    Attributes:
        kinds: the classes that it is made of, each with its shape.
    """

    def __init__(self) -> None:
        self.kinds: dict[str, str] = {}

    def json(self, value: Any, depth: int = 0) -> Any:
        """Return the value as plain JSON types; raises `Unwritable`."""
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if depth > DEEPEST:
            raise Unwritable(f"a fact is nested deeper than {DEEPEST}, and is in no bundle")
        if kind is tuple:
            return [self.json(item, depth + 1) for item in value]
        plain = _PLAIN.get(kind)
        if plain is not None:
            return {plain[0]: plain[1](value)}
        if kind is float:
            return value if math.isfinite(value) else {"float": str(value)}
        if isinstance(value, enum.Enum):
            return {"enum": [self._named(kind), value.name]}
        if isinstance(value, NoFact):
            held = {name: self.json(part, depth + 1) for name, part in vars(value).items()}
            return {"met": [self._named(kind), str(value), held]}
        if _is_record(kind):
            parts = [self.json(getattr(value, name), depth + 1) for name in _fields(kind)]
            return {"is": [self._named(kind), *parts]}
        return self._gathered(value, depth)

    def _gathered(self, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping):
            pairs = [[self.json(k, depth + 1), self.json(v, depth + 1)] for k, v in value.items()]
            return {"dict": pairs}
        if type(value) is list:
            return {"list": [self.json(item, depth + 1) for item in value]}
        if type(value) in (set, frozenset):
            items = [self.json(item, depth + 1) for item in value]
            return {type(value).__name__: sorted(items, key=json.dumps)}
        if isinstance(value, PurePath):
            return {"path": str(value)}
        raise Unwritable(f"a fact holds {kind_name(type(value))}, which no bundle can carry")

    def _named(self, kind: type) -> str:
        name = kind_name(kind)
        if _known(name) is not kind:
            raise Unwritable(f"a fact holds {name}, which no bundle can carry")
        self.kinds[name] = shape(kind)
        return name


_PLAIN: dict[type, tuple[str, Callable[[Any], Any]]] = {
    bytes: ("bytes", lambda value: value.decode("latin-1")),
    Secret: ("secret", lambda value: value.reveal()),
    datetime.datetime: ("moment", lambda value: value.isoformat()),
    datetime.date: ("date", lambda value: value.isoformat()),
    datetime.timedelta: ("span", lambda v: [v.days, v.seconds, v.microseconds]),
}


def _known(name: str) -> type | None:
    """Return the class of a name, where a module of ours that is loaded has it for data."""
    module, _, path = name.partition(":")
    if not module.startswith(_OURS) or module not in sys.modules:
        return None
    found: Any = sys.modules[module]
    for part in path.split("."):
        found = vars(found).get(part) if hasattr(found, "__dict__") else None
    if not isinstance(found, type) or kind_name(found) != name:
        return None
    data = _is_record(found) or issubclass(found, (enum.Enum, NoFact))
    return found if data else None


class Reader:
    """Reads one fact.

    Args:
        kinds: the classes that it is made of, each with the shape that it was written in.
    """

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self._kinds = kinds

    def value(self, told: Any, depth: int = 0) -> Any:
        """Return the value that was written.

        Raises:
            Unreadable: it is none that this version writes.
        """
        if told is None or type(told) in (bool, int, float, str):
            return told
        if depth > DEEPEST:
            raise Unreadable(f"the bundle's fact is nested deeper than {DEEPEST}")
        if type(told) is list:
            return tuple(self.value(item, depth + 1) for item in told)
        if type(told) is not dict or len(told) != 1:
            raise Unreadable("the bundle's fact is not in the form that this version reads")
        ((form, held),) = told.items()
        try:
            return self._of(form, held, depth + 1)
        except (TypeError, ValueError, OverflowError, LookupError, AttributeError) as error:
            said = f"{type(error).__name__} in what is said to be {str(form)[:40]!r}"
            raise Unreadable(f"the bundle's fact is broken: {said}") from None

    def _of(self, form: str, held: Any, depth: int) -> Any:
        if form == "is":
            return self._record(held, depth)
        if form == "dict":
            return {self.value(k, depth): self.value(v, depth) for k, v in held}
        if form in self._GATHERED:
            return self._GATHERED[form](self.value(item, depth) for item in held)
        if form == "enum":
            return self._kind(held[0], enum.Enum).__members__[held[1]]  # type: ignore[attr-defined]
        if form == "met":
            return self._met(held, depth)
        return self._READ[form](held)

    _GATHERED: ClassVar[dict[str, Callable[..., Any]]] = {
        "list": list,
        "set": set,
        "frozenset": frozenset,
    }
    _READ: ClassVar[dict[str, Callable[[Any], Any]]] = {
        "bytes": lambda held: held.encode("latin-1"),
        "secret": lambda held: Secret(str(held)),
        "moment": datetime.datetime.fromisoformat,
        "date": datetime.date.fromisoformat,
        "span": lambda held: datetime.timedelta(held[0], held[1], held[2]),
        "float": lambda held: {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}[held],
        "path": PurePosixPath,
    }

    def _kind(self, name: Any, under: type = object) -> type:
        kind = _known(name) if type(name) is str else None
        if kind is None or not issubclass(kind, under):
            raise Unreadable(f"the bundle's fact holds {str(name)[:120]}, which is not known here")
        if self._kinds.get(name) != shape(kind):
            raise Unreadable(f"{name} has changed since the bundle was made")
        return kind

    def _record(self, held: Any, depth: int) -> Any:
        kind = self._kind(held[0])
        names = _fields(kind)
        if not _is_record(kind) or len(names) != len(held) - 1:
            raise Unreadable(f"the bundle's fact has other fields than {held[0]} has")
        parts = [self.value(part, depth) for part in held[1:]]
        if issubclass(kind, tuple):
            return tuple.__new__(kind, parts)
        # Its own __init__ is left out: nothing of a class runs while a stranger's data is read.
        made = object.__new__(kind)
        for name, part in zip(names, parts, strict=True):
            object.__setattr__(made, name, part)
        return made

    def _met(self, held: Any, depth: int) -> NoFact:
        kind = cast("type[NoFact]", self._kind(held[0], NoFact))
        met = kind.__new__(kind)
        met.args = (str(held[1]),)
        for name, part in held[2].items():
            if name not in _TOLD:
                raise Unreadable(f"the bundle's fact names {name[:40]!r} of {held[0]}")
            setattr(met, name, self.value(part, depth))
        return met
