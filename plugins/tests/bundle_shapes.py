"""Classes of which facts in tests of bundles are made: they stand in a module of ours."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import NamedTuple


class Row(NamedTuple):
    """A row."""

    path: str
    size: int


class Kind(enum.Enum):
    """A kind."""

    BIG = 1


@dataclass(frozen=True, slots=True)
class Small:
    """A dataclass without a dictionary."""

    name: str


@dataclass(frozen=True)
class Fact:
    """A dataclass with code of its own, which must not run while a stranger's data is read."""

    rows: tuple[Row, ...]
    kind: Kind
    held: object = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Refuse what a stranger would put there."""
        if self.held == "a stranger's":
            raise AssertionError("its own code ran")


@dataclass
class Thawed:
    """No fact: it can be changed."""

    name: str


@dataclass(frozen=True)
class Changing:
    """A class that a later version has with other fields."""

    a: int
