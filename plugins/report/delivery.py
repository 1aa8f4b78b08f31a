"""Where a run's documents go: to files, and at most one of them to stdout, alone there.

A document is asked for by an option that takes a path, `-` for stdout, or that is for stdout only.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TextIO

import pytest

from plugins.report.account import opened
from plugins.report.document import save
from plugins.report.terminal import to_nowhere

# The option's name in pytest's configuration, and how it is typed.
DOCUMENTS = {
    "health_json": "--health-json",
    "prometheus": "--prometheus",
    "tap": "--tap",
    "agent_report": "--agent-report",
    "nagios_line": "--nagios",
}
# Pages of others that must not be written over.
_OTHERS = {"htmlpath": "--html", "xmlpath": "--junitxml"}
STDOUT = pytest.StashKey[TextIO]()
WRITTEN = pytest.StashKey[list[str]]()


def placed(config: pytest.Config, target: str) -> Path:
    """Return a path of the command line as one from where it was typed."""
    return Path(config.invocation_params.dir, Path(target).expanduser())


def named(config: pytest.Config, path: Path) -> str:
    """Return a path as it is shown."""
    return os.path.relpath(path, config.invocation_params.dir)


def target_of(config: pytest.Config, option: str) -> str:
    """Return where a document is to go: a path, "-" for stdout, "" where it was not asked for."""
    value = config.getoption(option, None)
    return "-" if value is True else str(value or "")


def on_stdout(config: pytest.Config) -> str:
    """Return the document that has stdout for itself, as its option is typed, "" for none.

    Raises:
        pytest.UsageError: two of them want it.
    """
    wanting = [words for name, words in DOCUMENTS.items() if target_of(config, name) == "-"]
    if len(wanting) > 1:
        raise pytest.UsageError(f"only one document fits on stdout: {', '.join(wanting)}")
    return wanting[0] if wanting else ""


def refuse_bad_targets(config: pytest.Config) -> None:
    """Refuse, before anything is looked at, what can be seen not to be writable.

    Raises:
        pytest.UsageError: a folder that is not there or not writable, something else than an
            ordinary file, or a file that two documents are to go to.
    """
    asked = {words: target_of(config, name) for name, words in (DOCUMENTS | _OTHERS).items()}
    taken: dict[str, str] = {}
    for words, target in asked.items():
        if target in {"", "-"}:
            continue
        path = placed(config, target)
        other = taken.setdefault(os.path.realpath(path), words)
        if other != words:
            raise pytest.UsageError(f"{words} and {other} cannot both be written to {target}")
        trouble = _trouble(path) if words in DOCUMENTS.values() else ""
        if trouble:
            raise pytest.UsageError(f"{words} {target}: {trouble}")


def no_place(path: Path) -> str:
    """Say why no file can be made in a path's folder; "" where one can."""
    if not path.parent.is_dir():
        return "its folder is not there"
    may = os.access(path.parent, os.W_OK | os.X_OK)
    return "" if may else "its folder cannot be written to"


def _trouble(path: Path) -> str:
    if trouble := no_place(path):
        return trouble
    try:
        mode = path.lstat().st_mode
    except OSError:
        return ""
    # It would be replaced, and not written through: a device, a pipe, a link, or /dev/null.
    return "" if stat.S_ISREG(mode) else "it is not an ordinary file (- is stdout)"


def deliver(config: pytest.Config, option: str, text: str, what: str, *, mode: int = 0o600) -> str:
    """Write a document that was asked for to where it is to go.

    Args:
        config: of the session.
        option: a key of `DOCUMENTS`.
        text: the whole document.
        what: what it is, with its article.
        mode: of its file.

    Returns:
        What kept it from there, in a sentence; "" when nothing did.
    """
    target = target_of(config, option)
    if target != "-":
        return put(config, placed(config, target), text, what, mode=mode, asked=target)
    stdout = config.stash.get(STDOUT, None)
    try:
        print(text, end="", file=stdout or sys.stdout, flush=True)
    except OSError as error:
        if stdout is None:
            to_nowhere()
        return _told(config, f"{what} could not be written to stdout: {error.strerror}", loud=True)
    return ""


def put(
    config: pytest.Config, path: Path, text: str, what: str, *, mode: int = 0o600, asked: str = ""
) -> str:
    """Write a document to a file, whole or not at all; return what kept it from there, or "".

    Args:
        config: of the session.
        path: of the file.
        text: the whole document.
        what: what it is, with its article.
        mode: of the file.
        asked: the path as somebody typed it; "" where nobody asked.
    """
    try:
        save(path, text, mode)
    except OSError as error:
        # Without the name of the temporary file: a watch writes again and again.
        shown = asked or named(config, path)
        trouble = f"{what} could not be written: {shown}: {error.strerror}"
        return _told(config, trouble, loud=bool(asked))
    if named(config, path) not in config.stash[WRITTEN]:
        config.stash[WRITTEN].append(named(config, path))
    return ""


def _told(config: pytest.Config, trouble: str, *, loud: bool) -> str:
    known = opened(config).warnings
    if trouble not in known:
        known.append(trouble)
        if loud:
            sys.stderr.write(f"{trouble}\n")
    return trouble
