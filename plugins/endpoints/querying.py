"""Runs a jq program over a file of JSON lines, as a process of its own: `querying.py PATH PROGRAM`.

The program comes from a user's configuration and may never end or fill the memory; a process can be
ended and limited, a thread cannot. It prints one JSON value a line.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
from collections.abc import Iterator
from typing import BinaryIO

MOST_MEMORY = 1 << 30
PIECE = 1 << 20


def main(path: str, program: str) -> int:
    """Print what the program makes of each line; return 1, with a sentence, when it cannot."""
    import jq  # type: ignore[import-not-found]

    with contextlib.suppress(ValueError, OSError):  # macOS knows the limit and refuses it
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    try:
        compiled = jq.compile(program)
    except ValueError as error:
        sys.stderr.write(f"not a jq program: {str(error).splitlines()[0]}\n")
        return 1
    with open(path, "rb") as file:
        for text in _pieces(file):
            try:
                for made in compiled.input_text(text):
                    sys.stdout.write(json.dumps(made) + "\n")
            except ValueError as error:
                sys.stderr.write(f"{str(error).splitlines()[0]}\n")
                return 1
    return 0


def _pieces(file: BinaryIO) -> Iterator[str]:
    """Yield about a MiB of lines at a time, without those that are no JSON or over a MiB.

    jq's own reader would give up the rest of the file after one broken line.
    """
    lines: list[bytes] = []
    size = 0
    while line := file.readline(PIECE):
        if _sound(line):
            lines.append(line)
            size += len(line)
        if size >= PIECE:
            yield b"".join(lines).decode("utf-8", "replace")
            lines, size = [], 0
    yield b"".join(lines).decode("utf-8", "replace")


def _sound(line: bytes) -> bool:
    import msgspec

    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
