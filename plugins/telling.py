"""What a recovery procedure tells while it is at work, before pytest has a terminal of its own."""

from __future__ import annotations

import contextlib
import shutil
import sys
from typing import TextIO

import pytest

from plugins.report.bars import ERASED, bar
from plugins.report.delivery import on_stdout


def tell(config: pytest.Config, line: str) -> None:
    """Write a line; on the error output where the output is the document's alone."""
    stream = sys.stderr if on_stdout(config) else sys.stdout
    # A terminal that was closed meanwhile must not end a procedure in the middle.
    with contextlib.suppress(OSError):
        print(f"{ERASED if _is_seen(stream) else ''}{line}", file=stream, flush=True)


def _is_seen(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def draw(config: pytest.Config, done: int, total: int, what: str) -> None:
    """Draw how far it is below the lines, where a person sits before them."""
    stream = sys.stderr if on_stdout(config) else sys.stdout
    with contextlib.suppress(OSError):
        if _is_seen(stream):
            text = bar(done, total, what, shutil.get_terminal_size().columns)
            print(f"{ERASED}{text}", end="", file=stream, flush=True)
