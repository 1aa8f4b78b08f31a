"""Steps that start, stop or ask programs."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from plugins.hands import tasks
from plugins.hosts import Ran
from plugins.outcomes import NoFact
from plugins.shell import line, quoted
from plugins.steps.step import Hands, Refusal, Step
from plugins.text import printable

# What is started gets a moment to say that it cannot: the shell itself is content at once. Plain
# words, as /bin/sh need not know bash's quoting of the line that is shown.
_BEGIN = """cd -- "$1" && log=$2 && shift 2 && (: >> "$log") || exit 126
setsid nohup "$@" >> "$log" 2>&1 < /dev/null &
sleep 0.3
kill -0 $! 2> /dev/null || wait $!"""


def _last(said: bytes) -> str:
    last = printable(said.strip().rpartition(b"\n")[2])
    return f": {last}" if last else ""


@dataclass(frozen=True)
class OnProgram:
    """A step without files of its own."""

    @property
    def targets(self) -> tuple[str, ...]:
        """No path tells what became of it."""
        return ()

    @property
    def brief(self) -> str:
        """The shell line."""
        return str(self)

    def difference(self, hands: Hands) -> tuple[str, ...]:
        """Return nothing: no file changes."""
        del hands
        return ()

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return nothing: it cannot be taken back."""
        del hands
        return ()


@dataclass(frozen=True)
class Run(OnProgram):
    """Run a command to its end.

    Args:
        argv: the program and its arguments.
        undo: the command that takes it back, empty where nothing does.
        deadline: seconds; the command's process group is ended then.
    """

    argv: tuple[str, ...]
    undo: tuple[str, ...] = ()
    deadline: float = 30.0

    def take(self, hands: Hands) -> None:
        """Run it; refused when it cannot be run or fails."""
        try:
            ran = hands.host.run(self.argv, deadline=self.deadline)
        except NoFact as why:
            raise Refusal(str(why)) from None
        if ran.status:
            raise Refusal(f"`{self}` ended with status {ran.status}{_last(ran.err)}")

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the command that takes it back, where there is one."""
        del hands
        return (Run(self.undo, deadline=self.deadline),) if self.undo else ()

    def __str__(self) -> str:
        return line(*self.argv)


@dataclass(frozen=True)
class Start(OnProgram):
    """Start a program that goes on by itself, in a session of its own.

    Args:
        argv: the program and its arguments.
        cwd: the folder that it runs in, empty for ours.
        log: the file that its output is appended to, empty for none.
        env: names and values laid over our environment.
    """

    argv: tuple[str, ...]
    cwd: str = ""
    log: str = ""
    env: tuple[tuple[str, str], ...] = ()

    def take(self, hands: Hands) -> None:
        """Start it; refused when it cannot be started or ends at once with an error."""
        ran = self.begin(hands, _BEGIN)
        if ran.status:
            raise Refusal(f"`{self}` ended with status {ran.status}{_last(ran.err)}")

    def begin(self, hands: Hands, script: str) -> Ran:
        """Run a script of /bin/sh that takes the folder, the log and the command as arguments."""
        settings = [f"{name}={value}" for name, value in self.env]
        words = (self.cwd or ".", self.log or "/dev/null", "env", *settings, *self.argv)
        try:
            return hands.host.run(("/bin/sh", "-c", script, self.argv[0], *words), deadline=10.0)
        except NoFact as why:
            raise Refusal(str(why)) from None

    def __str__(self) -> str:
        log = quoted(self.log or "/dev/null")
        env = "".join(f"{name}={quoted(value)} " for name, value in self.env)
        begin = f"{env}setsid nohup {line(*self.argv)} >> {log} 2>&1 < /dev/null &"
        return f"cd {quoted(self.cwd)} && {{ {begin} }}" if self.cwd else begin


@dataclass(frozen=True)
class EndGroup(OnProgram):
    """End a process, and the process group where it leads one; it cannot be taken back.

    Args:
        pid: the process.
        started: the clock tick of its start, so that no later process of that number is hit.
        patience: seconds between SIGTERM and SIGKILL.
    """

    pid: int
    started: int
    patience: float = 5.0

    def take(self, hands: Hands) -> None:
        """End it; refused when it is not the process that was looked at."""
        hands.use(tasks.end_group, self.pid, self.started, self.patience)

    def __str__(self) -> str:
        return f"kill -TERM -- -{self.pid} 2>/dev/null || kill -TERM {self.pid}"


def words(command: str) -> tuple[str, ...]:
    """Return a configured command line as argv; no shell reads it.

    Raises:
        ValueError: when a quotation is not closed.
    """
    return tuple(shlex.split(command))
