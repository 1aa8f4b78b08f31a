"""The URLs by which people are told: they stand in the environment, and are secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

_LONG = 16  # characters from which a part of a URL is a secret whatever it is made of
_MIXED = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z]).{8,}")


def url_in(variable: str) -> str:
    """Return the URL that a variable holds, "" where it is not set."""
    return os.environ.get(variable, "").strip()


def unset(variables: Iterable[str]) -> tuple[str, ...]:
    """Return the variables that hold nothing."""
    return tuple(name for name in variables if not url_in(name))


def secrets_of(variables: Iterable[str]) -> tuple[str, ...]:
    """Return all that must be masked: the URLs, and the parts of them that look like keys.

    An error message may name a part alone, such as the path that was asked for. A part that is an
    ordinary word is left, as it would be masked in every sentence that has it.
    """
    found = [url for url in map(url_in, variables) if url]
    parts = [part for url in found for part in _keys(url) if part]
    return tuple(dict.fromkeys([*found, *parts]))


def _keys(url: str) -> Iterator[str]:
    rest = url.partition("://")[2]
    yield rest if "/" in rest.rstrip("/") and len(rest) >= _LONG else ""
    try:
        parts = urlsplit(url)
        query = [value for _, value in parse_qsl(parts.query)]
    except ValueError:
        return
    path = parts.path.split("/")
    place, _, host = parts.netloc.rpartition("@")
    yield parts.path if len(parts.path) >= _LONG else ""
    yield place.partition(":")[2]
    yield unquote(place.partition(":")[2])
    named = [] if "." in host else host.split(":")
    for part in (*path, *query, *place.split(":"), *named):
        for form in {part, unquote(part)}:
            if (len(form) >= _LONG or _MIXED.fullmatch(form)) and "@" not in form:
                yield form
