"""Hosts: this machine, or any that testinfra can reach. The only file that starts processes.

A command is argv, runs in a process group of its own and has a deadline, at which the whole group
is killed. An eye is a function of a standard-library-only module: here it is simply called; for a
far host its module's source is sent to that host's own python3, one round trip a question.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, TypeVar, cast

from plugins import far
from plugins.outcomes import CannotTell, NoPermission, NotThere, TimedOut, TooBig, ToolMissing

T = TypeVar("T")
Started = subprocess.Popen[bytes]


@dataclass(frozen=True)
class Ran:
    """A command that ended by itself.

    `status` is the exit status, negative for the signal that ended it. `out` and `err` are cut at
    the caller's limit, and `truncated` tells whether one of them was.
    """

    argv: tuple[str, ...]
    status: int
    out: bytes
    err: bytes
    truncated: bool

    @property
    def text(self) -> str:
        """The standard output; bytes that are not UTF-8 stand as backslash escapes."""
        return self.out.decode("utf-8", "backslashreplace")

    @property
    def complaint(self) -> str:
        """The last line of the standard error that says something, or an empty string."""
        lines = self.err.decode("utf-8", "backslashreplace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


class Host:
    """A machine that is looked at.

    Args:
        spec: a testinfra host spec: `local://`, `ssh://me@box`, `docker://name`.
    """

    def __init__(self, spec: str = "local://") -> None:
        self.spec = spec or "local://"
        self._lock = threading.Lock()
        self._testinfra: Any = None

    @property
    def is_local(self) -> bool:
        """Whether looks happen in this process."""
        return self.spec in {"local://", "local"}

    @property
    def testinfra(self) -> Any:
        """testinfra's own host, whose commands have a deadline of 10 s and may raise `TimedOut`."""
        with self._lock:
            if self._testinfra is None:
                from testinfra.host import Host as Testinfra  # type: ignore[import-untyped]

                backend = _backend(self.spec, 10.0, 16 << 20)
                self._testinfra = Testinfra(backend)
                backend.set_host(self._testinfra)
            return self._testinfra

    def run(
        self,
        argv: Sequence[str],
        *,
        deadline: float = 10.0,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        limit: int = 4 << 20,
    ) -> Ran:
        """Run a command to its end and return what it said.

        Args:
            argv: the program and its arguments; no shell reads them.
            deadline: seconds until the whole process group is killed, also when the program itself
                has ended and a child still holds its output open.
            stdin: what the program reads; nothing by default, and never our terminal.
            env: variables to lay over the environment. `LC_ALL` is C.UTF-8 unless it is given here.
            cwd: the folder to run in.
            limit: bytes to keep of each of the two outputs; what is over is read and dropped.

        Raises:
            TimedOut: the deadline passed.
            ToolMissing, NoPermission: there is no such program, or we may not run it.
            NotThere: there is no folder `cwd`, or the far host cannot be reached.
        """
        words = tuple(argv)
        settings = {"LC_ALL": "C.UTF-8", **(env or {})}
        if self.is_local:
            return _run_here(words, deadline, stdin, {**os.environ, **settings}, cwd, limit)
        line = far.script(words, deadline, stdin, settings, cwd)
        return self._run_far(words, deadline, line, limit)

    def _run_far(self, argv: tuple[str, ...], deadline: float, line: str, limit: int) -> Ran:
        room, what = limit + len(far.BEGAN) + 1, f"{argv[0]} on {self.spec}"
        ends = time.monotonic() + deadline
        said = _within(lambda: _backend(self.spec, deadline, room).run(line), deadline, what)
        out, status = said.stdout_bytes, said.rc
        err = far.unmarked(said.stderr_bytes, status, argv[0], self.spec)
        if status in {137, -9} and time.monotonic() > ends - 0.1:  # the far `timeout` was first
            raise TimedOut(what, deadline)
        cut = len(out) > limit or len(err) > limit
        return Ran(argv, status, out[:limit], err[:limit], cut)

    def call(self, function: Callable[..., T], *args: object, deadline: float = 10.0) -> T:
        """Call an eye on the host and return its answer.

        Args:
            function: a function of a self-contained, standard-library-only module.
            args: JSON values; names of files are str with surrogate escapes.
            deadline: seconds for the round trip to a far host; here only the probe's counts.

        Raises:
            OSError: what the eye met, with the same errno, wherever it ran.
            ToolMissing: the far host has no python3.
            CannotTell: the far side answered nothing that can be read.
        """
        if self.is_local:
            return function(*args)
        argv = far.errand(function, args)
        try:
            ran = self.run(argv, deadline=deadline, limit=far.LARGEST_ANSWER)
        except ToolMissing:
            raise ToolMissing(f"{self.spec} has no python3, which looking at it needs") from None
        what = f"{function.__name__} on {self.spec}"
        if ran.truncated:
            raise TooBig(f"the answer of {what}", far.LARGEST_ANSWER)
        return cast("T", far.answer(ran.status, ran.out, ran.complaint, what))


