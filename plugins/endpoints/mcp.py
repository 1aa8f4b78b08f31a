"""MCP servers over standard input and output: started, greeted, asked for their tools, and ended.

By hand, and not by the official client library: docs/architecture.md has the measurement.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import signal
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.hosts import Host, start
from plugins.outcomes import ToolMissing
from plugins.redaction import Redactor
from plugins.text import printable

PROTOCOL = "2025-06-18"
MOST = 16 << 20  # bytes that a server may print before it has answered
_KEPT = 64 << 10  # of what it complains of
_LINGER = 1.0  # seconds in which the answer of a program may still come that has ended
_MARK = "HEALTHCHECKS_MCP"
_MODULE = re.compile(r"Cannot find (?:module|package)|ModuleNotFoundError|No module named")


@dataclass(frozen=True)
class Spoken:
    """What a server came to.

    Attributes:
        trouble: why it is of no use, "" where it answered; no value of its environment is in it.
        tools: how many it offers.
        noise: lines on its output that are no messages.
        seconds: until its last answer.
    """

    trouble: str
    tools: int = 0
    noise: int = 0
    seconds: float = 0.0


class Mcp:
    """Speaks to servers of the Model Context Protocol on this machine."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def speak(
        self, argv: tuple[str, ...], env: Mapping[str, str], cwd: str, *, deadline: float = 20.0
    ) -> Spoken:
        """Start a server, ask for its tools, and end it with all that it started.

        Args:
            argv: its command.
            env: variables to lay over ours; their values are kept out of what is told.
            cwd: the folder to start it in, which it is told to be its root.
            deadline: seconds from its start to its last answer.

        Raises:
            ToolMissing: there is no such program, or the host is not this machine.
            NotThere, NoPermission, CannotTell: it cannot be started.
        """
        if not self._host.is_local:
            raise ToolMissing(f"MCP servers are started on this machine, not on {self._host.spec}")
        mark = uuid.uuid4().hex
        dialogue = _Dialogue(argv, {**os.environ, **env, _MARK: mark}, cwd)
        try:
            return dialogue.run(deadline, Redactor(env.values()))
        finally:
            dialogue.end()
            _end_marked(mark)


@dataclass
class _Heard:
    """What came so far."""

    buffer: bytearray = field(default_factory=bytearray)
    complaints: bytearray = field(default_factory=bytearray)
    taken: int = 0
    noise: int = 0
    closed: float = 0.0  # when its output ended, on the monotonic clock


