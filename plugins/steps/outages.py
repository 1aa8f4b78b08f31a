"""Steps of recovery procedures: a server is stopped, cleared up after, and started again.

`Stop` has `Launch` as its inverse and `Launch` has `Ended`: to take a half-done procedure back,
newest step first, is to start the server again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import ClassVar

from plugins.hands import files, outages, tasks, tree
from plugins.outcomes import NoFact
from plugins.shell import quoted
from plugins.steps.programs import OnProgram, Start
from plugins.steps.step import Hands, OnFile, Refusal, Step
from plugins.text import printable

# Plain words, as /bin/sh need not know bash's quoting of the line that is shown.
_BEGIN = """cd -- "$1" && log=$2 && shift 2 && : >> "$log" || exit 126
setsid nohup "$@" >> "$log" 2>&1 < /dev/null &
echo $!"""


@dataclass(frozen=True)
class Launch(OnProgram):
    """Start a server, and see that it does not end at once.

    Args:
        argv: the program and its arguments.
        cwd: the folder that it runs in, empty for ours.
        log: the file that its output is appended to, empty for none.
        env: names and values laid over our environment.
        watched: seconds for which it must not end.
        patience: seconds that it is given to end, when it is taken back.
    """

    argv: tuple[str, ...]
    cwd: str = ""
    log: str = ""
    env: tuple[tuple[str, str], ...] = ()
    watched: float = 2.0
    patience: float = 10.0

    def take(self, hands: Hands) -> None:
        """Start it; refused when it ends again within `watched` seconds."""
        ran = Start(self.argv, self.cwd, self.log, self.env).begin(hands, _BEGIN)
        pid = ran.text.strip()
        if ran.status or not pid.isdigit():
            raise Refusal(f"`{self}` cannot be run: {printable(ran.complaint or 'no word why')}")
        note = _note(hands)
        hands.use(outages.stays, self.argv[0], int(pid), note, self.watched, self.log)

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that ends what was started."""
        return (Ended(_note(hands), self.patience),)

    def __str__(self) -> str:
        return str(Start(self.argv, self.cwd, self.log, self.env))


def _note(hands: Hands) -> str:
    """The file of the run that names the process started last."""
    return os.path.join(os.path.dirname(hands.slot), "launched")


@dataclass(frozen=True)
class Stop(OnProgram):
    """End a process with the group that it leads: SIGTERM, then SIGKILL; one that ended is done.

    Args:
        pid: the process.
        started: the clock tick of its start, so that no later process of that number is hit.
        patience: seconds between SIGTERM and SIGKILL.
        argv: what starts it again when the step is taken back; () when nothing should.
        cwd: the folder that it is started in.
        log: the file that its output is appended to.
        env: names and values laid over our environment.
    """

    pid: int
    started: int
    patience: float = 10.0
    argv: tuple[str, ...] = ()
    cwd: str = ""
    log: str = ""
    env: tuple[tuple[str, str], ...] = ()

    def take(self, hands: Hands) -> None:
        """End it."""
        try:
            runs = hands.host.call(tasks.started, self.pid) == self.started
        except (OSError, NoFact) as why:
            raise Refusal(str(why)) from None
        if runs:
            hands.use(tasks.end_group, self.pid, self.started, self.patience)

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that starts it again."""
        del hands
        return (Launch(self.argv, self.cwd, self.log, self.env),) if self.argv else ()

    def __str__(self) -> str:
        return (
            f"kill -TERM -- -{self.pid} 2>/dev/null || kill -TERM {self.pid} 2>/dev/null || :;"
            f" timeout {self.patience:g} tail --pid={self.pid} -f /dev/null"
            f" || kill -KILL -- -{self.pid} 2>/dev/null || kill -KILL {self.pid}"
        )


@dataclass(frozen=True)
class Ended(OnProgram):
    """End what a `Launch` started last, by the number that it wrote down.

    Args:
        note: the file with that number.
        patience: seconds between SIGTERM and SIGKILL.
    """

    note: str
    patience: float = 10.0

    def take(self, hands: Hands) -> None:
        """End it."""
        hands.use(outages.end_written, self.note, self.patience)

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return nothing: it is an inverse itself."""
        del hands
        return ()

    def __str__(self) -> str:
        return f'kill -TERM "$(cut -d" " -f1 {quoted(self.note)})"'


@dataclass(frozen=True)
class PutAway(OnFile):
    """Move a leftover of a stopped server into the quarantine; one that is gone is done."""

    links: ClassVar[bool] = True

    def take(self, hands: Hands) -> None:
        """Move it."""
        if self.state(hands)["kind"] != "absent":
            self.ask(hands)
            hands.use(files.move, self.path, hands.slot, hands.folders())

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the way back."""
        return (GiveBack(self.path, hands.slot),)

    def __str__(self) -> str:
        path = quoted(self.path)
        return f'if [ -e {path} ] || [ -L {path} ]; then mv -n -- {path} "$(mktemp -d)/"; fi'


@dataclass(frozen=True)
class GiveBack(OnProgram):
    """Move what `PutAway` put into its slot back; nothing, when nothing was there to put."""

    path: str
    slot: str

    def take(self, hands: Hands) -> None:
        """Move it."""
        folders = [*hands.folders(), os.path.dirname(self.slot)]
        try:
            kept = hands.host.call(tree.state, self.slot, folders)
        except (OSError, NoFact) as error:
            raise Refusal(f"{self.slot}: {error}") from None
        if kept["kind"] != "absent":
            hands.use(files.move, self.slot, self.path, folders)

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return nothing: it is an inverse itself."""
        del hands
        return ()

    def __str__(self) -> str:
        return f"mv -n -- {quoted(self.slot)} {quoted(self.path)}"
