"""Steps that copy what another program keeps appending to, and that thin such copies."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from plugins.hands import copying
from plugins.outcomes import NoFact
from plugins.shell import line, quoted
from plugins.steps.step import Hands, OnFile, Refusal, Step


@dataclass(frozen=True)
class Taken:
    """One copy to take.

    Args:
        path: the copy.
        source: the original, which is only read; it may lie outside the roots.
        within: the folder of the original, below which no link is followed.
        start: bytes that the copy has already, -1 where there is none.
        seen: the copy's identity as the probe saw it, "" where there is none.
    """

    path: str
    source: str
    within: str
    start: int = -1
    seen: str = ""

    def __str__(self) -> str:
        if self.start >= 0:
            tail = line("tail", "-c", f"+{self.start + 1}", "--", self.source)
            return f"{tail} >> {quoted(self.path)} && {line('touch', '-r', self.source, self.path)}"
        # mktemp: a name that nobody can have laid a link at.
        return (
            f'{_new(self.path)} && cp -p -- {quoted(self.source)} "$new"'
            f' && chmod 600 "$new" && mv -n -- "$new" {quoted(self.path)}'
        )


def _new(path: str) -> str:
    return f"new=$(mktemp {quoted(f'{path}.XXXXXX')})"


@dataclass(frozen=True)
class TakeCopies:
    """Take copies, or append to them; one that cannot be had does not keep the others back.

    Args:
        copies: the copies.
        telling: refuse the step when one was not to be had, though the others are there by then.
    """

    copies: tuple[Taken, ...]
    telling: bool = False
    light: ClassVar[bool] = True
    adds: ClassVar[bool] = True

    @property
    def targets(self) -> tuple[str, ...]:
        """The copies."""
        return tuple(one.path for one in self.copies)

    @property
    def brief(self) -> str:
        """How many, and the first of them."""
        many = "1 copy" if len(self.copies) == 1 else f"{len(self.copies)} copies"
        return f"take {many}: {quoted(self.copies[0].path)}" if self.copies else "take no copy"

    def take(self, hands: Hands) -> None:
        """Take them; refused when none of them can be had."""
        rows = [list(dataclasses.astuple(one)) for one in self.copies]
        hands.use(copying.take, rows, hands.folders(), self.telling)

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that moves new copies away, and cuts off what was appended."""
        return (_back(self.targets, hands),)

    def difference(self, hands: Hands) -> tuple[str, ...]:
        """Return nothing: what a conversation holds is not shown."""
        del hands
        return ()

    def __str__(self) -> str:
        return " && ".join(map(str, self.copies))


def _back(paths: tuple[str, ...], hands: Hands) -> Step:
    try:
        found = hands.host.call(copying.standing, list(paths), hands.folders(), deadline=60.0)
    except (OSError, NoFact) as error:
        raise Refusal(str(error)) from None
    rows = zip(paths, found, strict=True)
    return TakeBackCopies(tuple((path, size, mtime) for path, (size, mtime) in rows))


