"""Stdout for one document alone: what others print goes to stderr, pytest's own lines nowhere.

The file descriptor itself is put aside, so that neither `print` in a plugin nor a program that is
started reaches it, with `-s` and without.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

import pytest

from plugins.report.delivery import STDOUT

_STDOUT, _STDERR = 1, 2
_NOWHERE = pytest.StashKey[TextIO]()
_FORMER = pytest.StashKey[TextIO]()


def silence(config: pytest.Config) -> None:
    """Let pytest's terminal write to nowhere; it takes sys.stdout when it is configured."""
    config.stash[_FORMER] = sys.stdout
    config.stash[_NOWHERE] = sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def is_left(config: pytest.Config) -> bool:
    """Tell whether pytest's terminal writes to nowhere."""
    return _FORMER in config.stash


def claim(config: pytest.Config) -> None:
    """Keep stdout for one document, which is written to what is then in the stash."""
    try:
        own = sys.stdout.fileno() == _STDOUT
    except (AttributeError, OSError, ValueError):
        own = False  # closed, or pytest runs within a program that gave it another one
    if own:
        aside = os.dup(_STDOUT)
        config.stash[STDOUT] = os.fdopen(aside, "w", encoding="utf-8", errors="backslashreplace")
        _without_capture(config, lambda: os.dup2(_STDERR, _STDOUT))
    elif sys.stdout is not None:
        config.stash[STDOUT] = sys.stdout
    silence(config)
    # After what others do when they let go, and before capturing ends for good.
    config.add_cleanup(lambda: _give_back(config))


def _without_capture(config: pytest.Config, change: Callable[[], object]) -> None:
    """Change a descriptor that pytest's capture has a copy of, to which it goes back."""
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    if capture is None or not capture.is_globally_capturing():
        change()
        return
    early = capture.read_global_capture()
    capture.stop_global_capturing()
    change()
    capture.start_global_capturing()
    capture.suspend_global_capture()
    # What was printed while the checks' own plugins were loaded.
    sys.stderr.write(f"{early.out}{early.err}")


def speak(config: pytest.Config) -> None:
    """Give sys.stdout back: by now pytest's terminal holds on to where it was told to write."""
    if _FORMER in config.stash:
        sys.stdout = config.stash[_FORMER]


def release(config: pytest.Config) -> None:
    """Let go of nowhere."""
    nowhere = config.stash.get(_NOWHERE, None)
    if nowhere is None:
        return
    if sys.stdout is nowhere:
        speak(config)
    nowhere.close()


def _give_back(config: pytest.Config) -> None:
    stdout = config.stash.get(STDOUT, None)
    if stdout is not None and stdout is not config.stash[_FORMER]:
        capture: Any = config.pluginmanager.getplugin("capturemanager")
        if capture is not None:
            capture.stop_global_capturing()
        for stream in filter(None, (sys.stdout, sys.__stdout__, config.stash[_FORMER])):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()  # what Python has kept of it must not come after the document
        os.dup2(stdout.fileno(), _STDOUT)
        with contextlib.suppress(OSError):  # who read it is gone, and that was told
            stdout.close()