def _backend(spec: str, deadline: float, limit: int) -> Any:
    """Return a testinfra backend for `spec`, whose local commands end at the deadline."""
    from testinfra.backend import get_backend  # type: ignore[import-untyped]

    try:
        backend = get_backend(spec)
    except (RuntimeError, ImportError, ValueError, OSError) as error:
        raise CannotTell(f"{spec} is no host that can be looked at: {error}") from None

    def run_local(command: str, *args: str) -> Any:
        line = backend.quote(command, *args)
        env = {**os.environ, "LC_ALL": "C.UTF-8"}
        ran = _run_here(("/bin/sh", "-c", line), deadline, b"", env, None, limit)
        return backend.result(ran.status, os.fsencode(line), ran.out, ran.err)

    # testinfra waits for ever and reads everything; this one thing of it is replaced.
    backend.run_local = run_local
    return backend


def _within(ask: Callable[[], T], deadline: float, what: str) -> T:
    """Return what `ask` returns, but wait no longer than the deadline (some backends know none)."""
    met: list[tuple[T | None, BaseException | None]] = []

    def keep() -> None:
        try:
            met.append((ask(), None))
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that asked
            met.append((None, error))

    thread = threading.Thread(target=keep, daemon=True, name=what)
    thread.start()
    thread.join(deadline + 0.5)
    if not met:
        raise TimedOut(what, deadline)
    answer, error = met[0]
    if isinstance(error, TimedOut):
        raise TimedOut(what, deadline) from None
    if isinstance(error, (CannotTell, OSError)):
        raise error
    if error is not None:
        raise CannotTell(f"{what}: {type(error).__name__}: {error}") from None
    return cast("T", answer)


def _run_here(
    argv: tuple[str, ...],
    deadline: float,
    stdin: bytes,
    env: Mapping[str, str],
    cwd: str | None,
    limit: int,
) -> Ran:
    ends = time.monotonic() + deadline
    process = start(argv, env, cwd, feeds=bool(stdin))
    ended = False
    try:
        outputs, truncated = _gather(process, stdin, ends, limit)
        status = process.wait(max(0.0, ends - time.monotonic()))
        ended = True
    except subprocess.TimeoutExpired:
        raise TimedOut(shlex.join(argv[:3]), deadline) from None
    finally:
        if not ended:
            # Not waited for yet, so the number is still its own; macOS says EPERM when all died.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.5)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
    return Ran(argv, status, bytes(outputs[0]), bytes(outputs[1]), truncated)


def start(
    argv: tuple[str, ...],
    env: Mapping[str, str],
    cwd: str | None,
    *,
    feeds: bool,
    keeps: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program here, in a group of its own that the caller ends; it `keeps` descriptors."""
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.PIPE if feeds else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            cwd=cwd,
            bufsize=0,
            pass_fds=keeps,
            start_new_session=True,
        )
    except (FileNotFoundError, NotADirectoryError):
        if cwd is not None and not os.path.isdir(cwd):
            raise NotThere(f"the folder to run {argv[0]} in is not there: {cwd}") from None
        raise ToolMissing(f"{argv[0]} is not installed") from None
    except PermissionError:
        raise NoPermission(f"we may not run {argv[0]}") from None
    except (OSError, ValueError) as error:
        raise CannotTell(f"{argv[0]} cannot be run: {error}") from None


def _gather(
    process: subprocess.Popen[bytes], stdin: bytes, ends: float, limit: int
) -> tuple[tuple[bytearray, bytearray], bool]:
    """Feed the process and read its outputs until both are closed; raises TimeoutExpired."""
    kept = (bytearray(), bytearray())
    truncated = False
    left = memoryview(stdin)
    with selectors.DefaultSelector() as ready:
        for number, pipe in enumerate((process.stdout, process.stderr)):
            ready.register(cast("IO[bytes]", pipe), selectors.EVENT_READ, number)
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            ready.register(process.stdin, selectors.EVENT_WRITE, None)
        while ready.get_map():
            remaining = ends - time.monotonic()
            if remaining <= 0:
                raise subprocess.TimeoutExpired(process.args, 0)
            for key, _ in ready.select(remaining):
                if key.data is None:
                    left = left[_fed(key.fd, left) :]
                    done = not left
                else:
                    chunk = os.read(key.fd, 1 << 16)
                    room = limit - len(kept[key.data])
                    kept[key.data].extend(chunk[:room])
                    truncated = truncated or len(chunk) > room
                    done = not chunk
                if done:
                    ready.unregister(key.fileobj)
                    cast("IO[bytes]", key.fileobj).close()
    return kept, truncated


def _fed(descriptor: int, left: memoryview) -> int:
    try:
        return os.write(descriptor, left[: 1 << 16])
    except BrokenPipeError:
        return len(left)  # it does not want the rest
    except BlockingIOError:
        return 0
