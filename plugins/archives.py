"""Archives, read to their last byte once and remembered between runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plugins.endpoints import history
from plugins.endpoints.errors import in_words
from plugins.eyes import checksums, marks, plain_tars, tarballs
from plugins.hosts import Host
from plugins.run import Run
from plugins.text import printable


@dataclass(frozen=True)
class BrokenArchive:
    """An archive that does not read to its end, and why."""

    path: str
    fault: str

    def __str__(self) -> str:
        return f"{printable(self.path)}: {printable(self.fault)}"


def read(
    path: str, documents: list[str], commands: Host, run: Run, seconds: float
) -> dict[str, Any]:
    """Read an archive to its last byte, unless an earlier run did and it did not change since.

    A disk may lose bits of what did not change: `--deep` reads everything anew.

    Args:
        path: a tar.gz.
        documents: as `tarballs.read_through` takes them, which says too what is told.
        commands: the host.
        run: knows where is remembered what was read.
        seconds: after which the reading is given up.
    """

    def anew() -> dict[str, Any]:
        return read_once(path, documents, commands, seconds)

    return _remembered("archive", "filled", path, commands, run, anew)


def read_plain(path: str, commands: Host, run: Run, seconds: float) -> dict[str, Any]:
    """Read a tar that is not compressed, as `read` does; `plain_tars.read_plain` says what is told.

    `checksum` is the SHA-256 that is written down beside it, "" for none.
    """

    def anew() -> dict[str, Any]:
        with in_words(path):
            words = (plain_tars.read_plain, path, seconds)
            return commands.call(*words, deadline=seconds + 10)

    told = _remembered("plain", "sha256", path, commands, run, anew)
    with in_words(path):
        return {**told, "checksum": commands.call(checksums.beside, path)}


def _remembered(
    kind: str, key: str, path: str, commands: Host, run: Run, anew: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    folder = str(run.state / "cursors")
    question = (commands.spec, kind, path)
    told, mark = history.recall(folder, question), _mark(path, commands)
    if run.deep or told.get("mark") != mark or key not in told:
        told = anew()
        told["mark"] = mark
        if not told["late"]:
            history.keep(folder, question, told)
    return told


def read_once(path: str, documents: list[str], commands: Host, seconds: float) -> dict[str, Any]:
    """Read an archive to its last byte, and remember nothing of it."""
    with in_words(path):
        return commands.call(tarballs.read_through, path, documents, seconds, deadline=seconds + 10)


def known(path: str, commands: Host, run: Run, kind: str = "archive") -> bool:
    """Tell whether an archive was read by an earlier run and did not change since.

    `kind` is "plain" for one that is not compressed.
    """
    told = history.recall(str(run.state / "cursors"), (commands.spec, kind, path))
    return not run.deep and bool(told) and told.get("mark") == _mark(path, commands)


def _mark(path: str, commands: Host) -> str:
    (mark,) = commands.call(marks.marks, [path], False)
    return mark
