"""Paths of MCP servers: the host's, the container's, and the words that turn one into the other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from healthchecks.claude_docker.documents import Server, servers
from healthchecks.claude_docker.literals import Literal, literals
from plugins.documents import Document
from plugins.steps import Word

Change = tuple[int, int, str]

# At the start a user's name may have blanks; elsewhere a path ends where another word begins.
_AT_START = re.compile(r"/(?:Users|home)/[^/:;,\"]+(?:/|\Z)")
_WITHIN = re.compile(
    r"(?:(?<=file://)|(?<![A-Za-z0-9_./~}-]))/(?:Users|home)/[^/\s:;,=\"'`|&<>()]+"
    r"(?=[/\s:;,\"']|\Z)/?"
)
# In user@host:/home/… the path is another machine's.
_REMOTE = re.compile(r"[\w.-]+@[\w.-]+:\Z")


@dataclass(frozen=True)
class Spelled:
    """A text of an MCP server: its command, one of its arguments, or one of its variables.

    Args:
        server: whose it is.
        part: "command", "args[2]" or "env.NAME".
        literal: where it stands in the file.
    """

    server: Server
    part: str
    literal: Literal

    @property
    def key(self) -> tuple[str | int, ...]:
        """The keys that lead to it."""
        return self.literal.path

    def __str__(self) -> str:
        scope = "" if self.server.scope == ("mcpServers",) else f" ({'.'.join(self.server.scope)})"
        return f"{self.server.name}{scope}: {self.part}"


def spelled(found: Document) -> Iterator[Spelled]:
    """Yield the texts of all MCP servers of a configuration that may hold paths of this machine."""
    known = {(*one.scope, one.name): one for one in servers(found.value) if not one.elsewhere}
    for literal in literals(found.text):
        for depth in (2, 3, 4):
            server = known.get(tuple(map(str, literal.path[:depth])))
            part = _part(literal.path[depth:]) if server else ""
            if server and part:
                yield Spelled(server, part, literal)


def _part(rest: tuple[str | int, ...]) -> str:
    match rest:
        case ("command",):
            return "command"
        case ("args", int(number)):
            return f"args[{number}]"
        case ("env", str(name)):
            return f"env.{name}"
    return ""


def host_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where a text names a home folder of the host, each with the slash behind it."""
    at = 0
    first = _AT_START.match(text)
    if first:
        yield first.span()
        at = first.end()
    for found in _WITHIN.finditer(text, at):
        if not _REMOTE.search(text, max(0, found.start() - 300), found.start()):
            yield found.span()


def inward(text: str, workspace: str) -> list[Change]:
    """Return the changes that put the container's path in the place of the host's home folders."""
    return [
        (start, end, workspace + ("/" if text[end - 1] == "/" else ""))
        for start, end in host_spans(text)
    ]


def changed(text: str, changes: list[Change]) -> str:
    """Return a text with changes made to it."""
    for start, end, new in reversed(changes):
        text = text[:start] + new + text[end:]
    return text


@dataclass(frozen=True)
class Misplaced:
    """A text with paths of the other side.

    Args:
        where: of which server and part, for people.
        paths: the beginnings of the paths.
        words: what to change in the file; () where that is not known.
    """

    where: str
    paths: tuple[str, ...]
    words: tuple[Word, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return f"{self.where} has {', '.join(self.paths)}"


def words_for(text: bytes, literal: Literal, changes: list[Change]) -> tuple[Word, ...]:
    """Return the words that change parts of a literal; the fewest bytes that will do.

    Args:
        text: of the file.
        literal: a string of it.
        changes: (start, end, new text) in the string's value, from the left.
    """
    value = literal.value
    plain = literal.raw[1:-1] == value.encode("utf-8", "surrogatepass")
    if plain and all(json.dumps(new)[1:-1] == new for _, _, new in changes):
        words = tuple(
            Word.at(
                literal.start + 1 + len(value[:start].encode()),
                value[start:end].encode(),
                new.encode(),
                text,
            )
            for start, end, new in changes
        )
        if all(word.number for word in words):
            return words
    whole = json.dumps(changed(value, changes), ensure_ascii=literal.raw.isascii()).encode()
    return (Word.at(literal.start, literal.raw, whole, text),)
