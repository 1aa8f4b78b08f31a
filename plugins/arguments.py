"""`--with KEY=VALUE`: what a procedure or an inquiry is told beside its name.

Its keyword-only parameters are its arguments: texts, required where they have no default. The
`Args:` of its docstring say what each of them is, and a person who errs reads those words.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from plugins.outcomes import NoFact
from plugins.text import nearest, printable


class Misgiven(NoFact):
    """What was given with `--with` cannot be used; the message says what can.

    A procedure or an inquiry may raise it too, of a value that it cannot use.
    """


@dataclass(frozen=True)
class Argument:
    """One thing that a procedure may be told.

    Args:
        name: of the parameter, and the key of `--with`.
        default: what holds where it is not given; None where it must be.
        words: what the docstring says of it.
    """

    name: str
    default: str | None
    words: str

    def __str__(self) -> str:
        needed = "may be left out" if not self.default else f"{self.default} unless given"
        needed = "needed" if self.default is None else needed
        return f"{self.name}: {self.words} ({needed})"


@dataclass(frozen=True)
class Said:
    """A docstring in its parts: a title, what follows it, and the words of each argument."""

    title: str
    text: str
    arguments: dict[str, str]


def said_by(function: Callable[..., Any]) -> Said:
    """Return the parts of a function's docstring, each on one line."""
    title, _, rest = inspect.cleandoc(function.__doc__ or "").partition("\n")
    text, _, listed = rest.partition("\nArgs:\n")
    listed = re.split(r"\n\S", listed)[0]
    found = re.findall(r"^    (\w+): (.*(?:\n      +.*)*)", listed, re.MULTILINE)
    return Said(title.strip(), _line(text), {name: _line(words) for name, words in found})


def _line(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text.strip())


def arguments_of(function: Callable[..., Any]) -> tuple[Argument, ...]:
    """Return the arguments that a function declares by its keyword-only parameters.

    Raises:
        TypeError: at import, when one is no text or the docstring says nothing of it.
    """
    words = said_by(function).arguments
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is not parameter.KEYWORD_ONLY:
            continue
        where = f"{function.__module__}.{function.__name__}: {name}"
        none = parameter.default is parameter.empty
        if parameter.annotation not in ("str", str) or not (none or parameter.default is not None):
            raise TypeError(f"{where} must be a str, as it comes from the command line")
        if name not in words:
            raise TypeError(f"{where} is not in the docstring's Args")
        found.append(Argument(name, None if none else parameter.default, words[name]))
    return tuple(found)


def given(name: str, arguments: tuple[Argument, ...], words: Iterable[str]) -> dict[str, str]:
    """Return the arguments by name, as the words of `--with` give them.

    Args:
        name: of the procedure, for the message.
        arguments: what it takes.
        words: KEY=VALUE, one each.

    Raises:
        Misgiven: a key is unknown, missing or given twice, or a word has no `=`.
    """
    known = [argument.name for argument in arguments]
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        shown = f"--with {printable(word, 80)}"
        if not equals:
            raise Misgiven(_listed(name, f"{shown}: it must be KEY=VALUE", arguments))
        if key not in known:
            why = f"{shown}: {name} takes no {printable(key, 40)!r}{nearest(key, known)}"
            raise Misgiven(_listed(name, why, arguments))
        if key in found:
            raise Misgiven(_listed(name, f"{shown}: {key} is given twice", arguments))
        found[key] = value
    missing = [one.name for one in arguments if one.default is None and not found.get(one.name)]
    if missing:
        why = f"{name} must be told {' and '.join(missing)}: --with {missing[0]}=…"
        raise Misgiven(_listed(name, why, arguments))
    return {one.name: one.default for one in arguments if one.default is not None} | found


def _listed(name: str, why: str, arguments: tuple[Argument, ...]) -> str:
    if not arguments:
        return f"{why}\n  {name} takes no arguments"
    return "\n  ".join((why, "there are:", *(f"  {one}" for one in arguments)))
