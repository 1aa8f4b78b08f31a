"""A step that changes some words of a file and leaves every other byte alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from plugins.endpoints.filesystem import Filesystem
from plugins.hands import content
from plugins.outcomes import NoFact
from plugins.redaction import redact
from plugins.shell import quoted
from plugins.steps.contents import NewContent
from plugins.steps.step import Hands, Refusal

_LIMIT = 64 << 20


@dataclass(frozen=True)
class Word:
    """Some bytes that stand in a file, and what is to stand there.

    Args:
        start: where they begin, in bytes from the start of the file.
        old: the bytes that stand there, in one line.
        new: the bytes to put there.
        line: the number of their line, from 1.
        number: which of these words in its line they are, as sed counts; 0 where sed sees none.
    """

    start: int
    old: bytes = field(repr=False)
    new: bytes = field(repr=False)
    line: int
    number: int

    @classmethod
    def at(cls, start: int, old: bytes, new: bytes, text: bytes) -> Word:
        """Return the word that stands at a place of a text."""
        begins = text.rfind(b"\n", 0, start) + 1
        line = text.count(b"\n", 0, begins) + 1
        return cls(start, old, new, line, _occurrence(text[begins : start + len(old)], old))


def _occurrence(line: bytes, word: bytes) -> int:
    """Return which of the words in a line its last one is.

    sed goes from the left and lets no two overlap: a word that begins within another of its kind is
    none.
    """
    number = at = 0
    while (found := line.find(word, at)) >= 0:
        number, at = number + 1, found + len(word)
    return number if at == len(line) else 0


@dataclass(frozen=True)
class Substitute(NewContent):
    """Put other words in the place of some in a file of up to 64 MiB.

    No other byte of the file stands in the plan, in the difference or in the journal: a
    configuration that holds secrets can be mended without showing any.
    """

    words: tuple[Word, ...] = field(repr=False)
    mode: int

    @property
    def brief(self) -> str:
        """How many words change, and where."""
        many = "1 word" if len(self.words) == 1 else f"{len(self.words)} words"
        return f"change {many} in {quoted(self.path)}"

    def put(self, hands: Hands) -> None:
        """Change them; refused when one of them stands there no more."""
        try:
            text = Filesystem(hands.host).read(self.path, _LIMIT)
        except NoFact as why:
            raise Refusal(str(why)) from None
        for word in sorted(self.words, key=lambda one: -one.start):
            end = word.start + len(word.old)
            if text[word.start : end] != word.old:
                raise Refusal(f"{self.path}: it was changed since it was looked at")
            text = text[: word.start] + word.new + text[end:]
        where = hands.folders()
        hands.use(content.write, self.path, where, text.decode("latin-1"), self.mode)

    def difference(self, hands: Hands) -> tuple[str, ...]:
        """Return the words that change, as lines of a diff."""
        del hands
        lines = [f"--- {self.path}", f"+++ {self.path}"]
        for word in self.words:
            old, new = (redact(part.decode("utf-8", "replace")) for part in (word.old, word.new))
            lines += [f"@@ line {word.line}, a part of it @@", f"-{old}", f"+{new}"]
        return tuple(lines)

    def __str__(self) -> str:
        path = quoted(self.path)
        return (
            f'new=$(mktemp {quoted(f"{self.path}.XXXXXX")}) && cp -p -- {path} "$new"'
            f' && LC_ALL=C sed {self._script()} -- {path} > "$new" && mv -- "$new" {path}'
        )

    def _script(self) -> str:
        """Return sed's commands, the last word first: what stands before it keeps its number."""
        parts = []
        for word in sorted(self.words, key=lambda one: -one.start):
            old = re.sub(rb"([][\\.*^$|])", rb"\\\1", word.old)
            new = re.sub(rb"([\\&|])", rb"\\\1", word.new)
            parts.append(f"-e {quoted(b'%ds|%s|%s|%d' % (word.line, old, new, word.number))}")
        return " ".join(parts)
