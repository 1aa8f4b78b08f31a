"""Reading conversations for the index: piece by piece, each piece of whole lines.

`python -m healthchecks.crash_protection.search_reading FOLDER` reads the paths that stand in its
standard input (JSON, bytes as Latin-1) and writes batches into the folder; its output is the JSON
list of the paths that could not be read. It ends when whoever started it has ended.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from healthchecks.crash_protection.search_batches import Draft, Row, batches
from healthchecks.crash_protection.search_words import words_of

PIECE = 4 << 20
LONGEST = 16 << 20  # bytes of a line; what is longer is not indexed, but always read
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class TooLong(Exception):  # noqa: N818 - what was met
    """A line is longer than what is indexed."""


def identity(status: os.stat_result) -> str:
    """Name one state of one file, as the file system endpoint does."""
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"


def opened(path: bytes) -> int:
    """Open a regular file, and nothing else; no link is followed.

    Raises:
        OSError: it is none, or may not be read.
    """
    descriptor = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{os.fsdecode(path)} is no regular file")
    return descriptor


def pieces(descriptor: int, size: int) -> Iterator[bytes]:
    """Yield a file's content in pieces of whole lines of at least 4 MiB, but for the last.

    Raises:
        TooLong: a line does not end in time.
    """
    with open(descriptor, "rb", buffering=1 << 20, closefd=False) as file:
        while size > 0:
            piece = file.read(min(PIECE, size))
            if len(piece) == PIECE and not piece.endswith(b"\n"):
                rest = file.readline(min(LONGEST, size - PIECE))
                if len(rest) == LONGEST:
                    raise TooLong
                piece += rest
            if not piece:
                return
            size -= len(piece)
            yield piece


def digest_of(piece: bytes) -> str:
    """Return what names a piece by its content."""
    return hashlib.blake2b(piece, digest_size=16).hexdigest()


def read_into(folder: Path, paths: Iterable[bytes], wanted: Callable[[], bool]) -> list[bytes]:
    """Index files; whatever batch is full is written, so that an end at any time loses little.

    Args:
        folder: of the index.
        paths: of the files.
        wanted: asked at each piece whether to go on.

    Returns:
        The paths that cannot be read.
    """
    known = {digest for batch in batches(folder) for digest in batch.head.pieces}
    draft, unread = Draft(folder), []
    for path in paths:
        try:
            descriptor = opened(path)
        except OSError:
            unread.append(path)
            continue
        try:
            row = _row(path, descriptor, draft, known, wanted)
        except OSError:
            unread.append(path)
            continue
        finally:
            os.close(descriptor)
        if not wanted():
            break
        draft.rows.append(row)
    draft.write()
    return unread


def _row(
    path: bytes, descriptor: int, draft: Draft, known: set[str], wanted: Callable[[], bool]
) -> Row:
    status = os.fstat(descriptor)
    found: list[tuple[str, int]] = []
    loose = False
    try:
        for piece in pieces(descriptor, status.st_size):
            if not wanted():
                break
            digest = digest_of(piece)
            found.append((digest, len(piece)))
            if digest not in known:
                known.add(digest)
                draft.add(digest, len(piece), words_of(piece))
    except TooLong:
        loose = True
    return Row(path.decode("latin-1"), identity(status), found, loose)


def main() -> int:
    """Read what the standard input names."""
    parent = os.getppid()
    paths = [path.encode("latin-1") for path in msgspec.json.decode(sys.stdin.buffer.read())]
    unread = read_into(Path(sys.argv[1]), paths, lambda: os.getppid() == parent)
    sys.stdout.buffer.write(msgspec.json.encode([path.decode("latin-1") for path in unread]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
