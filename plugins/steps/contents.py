"""Steps that change what is in a file; what was in it stays in the run's quarantine."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, field
from typing import ClassVar

from plugins.hands import content, files
from plugins.redaction import redact
from plugins.shell import line, printed, quoted
from plugins.steps.places import Move
from plugins.steps.step import Hands, OnFile, Refusal, Step

_FIRST, _SHOWN = 20, 200  # lines, and characters of each, that a plan shows of what goes


@dataclass(frozen=True)
class NewContent(OnFile):
    """A step that puts other content at its path; what stood there stays in the slot."""

    plain: ClassVar[bool] = True

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that gives the former content back, or takes the new one away."""
        if self.state(hands)["kind"] == "absent":
            return (Move(self.path, hands.slot),)
        return (Restore(self.path, hands.slot),)

    def take(self, hands: Hands) -> None:
        """Keep what stands there, and put the new content in its place."""
        self.ask(hands)
        hands.use(files.keep, self.path, hands.slot, hands.folders())
        try:
            self.put(hands)
        except Refusal:
            hands.use(files.let_go, self.path, hands.slot, hands.folders())
            raise

    def put(self, hands: Hands) -> None:
        """Put the new content there, in one rename."""
        raise NotImplementedError


@dataclass(frozen=True)
class Restore(OnFile):
    """Put back what a slot kept; what stands there now stays beside the slot."""

    kept: str
    links: ClassVar[bool] = True

    def take(self, hands: Hands) -> None:
        """Put it back."""
        self.ask(hands)
        aside = f"{self.kept}.undone"
        folders = [*hands.folders(), os.path.dirname(self.kept)]
        hands.use(files.restore, self.path, self.kept, aside, folders)

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return nothing: what an undo put aside is kept, and shown by its path."""
        del hands
        return ()

    def __str__(self) -> str:
        return line("mv", "--", self.kept, self.path)


@dataclass(frozen=True)
class Write(NewContent):
    """Write a file whole: a temporary beside it, synced, then renamed over."""

    content: bytes = field(repr=False)
    mode: int

    @property
    def brief(self) -> str:
        """What is written where, without what."""
        return f"write {len(self.content)} bytes to {quoted(self.path)}"

    def put(self, hands: Hands) -> None:
        """Write it."""
        text = self.content.decode("latin-1")
        hands.use(content.write, self.path, hands.folders(), text, self.mode)

    def difference(self, hands: Hands) -> tuple[str, ...]:
        """Return the unified diff against what stands there now (up to 1 MiB of it)."""
        from plugins.endpoints.filesystem import Filesystem
        from plugins.outcomes import NoFact

        try:
            now = Filesystem(hands.host).read(self.path)
        except NoFact:
            now = b""
        # A secret of many lines is known by its first one only, which a diff may leave out.
        before, after = (
            redact(text.decode("utf-8", "replace")).splitlines() for text in (now, self.content)
        )
        lines = difflib.unified_diff(before, after, self.path, self.path, lineterm="", n=2)
        return tuple(lines) or ("what changes is masked, or no text",) * (now != self.content)

    def __str__(self) -> str:
        # mktemp: a name that nobody can have laid a link at. cp: for the owner of what was there.
        return (
            f"new=$(mktemp {quoted(f'{self.path}.XXXXXX')})"
            f' && {{ [ ! -e {quoted(self.path)} ] || cp -p -- {quoted(self.path)} "$new"; }}'
            f' && {printed(self.content)} > "$new" && chmod {self.mode:o} "$new"'
            f' && mv -- "$new" {quoted(self.path)}'
        )


@dataclass(frozen=True)
class FreshSecret(NewContent):
    """Set a variable of a .env file to a secret that is made up while it is written.

    It stands in no plan and no journal, and is shown to nobody; the file is its owner's alone.
    """

    name: str

    def put(self, hands: Hands) -> None:
        """Write it."""
        hands.use(content.fresh_secret, self.path, hands.folders(), self.name)

    def __str__(self) -> str:
        path, name = quoted(self.path), self.name
        there = f"[ ! -e {path} ] ||"
        others = rf"/^[[:space:]]*(export[[:space:]]+)?{name}[[:space:]]*[=]/d"
        return (
            f"new=$(mktemp {quoted(f'{self.path}.XXXXXX')})"
            f' && {{ {there} cp -p -- {path} "$new"; }}'
            f" && {{ {there} sed -E {quoted(others)} -- {path};"
            f' printf \'%s=%s\\n\' {name} "$(openssl rand -base64 32)"; }} > "$new"'
            f' && chmod u-x,g-wx,o-rwx "$new" && mv -- "$new" {path}'
        )


@dataclass(frozen=True)
class Copy(NewContent):
    """Copy a file, with its mode and times, to a path; in one rename."""

    source: str

    def put(self, hands: Hands) -> None:
        """Copy it; the copy is compared before it counts."""
        folders = [*hands.folders(), os.path.dirname(self.source)]
        hands.use(files.copy, self.source, self.path, folders)

    def __str__(self) -> str:
        return line("cp", "-p", "--", self.source, self.path)


@dataclass(frozen=True)
class DropLines(NewContent):
    """Rewrite a file without some of its lines (numbers from 1); every other byte stays."""

    lines: tuple[int, ...]

    @property
    def brief(self) -> str:
        """How many lines go, and from where."""
        many = "1 line" if len(self.lines) == 1 else f"{len(self.lines)} lines"
        return f"take {many} out of {quoted(self.path)}"

    def put(self, hands: Hands) -> None:
        """Rewrite it; the original stays in the slot."""
        hands.use(content.drop_lines, self.path, hands.folders(), list(self.lines))

    def difference(self, hands: Hands) -> tuple[str, ...]:
        """Return the lines that go, as a diff has them; none of a file of more than 1 MiB."""
        from plugins.endpoints.filesystem import Filesystem
        from plugins.outcomes import NoFact

        try:
            text = Filesystem(hands.host).read(self.path)
        except NoFact:
            return ()
        now = redact(text.decode("utf-8", "replace")).split("\n")
        going = [number for number in sorted(set(self.lines)) if number <= len(now)]
        gone = [f"-{now[number - 1][:_SHOWN]}" for number in going[:_FIRST]]
        more = len(going) - len(gone)
        head = (f"--- {self.path}", f"+++ {self.path}", f"@@ {_script(self.lines)} @@")
        return (*head, *gone, *([f"and {more} lines more"] if more else []))

    def __str__(self) -> str:
        path = quoted(self.path)
        return (
            f'new=$(mktemp {quoted(f"{self.path}.XXXXXX")}) && cp -p -- {path} "$new"'
            f' && LC_ALL=C sed -e {quoted(_script(self.lines))} -- {path} > "$new"'
            f' && cp -p -- {path} "$(mktemp -d)/" && mv -- "$new" {path}'
        )


def _script(lines: tuple[int, ...]) -> str:
    """Return sed's words for dropping these lines; neighbours are named by a range."""
    spans: list[list[int]] = []
    for number in sorted(set(lines)):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ";".join(f"{a}d" if a == b else f"{a},{b}d" for a, b in spans)


