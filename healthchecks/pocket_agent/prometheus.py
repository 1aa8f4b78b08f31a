"""Reads Prometheus' text format, version 0.0.4, a line at a time; it opens nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SAMPLE = re.compile(
    r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]*"
    r"(?:\{(?P<labels>(?:[^\"}]|\"(?:[^\"\\]|\\.)*\")*)\})?"
    r"[ \t]+(?P<value>[^ \t]+)(?:[ \t]+-?[0-9]+)?[ \t]*"
)
_LABEL = re.compile(
    r"[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*\"((?:[^\"\\]|\\.)*)\"[ \t]*(?:,|\Z)"
)
_KINDS = {"counter", "gauge", "histogram", "summary", "untyped"}


@dataclass(frozen=True)
class Sample:
    """One value of one series; its labels are sorted by name."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float


@dataclass(frozen=True)
class Exposition:
    """What one page of metrics says, and the lines of it that are no Prometheus text."""

    samples: tuple[Sample, ...]
    unread: tuple[str, ...]


def parse(text: str) -> Exposition:
    """Every sample of the page; a line that is none is kept in `unread` with its number."""
    samples: list[Sample] = []
    unread: list[str] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or _comment_is_well(line):
            continue
        sample = _sample(line)
        if sample is None:
            unread.append(f"line {number}: {line[:200]}")
        else:
            samples.append(sample)
    return Exposition(tuple(samples), tuple(unread))


def _comment_is_well(line: str) -> bool:
    """Whether the line is a comment, and a TYPE line among them names a kind that exists."""
    words = line.split()
    if words[:2] == ["#", "TYPE"]:
        return len(words) == 4 and words[3] in _KINDS
    return line.startswith("#")


def _sample(line: str) -> Sample | None:
    """The sample that the line states, or None."""
    found = _SAMPLE.fullmatch(line)
    if not found:
        return None
    try:
        value = float(found["value"])
        labels = tuple(sorted(_labels(found["labels"] or "")))
    except ValueError:
        return None
    return Sample(found["name"], labels, value)


def _labels(text: str) -> Iterator[tuple[str, str]]:
    """The pairs between the braces; ValueError where they are not pairs."""
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _LABEL.match(text, at)
        if not found:
            raise ValueError(text[at:])
        yield found[1], re.sub(r"\\(.)", lambda sign: {"n": "\n"}.get(sign[1], sign[1]), found[2])
        at = found.end()
