"""Lines on pytest's terminal: wrapped and redrawn before a person, whole and plain in a pipe."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import pytest

from plugins.report import bars

_DRAWN = pytest.StashKey[str]()
_PACE = pytest.StashKey[bars.Pace]()


@dataclass(frozen=True)
class Line:
    """A line to write.

    Args:
        text: what it says.
        indent: columns before it, kept when it is wrapped.
        style: names of pytest's terminal markup.
        whole: it is not wrapped, as a person copies it.
    """

    text: str = ""
    indent: int = 0
    style: tuple[str, ...] = ()
    whole: bool = False

    def wrapped(self, width: int) -> Iterator[str]:
        """Give the line in pieces of at most `width` columns; 0 is no limit."""
        margin = " " * self.indent
        if not width or self.whole or self.indent + len(self.text) <= width:
            yield margin + self.text
            return
        # The bullet is part of the indent: a long path after it then stays on its line.
        bullet = "- " if self.text.startswith("- ") else ""
        yield from textwrap.wrap(
            self.text.removeprefix(bullet),
            max(width, self.indent + 20),
            initial_indent=margin + bullet,
            subsequent_indent=margin + " " * len(bullet),
            break_long_words=False,
            break_on_hyphens=False,
        )


def _reporter(config: pytest.Config) -> pytest.TerminalReporter | None:
    found: pytest.TerminalReporter | None = config.pluginmanager.getplugin("terminalreporter")
    return found


def on_terminal(config: pytest.Config) -> bool:
    """Tell whether a person sits before it: what is written may then be wrapped and redrawn."""
    reporter = _reporter(config)
    return reporter is not None and reporter.isatty()


def write(config: pytest.Config, line: Line) -> None:
    """Write the line, wrapped to the terminal's width; a pipe gets it in one piece."""
    reporter = _reporter(config)
    if reporter is None:
        return
    width = config.get_terminal_writer().fullwidth if reporter.isatty() else 0
    try:
        _erase(config, reporter)
        for piece in line.wrapped(width):
            reporter.write_line(piece, **dict.fromkeys(line.style, True))
        # Whoever reads it sees it now; and pytest's own flush at its end would make a status of 1
        # of a reader who is gone.
        reporter.flush()
    except OSError:
        to_nowhere()


def to_nowhere() -> None:
    """Let what is still written go nowhere: whoever read it is gone, and that is no error of ours.

    The reports are written all the same.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - it is the output
    finally:
        os.close(nowhere)


def pour(lines: Iterable[str]) -> None:
    """Print a document to whoever asked for it; one who has read enough is no error of ours."""
    try:
        for line in lines:
            print(line)  # noqa: T201 - it is what was asked for
        sys.stdout.flush()
    except OSError:
        to_nowhere()


def say(config: pytest.Config, line: str) -> None:
    """Write a plain line while the run goes on, whatever pytest captures at that moment."""
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        write(config, Line(line))


def progress(config: pytest.Config, done: int, total: int, label: str) -> None:
    """Redraw the bar of long work; it goes when all is done. A pipe gets a line now and then."""
    reporter = _reporter(config)
    if reporter is None:
        return
    if not reporter.isatty():
        if config.stash.setdefault(_PACE, bars.Pace(bars.EVERY_S)).due(label) and done < total:
            say(config, bars.line(done, total, label))
        return
    text = bars.bar(done, total, label, config.get_terminal_writer().fullwidth)
    if text == config.stash.get(_DRAWN, ""):
        return
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        _erase(config, reporter)
        reporter.rewrite(text)
        reporter.flush()
    config.stash[_DRAWN] = text


def _erase(config: pytest.Config, reporter: pytest.TerminalReporter) -> None:
    if config.stash.get(_DRAWN, ""):
        reporter.rewrite("", erase=True)
        reporter.rewrite("")
        config.stash[_DRAWN] = ""