@dataclass(frozen=True)
class Link(NewContent):
    """Make a symbolic link, or replace one, in one rename."""

    target: str
    links: ClassVar[bool] = True
    plain: ClassVar[bool] = False

    def take(self, hands: Hands) -> None:
        """Make it; refused when something that is no link stands there."""
        if self.state(hands)["kind"] not in {"absent", "link"}:
            raise Refusal(f"{self.path}: it is no symbolic link")
        super().take(hands)

    def put(self, hands: Hands) -> None:
        """Make it."""
        hands.use(content.link, self.path, hands.folders(), self.target)

    def __str__(self) -> str:
        return line("ln", "-sfn", "--", self.target, self.path)


@dataclass(frozen=True)
class Gzip(OnFile):
    """Compress a file to PATH.gz; compared to the last byte before the plain one goes."""

    plain: ClassVar[bool] = True

    @property
    def targets(self) -> tuple[str, ...]:
        """Both names."""
        return (self.path, f"{self.path}.gz")

    def take(self, hands: Hands) -> None:
        """Compress it."""
        self.ask(hands)
        hands.use(content.pack, self.path, hands.folders())

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that unpacks it again."""
        del hands
        return (Gunzip(self.path),)

    def __str__(self) -> str:
        return line("gzip", "--", self.path)


@dataclass(frozen=True)
class Gunzip(OnFile):
    """Decompress PATH.gz to PATH."""

    def take(self, hands: Hands) -> None:
        """Decompress it."""
        hands.use(content.unpack, self.path, hands.folders())

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that packs it again."""
        del hands
        return (Gzip(self.path),)

    def __str__(self) -> str:
        return line("gunzip", "--", f"{self.path}.gz")