class _Dialogue:
    """A conversation with one server, which is under way from the start."""

    def __init__(self, argv: tuple[str, ...], env: Mapping[str, str], cwd: str) -> None:
        self._process = start(argv, env, cwd, feeds=True)
        self._cwd = cwd
        self._out = bytearray()
        self._heard = _Heard()
        self._waiting = "initialize"
        self._trouble = ""
        self._tools: int | None = None
        self._offers_tools = False

    def run(self, deadline: float, redact: Redactor) -> Spoken:
        """Speak until the server has answered all, or is known not to."""
        began = time.monotonic()
        words = {"protocolVersion": PROTOCOL, "capabilities": {"roots": {}}}
        words["clientInfo"] = {"name": "agent-healthchecks", "version": "1"}
        self._say({"id": 1, "method": "initialize", "params": words})
        with selectors.DefaultSelector() as ready:
            ready.register(_pipe(self._process.stdout), selectors.EVENT_READ, "out")
            ready.register(_pipe(self._process.stderr), selectors.EVENT_READ, "err")
            self._converse(ready, began + deadline, deadline)
        seconds = time.monotonic() - began
        trouble = self._trouble and f"{self._trouble}{self._complaint()}"
        return Spoken(printable(redact(trouble), 600), self._tools or 0, self._heard.noise, seconds)

    def _converse(self, ready: selectors.BaseSelector, ends: float, limit: float) -> None:
        gone = 0.0
        while self._tools is None and not self._trouble:
            self._send(ready)
            for key, _ in ready.select(min(0.1, max(0.0, ends - time.monotonic()))):
                if key.data != "in":
                    self._read(ready, key.fd, key.data == "out")
            now = time.monotonic()
            status = _status(self._process)
            if status is not None:
                gone = gone or now
            if self._tools is not None or self._trouble:
                return
            if gone and (self._heard.closed or now > gone + _LINGER):
                self._trouble = f"it ends ({status}) before it answers {self._waiting}"
            elif self._heard.closed and now > self._heard.closed + _LINGER:
                self._trouble = f"it closes its output before it answers {self._waiting}"
            elif now > ends:
                self._trouble = f"it does not answer {self._waiting} within {limit:g} s"

    def _say(self, message: Mapping[str, Any]) -> None:
        self._out += json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"

    def _send(self, ready: selectors.BaseSelector) -> None:
        pipe = _pipe(self._process.stdin)
        os.set_blocking(pipe, False)
        registered = pipe in ready.get_map()
        try:
            while self._out:
                del self._out[: os.write(pipe, self._out[: 1 << 16])]
        except BlockingIOError:
            if not registered:
                ready.register(pipe, selectors.EVENT_WRITE, "in")
            return
        except OSError:  # it reads no more; whether it ends is seen elsewhere
            self._out.clear()
        if registered:
            ready.unregister(pipe)

    def _read(self, ready: selectors.BaseSelector, pipe: int, speaks: bool) -> None:
        chunk = os.read(pipe, 1 << 16)
        heard = self._heard
        if not chunk:
            ready.unregister(pipe)
            heard.closed = heard.closed or speaks * time.monotonic()
        elif not speaks:
            heard.complaints += chunk
            del heard.complaints[:-_KEPT]
        else:
            heard.buffer += chunk
            heard.taken += len(chunk)
            *lines, heard.buffer = chunk_lines(heard.buffer, chunk)
            telling = [line for line in lines if b"jsonrpc" in line]
            heard.noise += len(lines) - len(telling)
            for line in telling:
                self._hear(bytes(line))
            if heard.taken > MOST and self._tools is None:
                self._trouble = f"it prints over {MOST >> 20} MiB and no answer to {self._waiting}"

    def _hear(self, line: bytes) -> None:
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            told = None
        messages = told if isinstance(told, list) else [told]
        for message in messages:
            if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
                self._heard.noise += bool(line.strip())
            elif "method" in message:
                self._obey(message)
            else:
                self._take(message)

    def _obey(self, message: Mapping[str, Any]) -> None:
        """Answer what the server asks of us; what it only tells needs no answer."""
        if "id" not in message or len(self._out) > 1 << 20:
            return
        said: dict[str, Any] = {"error": {"code": -32601, "message": "Method not found"}}
        if message["method"] == "ping":
            said = {"result": {}}
        elif message["method"] == "roots/list":
            said = {"result": {"roots": [{"uri": f"file://{self._cwd}", "name": "project"}]}}
        self._say({"id": message["id"], **said})

    def _take(self, message: Mapping[str, Any]) -> None:
        answered, result = message.get("id"), message.get("result")
        if answered == 1 and self._waiting == "initialize":
            version = result.get("protocolVersion") if isinstance(result, dict) else None
            if not isinstance(result, dict) or not isinstance(version, str):
                self._trouble = f"it refuses to initialize{_error(message)}"
                return
            offers = result.get("capabilities")
            self._offers_tools = isinstance(offers, dict) and "tools" in offers
            self._waiting = "tools/list"
            self._say({"method": "notifications/initialized"})
            self._say({"id": 2, "method": "tools/list", "params": {}})
        elif answered == 2 and self._waiting == "tools/list":
            tools = result.get("tools") if isinstance(result, dict) else None
            if isinstance(tools, list):
                self._tools = len(tools)
            elif self._offers_tools:
                self._trouble = f"it does not tell its tools{_error(message)}"
            else:  # one that offers prompts or resources alone need not know the question
                self._tools = 0

    def _complaint(self) -> str:
        """Return what it said of itself: of a missing module, else its last words."""
        pipe = _pipe(self._process.stderr)
        os.set_blocking(pipe, False)
        with contextlib.suppress(OSError):  # nothing more is there
            for _ in range(_KEPT >> 12):
                self._heard.complaints += os.read(pipe, 1 << 12)
        text = self._heard.complaints.decode("utf-8", "backslashreplace")
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        telling = [line for line in lines if _MODULE.search(line)] or lines[-1:]
        return f"; it says: {telling[0]}" if telling else ""

    def end(self) -> None:
        """End the server and its process group: by the end of its input, politely, by force."""
        process = self._process
        for pipe in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(OSError, AttributeError):
                pipe.close()  # type: ignore[union-attr]
        for number, patience in ((0, 0.5), (signal.SIGTERM, 1.0), (signal.SIGKILL, 2.0)):
            if number:
                # Not waited for yet, so the number is still its own; macOS: EPERM when all died.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, number)
            until = time.monotonic() + patience
            while _status(process) is None and time.monotonic() < until:
                time.sleep(0.01)
        process.poll()


def chunk_lines(buffer: bytearray, chunk: bytes) -> list[bytearray]:
    """Cut a buffer into lines where its newest chunk ends one; the last piece is the rest."""
    return buffer.split(b"\n") if b"\n" in chunk else [buffer]


def _pipe(stream: Any) -> int:
    return int(stream.fileno())


def _status(process: Any) -> str | None:
    """Return how a process ended, in words; None while it runs. It is not waited for."""
    if not hasattr(os, "waitid"):
        code = process.poll()
        return None if code is None else f"status {code}"
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    with contextlib.suppress(ChildProcessError):
        seen = os.waitid(os.P_PID, process.pid, flags)
        if seen is None:
            return None
        word = "status" if seen.si_code == os.CLD_EXITED else "signal"
        return f"{word} {seen.si_status}"
    return "status unknown"


def _error(message: Mapping[str, Any]) -> str:
    error = message.get("error")
    text = error.get("message") if isinstance(error, dict) else None
    return f": {text}" if isinstance(text, str) else ": its answer is no result"


def _end_marked(mark: str) -> None:
    """Kill what left the group but still has its environment, and see that it is gone."""
    until = time.monotonic() + 2.0
    while (pids := list(_marked(mark))) and time.monotonic() < until:
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _marked(mark: str) -> Iterator[int]:
    names = os.listdir("/proc") if os.path.isdir("/proc/self") else []
    for name in filter(str.isdigit, names):
        with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
            if mark.encode() in file.read(1 << 20) and int(name) != os.getpid():
                yield int(name)
