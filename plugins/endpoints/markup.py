"""HTML as a browser's scanner goes through it: tags and their attributes, in one pass.

The standard library's parser takes minutes over some pages of a few hundred KiB; this takes time
that grows with the length of the page and no faster.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_SPACE = " \t\n\r\f"
_NAME = re.compile(r"[A-Za-z][^ \t\n\r\f/>]*")
_ATTRIBUTE = re.compile(r"[^ \t\n\r\f/>=][^ \t\n\r\f/>=]*")
_GAP = re.compile(r"[ \t\n\r\f/]*")
_BARE = re.compile(r"[^ \t\n\r\f>]*")
# What stands in these is text, whatever it looks like; <noscript> too, as scripts do run.
_TEXT = frozenset(
    ("script", "style", "textarea", "title", "noscript", "iframe", "noembed", "noframes", "xmp")
)
_INERT = "template"  # its content is a document of its own, which loads nothing


@dataclass(frozen=True)
class Tag:
    """A start tag: its name in lower case, its attributes (the first of a name counts)."""

    name: str
    attributes: Mapping[str, str]


def tags(page: str) -> Iterator[Tag]:
    """Yield the start tags in force: not those in comments, in text and in templates."""
    at, inert = 0, 0
    while (at := page.find("<", at)) >= 0:
        if page.startswith("<!--", at):
            at = _behind(page, "-->", at + 4)
        elif page.startswith(("<!", "<?"), at):
            at = _behind(page, ">", at)
        elif name := _NAME.match(page, at + 2 if page.startswith("</", at) else at + 1):
            closes = page.startswith("</", at)
            attributes, at = _attributes(page, name.end())
            word = name[0].lower()
            if word == _INERT:
                inert = max(0, inert + (-1 if closes else 1))
            elif not closes and at < len(page) + 1:
                if not inert:
                    yield Tag(word, attributes)
                if word in _TEXT:
                    at = _end_of_text(page, word, at)
        else:
            at += 1


def _behind(page: str, mark: str, at: int) -> int:
    """Return the place behind the next mark, or behind the page where there is none."""
    found = page.find(mark, at)
    return len(page) if found < 0 else found + len(mark)


def _end_of_text(page: str, name: str, at: int) -> int:
    found = re.compile(f"</{name}(?=[ \t\n\r\f/>])", re.IGNORECASE).search(page, at)
    return found.start() if found else len(page)


def _attributes(page: str, at: int) -> tuple[dict[str, str], int]:
    """Read the attributes of a tag; return them and the place behind its end.

    A tag that does not end is dropped, as browsers do: the place is then far behind the page.
    """
    found: dict[str, str] = {}
    never = 2 * len(page) + 2
    while True:
        at = _skip(_GAP, page, at)
        if at >= len(page):
            return found, never
        if page[at] == ">":
            return found, at + 1
        name = _ATTRIBUTE.match(page, at)
        # A stray "=" begins a name of its own.
        at = name.end() if name else at + 1
        value, at = _value(page, at)
        if at > len(page):
            return found, never
        if name and name[0].lower() not in found:
            found[name[0].lower()] = html.unescape(value)


def _value(page: str, at: int) -> tuple[str, int]:
    """Read what an attribute is set to; return it and the place behind it."""
    equals = at
    while equals < len(page) and page[equals] in _SPACE:
        equals += 1
    if not page.startswith("=", equals):
        return "", at
    begin = equals + 1
    while begin < len(page) and page[begin] in _SPACE:
        begin += 1
    if page[begin : begin + 1] in {'"', "'"}:
        end = page.find(page[begin], begin + 1)
        return (page[begin + 1 : end], end + 1) if end >= 0 else ("", len(page) + 1)
    end = _skip(_BARE, page, begin)
    return page[begin:end], end


def _skip(pattern: re.Pattern[str], page: str, at: int) -> int:
    found = pattern.match(page, at)
    return found.end() if found else at
