"""Files of JSON lines of which each must be a record: an object with a text of a certain name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from plugins.endpoints import history
from plugins.endpoints.errors import in_words, outcome_of
from plugins.eyes import records as eye
from plugins.hosts import Host
from plugins.outcomes import CannotTell, TimedOut


@dataclass(frozen=True, slots=True)
class RecordFile:
    """One file as it was judged.

    `bad` is the number of its first bad line from 1, or 0; `long` that of a line that was too long
    to be judged; `size` is bytes; `trouble` says why the file could not be judged at all, or None.
    A last line without its end is not judged.
    """

    path: str
    bad: int
    long: int
    size: int
    trouble: CannotTell | None


def record_files(
    host: Host, paths: Sequence[str], field: str, *, cursor_folder: str | None, deadline: float
) -> tuple[RecordFile, ...]:
    """Judge files of JSON lines; what did not change since the last run is not read again.

    Args:
        host: where they are.
        paths: the files.
        field: the name of a text that every record has, such as "type".
        cursor_folder: a folder on this machine to remember in; None reads everything.
        deadline: seconds for all of them.

    Raises:
        TimedOut: not all could be read; the next run goes on from there.
    """
    if not paths:
        return ()
    question = (host.spec, "records", field, paths[0].rpartition("/")[0])
    before = history.recall(cursor_folder, question).get("files", {})
    with in_words(paths[0]):
        if host.is_local:
            told = eye.records(list(paths), field, before, deadline, _quick(field))
        else:
            told = host.call(
                eye.records, list(paths), field, before, deadline, deadline=deadline + 5
            )
    if told["files"] != before:
        history.keep(cursor_folder, question, {"files": told["files"]})
    if told["unread"]:
        raise TimedOut(f"reading {len(told['unread'])} of {len(paths)} files", deadline)
    return tuple(_file(path, told["files"][path]) for path in paths)


def _file(path: str, row: dict[str, Any]) -> RecordFile:
    trouble = outcome_of(OSError(row["error"], "", path), path) if row["error"] else None
    return RecordFile(path, row["bad"], row["long"], row["size"], trouble)


def _quick(field: str) -> Callable[[bytes], object]:
    """Return a judge that is many times as fast as the standard library's, and as strict."""
    import msgspec

    decode = msgspec.json.Decoder(msgspec.defstruct("Record", [(field, str)])).decode
    plain = eye.plain(field)

    def judge(line: bytes) -> object:
        try:
            decode(line)
        except (ValueError, RecursionError):
            # JavaScript writes half a surrogate pair as an escape, which is JSON all the same.
            return plain(line)
        # What is passed over is not looked at for being text.
        return line.isascii() or line.decode()

    return judge
