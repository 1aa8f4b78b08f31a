"""Steps that put a tree into an archive, and a folder or file of an archive into a tree."""

from __future__ import annotations

import os
from dataclasses import dataclass

from plugins.hands import archives, unpacking
from plugins.shell import line, quoted
from plugins.steps.contents import NewContent
from plugins.steps.places import Move
from plugins.steps.step import Hands, OnFile, Step


@dataclass(frozen=True)
class Archive(OnFile):
    """Archive a folder or file as tar.gz; it counts when it was read back and compared.

    Args:
        path: the archive to make, mode 0600.
        source: the folder or file that it is to hold.
    """

    source: str

    def take(self, hands: Hands) -> None:
        """Make it; refused when something of its name is there."""
        hands.use(archives.pack, self.source, self.path, hands.folders())

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that moves the archive into the quarantine."""
        return (Move(self.path, hands.slot),)

    def __str__(self) -> str:
        above, name = os.path.split(os.path.normpath(self.source))
        packed = line("tar", "-czf", self.path, "-C", above, "--", name)
        return f"(umask 077; {packed}) && {line('tar', '-tzf', self.path)} > /dev/null"


@dataclass(frozen=True)
class Unpack(OnFile):
    """Unpack a folder of an archive in the place of a folder, which stays in the slot.

    Args:
        path: the folder to replace, or to make.
        archive: a tar.gz.
        inner: the folder in the archive, as the archive names it.
        astray: whether symbolic links that lead out of the archive are left out; else it is
            refused for them.
    """

    archive: str
    inner: str
    astray: bool = False

    def take(self, hands: Hands) -> None:
        """Unpack it beside, then exchange the two; refused when a member would lead outside."""
        self.ask(hands)
        args = (self.path, self.archive, self.inner, hands.slot, hands.folders())
        hands.use(unpacking.unpack, *args, self.astray)

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the steps that put the former folder back; the unpacked one stays beside it."""
        if self.state(hands)["kind"] == "absent":
            return (Move(self.path, hands.slot),)
        return (Move(self.path, f"{hands.slot}.undone"), Move(hands.slot, self.path))

    def __str__(self) -> str:
        new, path = f"{self.path}.new", quoted(self.path)
        unpacked = os.path.join(new, os.path.normpath(self.inner))
        above = os.path.dirname(new)
        empty = os.path.relpath(os.path.dirname(unpacked), above)
        return (
            f"(umask 077; {line('mkdir', '--', new)})"
            f" && {line('tar', '-xzf', self.archive, '-C', new, '--', self.inner)}"
            f' && if [ -e {path} ]; then mv -n -- {path} "$(mktemp -d)/"; fi'
            f" && {line('mv', '--', unpacked, self.path)}"
            f" && (cd {quoted(above)} && {line('rmdir', '-p', '--', empty)})"
        )


@dataclass(frozen=True)
class TakeFrom(NewContent):
    """Put a file of an archive in the place of a file, in one rename; its hash must be as told.

    Args:
        path: the file to replace, or to make, mode 0600.
        archive: a tar.gz.
        member: the file in it, as the archive names it.
        sha256: of its content, in hexadecimal.
    """

    archive: str
    member: str
    sha256: str

    def put(self, hands: Hands) -> None:
        """Write it."""
        args = (self.path, self.archive, self.member, self.sha256, hands.folders())
        hands.use(unpacking.take_from, *args)

    def __str__(self) -> str:
        path = quoted(self.path)
        taken = line("tar", "-xzOf", self.archive, "--", self.member)
        return (
            f'new=$(mktemp {quoted(f"{self.path}.XXXXXX")}) && {taken} > "$new"'
            f' && {{ [ ! -e {path} ] || mv -n -- {path} "$(mktemp -d)/"; }}'
            f' && mv -- "$new" {path}'
        )
