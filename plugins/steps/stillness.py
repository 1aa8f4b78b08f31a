"""A step that does nothing but refuse, where what the next ones touch is being written."""

from __future__ import annotations

from dataclasses import dataclass

from plugins.eyes import folder_prints, held
from plugins.outcomes import NoFact
from plugins.shell import quoted
from plugins.steps.programs import OnProgram
from plugins.steps.step import Hands, Refusal, Step


@dataclass(frozen=True)
class Still(OnProgram):
    """Go on only while nobody writes below a folder.

    Args:
        path: the folder.
        program: what writes there, in a word or two.
        wanted: the folders below it of which the print is; () for none.
        print: as the probe saw it; "" when only writers are looked for.
    """

    path: str
    program: str
    wanted: tuple[tuple[object, ...], ...] = ()
    print: str = ""

    @property
    def brief(self) -> str:
        """What it looks for, without how."""
        return f"go on only while {self.program} writes nothing in {quoted(self.path)}"

    def take(self, hands: Hands) -> None:
        """Refuse when a process holds something there open for writing, or anything changed."""
        try:
            writers = hands.host.call(held.writers_below, self.path, deadline=30.0)
            rows = [list(one) for one in self.wanted]
            # The order counts: who opened a file after the first look changes it before the second.
            now = hands.host.call(folder_prints.print_of, self.path, rows, deadline=60.0)
        except (OSError, NoFact) as why:
            raise Refusal(f"{self.path}: {why}") from None
        if writers:
            raise Refusal(
                f"{self.program} is writing {self.path} (process {writers[0]}): stop it first"
            )
        if self.print and now != self.print:
            raise Refusal(
                f"{self.program} is writing {self.path} (it changed since it was looked at):"
                " stop it first"
            )

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return what does nothing, as nothing was done."""
        del hands
        return (Passed(self.path),)

    def __str__(self) -> str:
        # The mode of the link tells how the file is open: `l-wx` or `lrwx`.
        inside = f"-> {self.path.rstrip('/')}/"
        return (
            "if ls -l /proc/[0-9]*/fd 2>/dev/null | grep '^l.w' |"
            f" grep -qF -- {quoted(inside)};"
            f" then echo {quoted(f'{self.program} is writing {self.path}: stop it first')} >&2;"
            " false; fi"
        )


@dataclass(frozen=True)
class Passed(OnProgram):
    """Nothing: how a step that did nothing is taken back.

    Args:
        path: what it looked at.
    """

    path: str

    def take(self, hands: Hands) -> None:
        """Do nothing."""
        del hands

    def __str__(self) -> str:
        return "true"
