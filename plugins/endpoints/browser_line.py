"""The DevTools protocol over a browser's pipes: questions, answers, and what its console says."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, cast

_MOST_BYTES = 16 << 20
_MOST_ERRORS = 50
_LONGEST = 2000  # characters of one error
_LAST_WORDS = 8 << 10
_ICON = "/favicon.ico"  # browsers ask for it unasked
_LOUD = {"error", "assert"}


class Closed(Exception):  # noqa: N818 - it is what happened to us, not a fault of ours
    """The browser closed its pipe; the message is the last that it said of itself."""


@dataclass(frozen=True)
class Said:
    """An error of a page's console; `wanted` is what could not be had, where it is about that."""

    text: str
    wanted: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.wanted}".rstrip()


class BrowserLine:
    """The pipes of a running browser.

    Args:
        process: was started with pipes for its input, output and errors.

    Attributes:
        errors: what its pages' consoles said as errors, in the order of coming.
    """

    def __init__(self, process: Any) -> None:
        self._process = process
        self._in, self._out, self._err = (
            cast("IO[bytes]", one).fileno()
            for one in (process.stdin, process.stdout, process.stderr)
        )
        self._buffer = bytearray()
        self._taken = 0
        self._number = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._complaints = bytearray()
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._out, selectors.EVENT_READ)
        self._ready.register(self._err, selectors.EVENT_READ)
        self.errors: list[Said] = []

    def attach(self, ends: float) -> str:
        """Open a new empty page that tells us of its console; return its session."""
        made = self.ask("Target.createTarget", {"url": "about:blank"}, "", ends)
        words = {"targetId": made.get("targetId"), "flatten": True}
        session = str(self.ask("Target.attachToTarget", words, "", ends).get("sessionId"))
        self.ask("Browser.setDownloadBehavior", {"behavior": "deny"}, "", ends)
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable", {}, session, ends)
        return session

    def ask(self, method: str, words: Mapping[str, Any], session: str, ends: float) -> Any:
        """Return the answer to a question: {} where the browser declines it.

        Raises:
            TimeoutError: none came before the monotonic clock's `ends`.
            Closed: the browser has ended.
        """
        number = self._say(method, words, session)
        while number not in self._answers:
            left = ends - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._hear(left)
        result = self._answers.pop(number).get("result")
        return result if isinstance(result, dict) else {}

    def value(self, expression: str, session: str, ends: float) -> Any:
        """Return what an expression is in the page; None where the page is just changing."""
        words = {"expression": expression, "returnByValue": True}
        told = self.ask("Runtime.evaluate", words, session, ends).get("result")
        return told.get("value") if isinstance(told, dict) else None

    def listen(self, seconds: float) -> None:
        """Take in for a while what the browser tells."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._hear(left)

    def _say(self, method: str, words: Mapping[str, Any], session: str) -> int:
        self._number += 1
        said: dict[str, Any] = {"id": self._number, "method": method, "params": dict(words)}
        if session:
            said["sessionId"] = session
        try:
            os.write(self._in, json.dumps(said).encode() + b"\0")
        except OSError:
            raise self._end() from None
        return self._number

    def _hear(self, seconds: float) -> None:
        for key, _ in self._ready.select(seconds):
            chunk = os.read(key.fd, 1 << 16)
            if key.fd == self._err:
                self._complaints += chunk
                del self._complaints[:-_LAST_WORDS]
                if not chunk:
                    self._ready.unregister(self._err)
                continue
            if not chunk:
                raise self._end()
            self._take_in(chunk)

    def _take_in(self, chunk: bytes) -> None:
        self._taken += len(chunk)
        if self._taken > _MOST_BYTES:
            raise TimeoutError  # a page that says so much would never come to an end
        self._buffer += chunk
        if b"\0" not in chunk:
            return
        *messages, self._buffer = self._buffer.split(b"\0")
        for message in messages:
            with contextlib.suppress(ValueError, RecursionError):
                told = json.loads(message)
                if isinstance(told, dict):
                    self._take(told)

    def _take(self, told: dict[str, Any]) -> None:
        if isinstance(told.get("id"), int):
            self._answers[told["id"]] = told
            return
        words = told.get("params")
        method = str(told.get("method"))
        if not isinstance(words, dict):
            return
        if method == "Page.javascriptDialogOpening":
            session = str(told.get("sessionId", ""))
            self._say("Page.handleJavaScriptDialog", {"accept": False}, session)
        elif (error := _error(method, words)) and len(self.errors) < _MOST_ERRORS:
            self.errors.append(error)

    def _end(self) -> Closed:
        """Return the end, with the last line that the browser wrote."""
        os.set_blocking(self._err, False)
        with contextlib.suppress(OSError):
            while chunk := os.read(self._err, 1 << 12):
                self._complaints += chunk
        text = self._complaints[-_LAST_WORDS:].decode("utf-8", "replace")
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        return Closed(lines[-1] if lines else "it says nothing")

    def close(self) -> None:
        """Close the pipes, at which the browser ends."""
        self._ready.close()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                pipe.close()


def _error(method: str, words: Mapping[str, Any]) -> Said | None:
    """Return the error that an event of the browser tells of, None where it tells of none."""
    if method == "Runtime.exceptionThrown":
        details = _part(words, "exceptionDetails")
        said = _part(details, "exception").get("description") or details.get("text")
        return Said(str(said)[:_LONGEST])
    if method == "Runtime.consoleAPICalled" and words.get("type") in _LOUD:
        values = words.get("args")
        parts = [_spoken(one) for one in values[:20]] if isinstance(values, list) else []
        return Said(" ".join(parts)[:_LONGEST])
    entry = _part(words, "entry") if method == "Log.entryAdded" else {}
    text = str(entry.get("text"))[:_LONGEST]
    # Who has not logged in is told so: that is no fault of a page with a login form.
    if entry.get("level") != "error" or "status of 401" in text:
        return None
    wanted = str(entry.get("url") or "") if entry.get("source") == "network" else ""
    if wanted.endswith(_ICON):
        return None
    return Said(text, wanted[:_LONGEST])


def _spoken(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    return str(value.get("value", value.get("description", value.get("type", ""))))


def _part(words: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = words.get(name)
    return part if isinstance(part, dict) else {}
