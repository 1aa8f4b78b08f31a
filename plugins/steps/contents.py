"""Steps that change what is in a file; what was in it stays in the run's quarantine."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, field
from typing import ClassVar

from plugins.hands import content, files
from plugins.shell import line, quoted
from plugins.steps.places import Move
from plugins.steps.step import Hands, OnFile, Refusal, Step


@dataclass(frozen=True)
class _NewContent(OnFile):
    """A step that puts other content at its path; what stood there stays in the slot."""

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        if self.state(hands)["kind"] == "absent":
            return (Move(self.path, hands.slot),)
        return (Restore(self.path, hands.slot),)

    def _kept(self, hands: Hands) -> None:
        self.ask(hands)
        hands.use(files.keep, self.path, hands.slot, hands.folders())


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
class Write(_NewContent):
    """Write a file whole: a temporary beside it, synced, then renamed over."""

    content: bytes = field(repr=False)
    mode: int

    def take(self, hands: Hands) -> None:
        """Write it."""
        self._kept(hands)
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
        before, after = (
            text.decode("utf-8", "replace").splitlines() for text in (now, self.content)
        )
        return tuple(difflib.unified_diff(before, after, self.path, self.path, lineterm="", n=2))

    def __str__(self) -> str:
        temporary = f"{self.path}.new"
        return (
            f"(umask 077; printf %s {quoted(self.content)} > {quoted(temporary)})"
            f" && {line('chmod', f'{self.mode:o}', '--', temporary)}"
            f" && {line('mv', '--', temporary, self.path)}"
        )


@dataclass(frozen=True)
class Copy(_NewContent):
    """Copy a file, with its mode and times, to a path; in one rename."""

    source: str

    def take(self, hands: Hands) -> None:
        """Copy it; the copy is compared before it counts."""
        self._kept(hands)
        folders = [*hands.folders(), os.path.dirname(self.source)]
        hands.use(files.copy, self.source, self.path, folders)

    def __str__(self) -> str:
        return line("cp", "-p", "--", self.source, self.path)


@dataclass(frozen=True)
class DropLines(_NewContent):
    """Rewrite a file without some of its lines (numbers from 1); every other byte stays."""

    lines: tuple[int, ...]

    def take(self, hands: Hands) -> None:
        """Rewrite it; the original stays in the slot."""
        self._kept(hands)
        hands.use(content.drop_lines, self.path, hands.folders(), list(self.lines))

    def __str__(self) -> str:
        script = ";".join(f"{number}d" for number in self.lines)
        temporary = f"{self.path}.new"
        return (
            f"cp -p -- {quoted(self.path)} {quoted(temporary)}"
            f" && LC_ALL=C sed -e {quoted(script)} -- {quoted(self.path)} > {quoted(temporary)}"
            f' && mv -n -- {quoted(self.path)} "$(mktemp -d)/"'
            f" && {line('mv', '--', temporary, self.path)}"
        )


@dataclass(frozen=True)
class Link(OnFile):
    """Make a symbolic link, or replace one, in one rename."""

    target: str
    links: ClassVar[bool] = True

    def take(self, hands: Hands) -> None:
        """Make it; refused when something that is no link stands there."""
        self.ask(hands)
        if self.state(hands)["kind"] not in {"absent", "link"}:
            raise Refusal(f"{self.path}: it is no symbolic link")
        hands.use(content.link, self.path, hands.folders(), self.target)

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that gives the former link back, or takes the new one away."""
        former = self.state(hands)
        if former["kind"] == "link":
            return (Link(self.path, str(former["content"])),)
        return (Move(self.path, hands.slot),)

    def __str__(self) -> str:
        return line("ln", "-sfn", "--", self.target, self.path)


@dataclass(frozen=True)
class Gzip(OnFile):
    """Compress a file to PATH.gz; compared to the last byte before the plain one goes."""

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
