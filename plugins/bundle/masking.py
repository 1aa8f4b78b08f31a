"""Pseudonyms in JSON: of facts as a bundle has them, and of plain documents."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

# Forms of `facts_in_json` whose content is no text of a host.
_PLAIN = frozenset({"enum", "float", "moment", "date", "span"})
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,63}")


def in_fact(told: Any, of_text: Callable[[str], str], of_secret: Callable[[str, str], str]) -> Any:
    """Return an encoded fact with every text in it made anew.

    Args:
        told: what `facts_in_json.Writer` gave.
        of_text: makes a text that may hold a secret.
        of_secret: makes a text that is carried as a secret, and not empty; it is told the name of
            the variable that holds it, "" where the fact names none.
    """

    def made(part: Any, name: str = "") -> Any:
        if type(part) is str:
            return of_text(part)
        if type(part) is list:
            return [made(item) for item in part]
        if type(part) is not dict:
            return part
        ((form, held),) = part.items()
        if form == "secret":
            return {form: of_secret(held, name) if held else ""}
        if form == "is":
            names = (word for word in held[1:] if type(word) is str and _VARIABLE.fullmatch(word))
            name = next(names, "")
            return {form: [held[0], *(made(item, name) for item in held[1:])]}
        if form == "met":
            return {form: [held[0], of_text(held[1]), {k: made(v) for k, v in held[2].items()}]}
        if form == "dict":
            return {form: [[made(key), _valued(key, value, of_text, made)] for key, value in held]}
        return part if form in _PLAIN else {form: made(held)}

    return made(told)


def in_document(told: Any, of_text: Callable[[str], str]) -> Any:
    """Return a plain JSON document with every text in it made anew, keys too."""
    if type(told) is str:
        return of_text(told)
    if type(told) in (list, tuple):
        return [in_document(item, of_text) for item in told]
    if type(told) is dict:

        def made(part: Any) -> Any:
            return in_document(part, of_text)

        return {of_text(key): _valued(key, value, of_text, made) for key, value in told.items()}
    if told is not None and type(told) not in (bool, int, float):
        raise TypeError(f"{type(told).__name__} in a document that is to be masked")
    return told


def _valued(key: Any, value: Any, of_text: Callable[[str], str], made: Callable[[Any], Any]) -> Any:
    """Return a value made anew; its key may be what tells that it is a secret."""
    if type(key) is str and type(value) is str and value and _KEY.fullmatch(key):
        head = f"{key}="
        whole = of_text(f"{head}{value}")
        if whole != f"{head}{value}" and whole.startswith(head):
            return whole.removeprefix(head)
    return made(value)
