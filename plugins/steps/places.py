"""Steps that move things and set who may use them; what is in them stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from plugins.hands import files
from plugins.shell import line, quoted
from plugins.steps.step import Hands, OnFile, Step


@dataclass(frozen=True)
class Chmod(OnFile):
    """Set the permission bits of a file or folder."""

    mode: int
    busy: ClassVar[bool] = True

    def take(self, hands: Hands) -> None:
        """Set them."""
        self.ask(hands)
        hands.use(files.chmod, self.path, hands.folders(), self.mode, self.seen)

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that gives the former bits back."""
        mode = self.state(hands).get("mode")
        return (Chmod(self.path, mode),) if isinstance(mode, int) else ()

    def __str__(self) -> str:
        return line("chmod", f"{self.mode:o}", "--", self.path)


@dataclass(frozen=True)
class Chown(OnFile):
    """Set the owner (numbers) of a file or folder."""

    uid: int
    gid: int
    busy: ClassVar[bool] = True

    def take(self, hands: Hands) -> None:
        """Set it."""
        self.ask(hands)
        hands.use(files.chown, self.path, hands.folders(), self.uid, self.gid, self.seen)

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that gives the file back to its former owner."""
        found = self.state(hands)
        owner, mode = found.get("owner"), found.get("mode")
        if not isinstance(owner, list) or not isinstance(mode, int):
            return ()
        back = Chown(self.path, owner[0], owner[1])
        # A change of owner takes set-id bits away; a link has no bits to give back.
        return (back, Chmod(self.path, mode)) if mode & 0o7000 else (back,)

    def __str__(self) -> str:
        return line("chown", "-h", f"{self.uid}:{self.gid}", "--", self.path)


@dataclass(frozen=True)
class Mkdir(OnFile):
    """Make one folder."""

    mode: int = 0o700

    def take(self, hands: Hands) -> None:
        """Make it; refused when something stands there."""
        self.ask(hands)
        hands.use(files.mkdir, self.path, hands.folders(), self.mode)

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that removes it if it is still empty."""
        del hands
        return (RemoveEmpty(self.path),)

    def __str__(self) -> str:
        return line("mkdir", "-m", f"{self.mode:o}", "--", self.path)


@dataclass(frozen=True)
class RemoveEmpty(OnFile):
    """Remove a folder that a step made, if nothing was put into it."""

    def take(self, hands: Hands) -> None:
        """Remove it."""
        self.ask(hands)
        hands.use(files.rmdir, self.path, hands.folders())

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that makes it again."""
        mode = self.state(hands).get("mode")
        return (Mkdir(self.path, mode),) if isinstance(mode, int) else ()

    def __str__(self) -> str:
        return line("rmdir", "--", self.path)


@dataclass(frozen=True)
class Move(OnFile):
    """Rename a file, folder or link; never over something."""

    target: str
    links: ClassVar[bool] = True

    @property
    def targets(self) -> tuple[str, ...]:
        """Both names."""
        return (self.path, self.target)

    def take(self, hands: Hands) -> None:
        """Rename it."""
        self.ask(hands)
        hands.use(files.move, self.path, self.target, hands.folders())

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the way back."""
        del hands
        return (Move(self.target, self.path),)

    def __str__(self) -> str:
        return line("mv", "-n", "--", self.path, self.target)


@dataclass(frozen=True)
class Quarantine(OnFile):
    """Move something out of the way, into the run's quarantine; nothing is ever deleted."""

    links: ClassVar[bool] = True

    def take(self, hands: Hands) -> None:
        """Move it into the slot."""
        self.ask(hands)
        hands.use(files.move, self.path, hands.slot, hands.folders())

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the way back."""
        return (Move(hands.slot, self.path),)

    def __str__(self) -> str:
        return f'mv -n -- {quoted(self.path)} "$(mktemp -d)/"'
