"""Where a watch speaks: its output, which may be gone or full, and a log of its own."""

from __future__ import annotations

import contextlib
import datetime
import errno
import fcntl
import os
import select
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.journal import private_folder
from plugins.redaction import Redactor
from plugins.report.bars import ERASED, EVERY_S, Pace, bar, line
from plugins.report.shown import REDACTOR
from plugins.report.standing import marked
from plugins.report.terminal import Line, on_terminal, to_nowhere

LOG = "watch.log"
LARGEST = 1 << 20
KEPT = 3
_PIECE = 4096  # a pipe that is ready takes as much without making us wait
_PATIENCE_S = 1.0


class Voice:
    """Says lines with the time; nothing that is wrong with where they go keeps it waiting.

    Args:
        config: of the session.
        folder: the state folder, which holds the log.
    """

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self._config = config
        self._path = folder / LOG
        self._unlogged = False
        self._drawn = ""
        self._pace = Pace(EVERY_S)

    def progress(self, done: int, total: int, what: str) -> None:
        """Draw how far long work is, without ever waiting for who reads it."""
        if not on_terminal(self._config):
            if self._pace.due(what) and done < total:
                self.say([Line(line(done, total, what))])
            return
        text = bar(done, total, what, self._config.get_terminal_writer().fullwidth)
        if text != self._drawn:
            self._drawn = text
            self._pour(f"{ERASED}{text}")

    def say(self, lines: Iterable[Line]) -> None:
        """Write the lines to the output and to the log; the first line of each thing has a time."""
        told = list(lines)
        if not told:
            return
        clock = f"{datetime.datetime.now().astimezone():%Y-%m-%d %H:%M:%S}"
        margin = " " * (len(clock) + 2)
        mask = self._config.stash.get(REDACTOR, None) or Redactor()
        said = [
            replace(line, text=(margin if line.indent else f"{clock}  ") + mask(line.text))
            for line in told
        ]
        self._log([line.text for line in said])
        self.show(marked(self._config, line) for line in said)

    def show(self, lines: Iterable[str]) -> None:
        """Write lines to the output alone."""
        erased, self._drawn = ERASED if self._drawn else "", ""
        self._pour(erased + "".join(f"{line}\n" for line in lines))

    def _pour(self, text: str) -> None:
        try:
            descriptor = sys.stdout.fileno()
            sys.stdout.flush()
        except (OSError, ValueError, AttributeError):
            to_nowhere()
            return
        poured(descriptor, text.encode("utf-8", "backslashreplace"))

    def end(self) -> None:
        """See to it that what pytest has to say yet finds an end, too."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if not select.select([], [sys.stdout.fileno()], [], _PATIENCE_S)[1]:
                to_nowhere()

    def _log(self, lines: list[str]) -> None:
        text = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            private_folder(self._path.parent)
            descriptor = os.open(self._path, flags, 0o600)
            try:
                if os.write(descriptor, text) < len(text):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                full = os.fstat(descriptor).st_size >= LARGEST
            finally:
                os.close(descriptor)
            if full:
                self._rotate()
            self._unlogged = False
        except OSError as error:
            if not self._unlogged:
                self._unlogged = True
                self.show([f"{self._path} cannot be written: {error.strerror}"])

    def _rotate(self) -> None:
        """Begin a new log, unless another watch did so just now."""
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            if self._path.stat().st_size >= LARGEST:
                names = [self._path, *(Path(f"{self._path}.{n}") for n in range(1, KEPT + 1))]
                for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
                    if newer.exists():
                        newer.replace(older)
        finally:
            os.close(folder)


def poured(descriptor: int, text: bytes) -> bool:
    """Write what fits; tell whether that was all. Nobody who does not read keeps us waiting."""
    for start in range(0, len(text), _PIECE):
        try:
            if not select.select([], [descriptor], [], _PATIENCE_S)[1]:
                return False
            os.write(descriptor, text[start : start + _PIECE])
        except OSError:
            to_nowhere()
            return False
    return True
