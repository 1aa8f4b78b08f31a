"""The scripts and styles that a page needs, and what is wrong with one that was fetched."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from plugins import printable
from plugins.endpoints.http import Answer
from plugins.endpoints.markup import Tag, tags

SCRIPT, STYLE = "script", "style"
_SCRIPTS = {
    "application/ecmascript",
    "application/javascript",
    "application/x-ecmascript",
    "application/x-javascript",
    "text/ecmascript",
    "text/javascript",
    "text/x-ecmascript",
    "text/x-javascript",
}
_TYPES = {SCRIPT: _SCRIPTS, STYLE: {"text/css"}}
_STRENGTH = ("sha256", "sha384", "sha512")


@dataclass(frozen=True)
class Link:
    """A script or style that a page needs.

    Args:
        kind: `SCRIPT` or `STYLE`.
        url: absolute, without a fragment; "" where what is written is no URL.
        written: as it stands in the page.
        integrity: the digests that its content must have one of.
        same_origin: whether the page's own server has it.
    """

    kind: str
    url: str
    written: str
    integrity: str
    same_origin: bool


def links_of(page: str, url: str) -> Iterator[Link]:
    """Yield what the page at a URL needs; what it holds itself (data:, blob:) is left out."""
    below = url
    based = False
    for tag in tags(page):
        if tag.name == "base" and not based and "href" in tag.attributes:
            below, based = _joined(url, tag.attributes["href"]) or url, True
            continue
        kind, written = _need(tag)
        if not kind:
            continue
        there = _joined(below, written)
        if there.partition(":")[0] in {"data", "blob", "javascript"}:
            continue
        integrity = tag.attributes.get("integrity", "")
        yield Link(kind, there, written, integrity, _origin(there) == _origin(url))


def _need(tag: Tag) -> tuple[str, str]:
    """Return the kind of what a tag loads, and where it is; ("", "") where it loads neither."""
    told = tag.attributes
    if tag.name == "script" and told.get("src", "").strip():
        kind = told.get("type", "").partition(";")[0].strip().lower()
        runs = (kind in {"", "module"} or kind in _SCRIPTS) and "nomodule" not in told
        return (SCRIPT, told["src"].strip()) if runs else ("", "")
    if tag.name == "link" and told.get("href", "").strip():
        words = set(told.get("rel", "").lower().split())
        if "stylesheet" in words and "alternate" not in words and "disabled" not in told:
            return STYLE, told["href"].strip()
        if "modulepreload" in words:
            return SCRIPT, told["href"].strip()
    return "", ""


def _joined(base: str, written: str) -> str:
    try:
        return urljoin(base, written).partition("#")[0]
    except ValueError:
        return ""


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        usual = {"http": 80, "https": 443}.get(parts.scheme)
        return parts.scheme, (parts.hostname or "").lower(), parts.port or usual
    except ValueError:
        return "", url, None


def fault_of(link: Link, answer: Answer) -> str:
    """Return why a browser would not use what was answered, "" where it would."""
    what = printable(link.written, 120)
    if answer.status != 200:
        return f"{what} is answered with HTTP {answer.status}"
    if answer.content_type not in _TYPES[link.kind]:
        kind = printable(answer.content_type, 60) or "no type"
        if answer.content_type == "text/html":
            return f"{what} is not there: the page itself comes in its place ({kind})"
        return f"{what} comes as {kind}, not as a {link.kind}"
    if link.kind == SCRIPT and not answer.body.strip():
        return f"{what} is empty"
    if not _is_whole(link.integrity, answer.body):
        return f"{what} is not what its integrity says"
    return ""


def _is_whole(integrity: str, content: bytes) -> bool:
    """Whether the content has one of the digests of the strongest kind that is given."""
    given: dict[str, list[str]] = {}
    for word in integrity.split():
        name, _, digest = word.partition("?")[0].partition("-")
        given.setdefault(name.lower(), []).append(digest)
    known = [name for name in _STRENGTH if name in given]
    if not known:
        return True
    made = base64.b64encode(hashlib.new(known[-1], content).digest()).decode()
    return any(made.rstrip("=") == digest.rstrip("=") for digest in given[known[-1]])
