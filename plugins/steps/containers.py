"""Steps on containers of a Docker engine."""

from __future__ import annotations

from dataclasses import dataclass

from plugins.outcomes import NoFact
from plugins.shell import line
from plugins.steps.programs import OnProgram
from plugins.steps.step import Hands, Refusal
from plugins.text import printable

_FORMAT = "{{.State.Status}} {{.State.FinishedAt}}"
# The engine writes a time that never was with the year 1.
_NEVER = "0001-"


@dataclass(frozen=True)
class RemoveContainer(OnProgram):
    """Remove a container that ended, by its id; never one that runs, and not its volumes.

    It cannot be taken back: what was written inside the container goes with it.

    Args:
        url: where its engine is asked.
        id: whole.
        state: as the probe saw it: "exited", "created" or "dead".
        finished: the engine's own text of its end, "" when it never began.
    """

    url: str
    id: str
    state: str
    finished: str

    def take(self, hands: Hands) -> None:
        """Remove it; refused when it runs, or ran again since it was looked at."""
        format_ = ("inspect", "--type", "container", "--format", _FORMAT, "--", self.id)
        state, _, finished = self._docker(hands, format_).partition(" ")
        finished = "" if finished.startswith(_NEVER) else finished
        if (state, finished) != (self.state, self.finished):
            raise Refusal(f"container {self.id[:12]} is {printable(state, 20)} by now, and stays")
        # Without --force the engine itself refuses one that was started a moment ago.
        self._docker(hands, ("rm", "--", self.id))

    def _docker(self, hands: Hands, words: tuple[str, ...]) -> str:
        try:
            ran = hands.host.run(("docker", "--host", self.url, *words), deadline=30.0)
        except NoFact as why:
            raise Refusal(str(why)) from None
        if ran.status:
            raise Refusal(f"container {self.id[:12]} stays: {printable(ran.complaint, 200)}")
        return ran.text.strip()

    def __str__(self) -> str:
        return line("docker", "--host", self.url, "rm", "--", self.id)
