"""Processes of a host, known by what they run never by a piece of their command line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from plugins.endpoints.errors import in_words
from plugins.endpoints.memory import Memory
from plugins.eyes import processes as eyes
from plugins.hosts import Host

T = TypeVar("T")

_INTERPRETER = re.compile(r"(python|pypy|ruby|perl)[\d.]*|node|nodejs|bun|deno|bash|dash|sh|zsh")
_CONTAINER = re.compile(r"[0-9a-f]{64}")
# Options whose value is the next word. A script cannot be told from it otherwise.
_WITH_VALUE = {
    "python": {"-W", "-X", "--check-hash-based-pycs"},
    "node": {
        "-r",
        "--require",
        "--import",
        "--loader",
        "--experimental-loader",
        "-C",
        "--env-file",
    },
    "bun": {"-r", "--preload", "--cwd", "-c", "--config", "--env-file"},
    "ruby": {"-I", "-r", "-C", "-E"},
    "perl": {"-I"},
    "sh": {"-o", "+o", "-O", "+O", "--rcfile", "--init-file"},
}
_INLINE = {
    "python": {"-c"},
    "node": {"-e", "--eval", "-p", "--print"},
    "bun": {"-e", "--eval", "-p", "--print"},
    "ruby": {"-e"},
    "perl": {"-e", "-E"},
    "sh": {"-c"},
}


@dataclass(frozen=True, slots=True)
class Process:
    """One process as it was seen.

    `name` is the kernel's short name, `exe` the program's path (empty when we may not know it, and
    for threads of the kernel) with `exe_deleted` when the file was replaced since. `state` is the
    letter of ps (Z: a zombie). `started` is seconds since 1970, `started_ticks` clock ticks since
    boot, which no clock change moves. `rss` is bytes. `cgroup` is the control group's path.
    """

    pid: int
    ppid: int
    pgid: int
    name: str
    argv: tuple[str, ...]
    exe: str
    exe_deleted: bool
    uid: int
    owner: str
    state: str
    started: float
    started_ticks: int
    rss: int
    cpu_seconds: float
    threads: int
    cwd: str
    cgroup: str

    @property
    def container(self) -> str:
        """The id of the container that the process is in, or an empty string."""
        found = _CONTAINER.findall(self.cgroup)
        return found[-1] if found else ""

    @property
    def zombie(self) -> bool:
        """Whether it has ended and its parent has not asked for its status."""
        return self.state == "Z"

    @property
    def programs(self) -> frozenset[str]:
        """The names that it goes by: of its program, and of the script that an interpreter runs."""
        told = {os.path.basename(self.exe), *(os.path.basename(word) for word in self.argv[:1])}
        script = next((s for s in (_script(name, self.argv) for name in sorted(told)) if s), "")
        return frozenset(told | {script}) - {""}


@dataclass(frozen=True, slots=True)
class Descriptors:
    """Open file descriptors of a process and its own limits; a limit of -1 is none."""

    open: int
    soft_limit: int
    hard_limit: int


class Processes:
    """Looks at a host's processes; each question is answered once in a look.

    Args:
        host: the machine.
        proc: where its proc file system is mounted.

    Every method may raise `NoPermission`, and `CannotTell` on a host without /proc.
    """

    def __init__(self, host: Host, proc: str = "/proc") -> None:
        self._host = host
        self._proc = proc
        self._memory = Memory()

    def all(self) -> tuple[Process, ...]:
        """Return every process, zombies and the one that looks too, by process id."""
        return tuple(self._everyone()[1].values())

    def one(self, pid: int) -> Process | None:
        """Return a process, or None when there is none of that id."""
        return self._everyone()[1].get(pid)

    def children(self, pid: int) -> tuple[Process, ...]:
        """Return the processes that a process is the parent of."""
        return tuple(one for one in self.all() if one.ppid == pid)

    def by_program(self, names: Sequence[str]) -> tuple[Process, ...]:
        """Return the living processes that run one of the programs, never the one that looks.

        A name is that of the executable, of the first word of the command line, or of the script
        (or Python module) that an interpreter runs; all of it, not a part.
        """
        ourselves, everyone = self._everyone()
        wanted = frozenset(names)
        return tuple(
            one
            for one in everyone.values()
            if one.programs & wanted and one.pid != ourselves and not one.zombie
        )

    def descriptors(self, pid: int) -> Descriptors:
        """Return the open descriptors and limits of a process; `NotThere` when it is gone."""
        return Descriptors(**self._ask(f"process {pid}", eyes.descriptors, pid))

    def environment(self, pid: int, names: Sequence[str]) -> dict[str, str]:
        """Return those of the named variables that a process was started with; no other is read."""
        return self._ask(f"environment of process {pid}", eyes.environment, pid, tuple(names))

    def holders(self, path: str) -> tuple[tuple[int, bool], ...]:
        """Return (pid, writes) of each process that has a file open; links are followed.

        Processes of other users are seen by root only.
        """
        found = self._ask(path, eyes.holders, path)
        return tuple((pid, writes) for pid, writes in found)

    def _everyone(self) -> tuple[int, dict[int, Process]]:
        return self._memory.once("everyone", self._look)

    def _look(self) -> tuple[int, dict[int, Process]]:
        with in_words("processes"):
            seen = self._host.call(eyes.everyone, self._proc)
        rows = (Process(**{**row, "argv": tuple(row["argv"])}) for row in seen["rows"])
        return seen["self"], {one.pid: one for one in rows}

    def _ask(self, what: str, eye: Callable[..., T], *args: object) -> T:
        with in_words(what):
            ask = partial(self._host.call, eye, self._proc, *args)
            return self._memory.once((eye, *args), ask)


def _script(interpreter: str, argv: Sequence[str]) -> str:
    """Return the name of the script that an interpreter was given, or an empty string."""
    if not _INTERPRETER.fullmatch(interpreter):
        return ""
    family = {"nodejs": "node", "pypy": "python", "deno": "bun"}.get(
        interpreter.rstrip("0123456789."), interpreter.rstrip("0123456789.")
    )
    family = "sh" if family in {"bash", "dash", "zsh"} else family
    words = iter(argv[1:])
    for word in words:
        if word in _INLINE[family] or (family == "sh" and re.fullmatch(r"-[a-z]*c", word)):
            return ""
        if word == "-m" and family == "python":
            return next(words, "")
        if word in _WITH_VALUE[family]:
            next(words, "")
        elif word == "--":
            return os.path.basename(next(words, ""))
        elif not word.startswith(("-", "+")) and not (family == "bun" and word in {"run", "x"}):
            return os.path.basename(word)
    return ""
