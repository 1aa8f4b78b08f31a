"""Lines on pytest's terminal: wrapped and redrawn before a person, whole and plain in a pipe."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

_DRAWN = pytest.StashKey[bool]()


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
        hanging = margin + ("  " if self.text.startswith("- ") else "")
        yield from textwrap.wrap(
            self.text,
            max(width, self.indent + 20),
            initial_indent=margin,
            subsequent_indent=hanging,
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
    if config.stash.get(_DRAWN, False):
        reporter.rewrite("", erase=True)
        reporter.rewrite("")
        config.stash[_DRAWN] = False
    for piece in line.wrapped(width):
        reporter.write_line(piece, **dict.fromkeys(line.style, True))


def say(config: pytest.Config, line: str) -> None:
    """Write a plain line while the run goes on, whatever pytest captures at that moment."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        write(config, Line(line))
        return
    with capture.global_and_fixture_disabled():
        write(config, Line(line))


def progress(config: pytest.Config, done: int, total: int, label: str) -> None:
    """Redraw the progress line; nothing is written where no person watches."""
    reporter = _reporter(config)
    if reporter is None or not reporter.isatty():
        return
    width = config.get_terminal_writer().fullwidth
    text = f"{done}/{total} {label}"[: max(width - 2, 1)]
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        reporter.rewrite(text, erase=True)
    else:
        with capture.global_and_fixture_disabled():
            reporter.rewrite(text, erase=True)
            reporter.flush()
    config.stash[_DRAWN] = True