@dataclass(frozen=True)
class TakeBackCopies:
    """Make copies what they were: (path, its former size or -1 for none, its former mtime in ns).

    What goes is kept in the slot of the step that it takes back.
    """

    copies: tuple[tuple[str, int, int], ...]
    light: ClassVar[bool] = True

    @property
    def targets(self) -> tuple[str, ...]:
        """The copies."""
        return tuple(one[0] for one in self.copies)

    @property
    def brief(self) -> str:
        """How many."""
        return f"take back {len(self.copies)} copies"

    def take(self, hands: Hands) -> None:
        """Take them back."""
        hands.use(
            copying.take_back, [list(one) for one in self.copies], hands.slot, hands.folders()
        )

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return nothing: the original is there to be copied again."""
        del hands
        return ()

    def difference(self, hands: Hands) -> tuple[str, ...]:
        """Return nothing."""
        del hands
        return ()

    def __str__(self) -> str:
        return " && ".join(
            line("truncate", "-s", str(size), "--", path)
            if size >= 0
            else f'mv -n -- {quoted(path)} "$(mktemp -d)/"'
            for path, size, _ in self.copies
        )


@dataclass(frozen=True)
class TakeOut(OnFile):
    """Copy a file out of a container, running or not, or append what it has more than the copy.

    Args:
        container, source: the container's id, and the path in it.
        engine: where the Docker engine is asked.
        start: bytes that the copy has already, -1 where there is none.
        mtime_ns: when the original was last written.
    """

    container: str
    source: str
    engine: str
    mtime_ns: int
    start: int = -1
    light: ClassVar[bool] = True
    busy: ClassVar[bool] = True

    @property
    def brief(self) -> str:
        """What is copied where."""
        return f"copy {quoted(self.source)} of {self.container[:12]} to {quoted(self.path)}"

    def take(self, hands: Hands) -> None:
        """Copy it as the engine hands it out."""
        from plugins.endpoints.docker import Docker

        self.ask(hands)
        if not hands.host.is_local:
            raise Refusal(f"{self.path}: only an engine beside this host's own files can fill it")

        def pour(blocks: Any) -> Any:
            places = (self.path, hands.folders())
            try:
                return copying.take_stream(blocks, *places, self.start, self.mtime_ns)
            except OSError as error:  # the engine's own are of other kinds
                return {"refused": f"{self.path}: {error.strerror or error}"}

        try:
            docker = Docker(hands.host, self.engine)
            answer = docker.read_inside(self.container, self.source, pour)
        except (NoFact, OSError, ValueError) as error:
            raise Refusal(f"{self.path}: {error}") from None
        if "refused" in answer:
            raise Refusal(answer["refused"])

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that moves a new copy away, or cuts off what was appended."""
        return (_back((self.path,), hands),)

    def __str__(self) -> str:
        asked = line("docker", "-H", self.engine, "cp", f"{self.container}:{self.source}")
        known = f' && {line("cmp", "-n", str(self.start), "--", self.path)} "$new"'
        return (
            f'{_new(self.path)} && {asked} "$new" && chmod 600 "$new"'
            f'{known if self.start > 0 else ""} && mv -- "$new" {quoted(self.path)}'
        )


@dataclass(frozen=True)
class LetGo(OnFile):
    """Take away a copy that another file begins with, byte for byte: it holds nothing of its own.

    Args:
        path: the copy.
        longer: the file that begins with it.
        size: bytes of the copy.
    """

    longer: str
    size: int
    light: ClassVar[bool] = True
    plain: ClassVar[bool] = True

    def take(self, hands: Hands) -> None:
        """Compare the two once more, and take it away."""
        self.ask(hands)
        hands.use(copying.let_go, self.path, self.longer, hands.folders())

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that makes it again from the longer one."""
        try:
            status = hands.host.call(copying.looks, self.path, hands.folders())
        except (OSError, NoFact) as error:
            raise Refusal(f"{self.path}: {error}") from None
        return (GiveBackCopy(self.path, self.longer, tuple(status)),)

    def __str__(self) -> str:
        same = line("cmp", "-n", str(self.size), "--", self.path, self.longer)
        return f'{same} && mv -n -- {quoted(self.path)} "$(mktemp -d)/"'


@dataclass(frozen=True)
class GiveBackCopy(OnFile):
    """Make a copy again of what another file begins with.

    Args:
        path: the copy.
        longer: the file.
        looks: size, mode, mtime in ns, uid and gid of the copy.
    """

    longer: str
    looks: tuple[int, ...]
    light: ClassVar[bool] = True

    def take(self, hands: Hands) -> None:
        """Make it; refused when something stands there."""
        self.ask(hands)
        hands.use(copying.give_back, self.path, self.longer, list(self.looks), hands.folders())

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that takes it away again."""
        del hands
        return (LetGo(self.path, self.longer, self.looks[0]),)

    def __str__(self) -> str:
        head = line("head", "-c", str(self.looks[0]), "--", self.longer)
        mode = line("chmod", f"{self.looks[1]:o}", "--", self.path)
        return f"{head} > {quoted(self.path)} && {mode}"
