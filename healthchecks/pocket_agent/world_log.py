"""The small server's log: one JSON object a line on standard output, as the real one writes it."""

from __future__ import annotations

import json
import sys
import threading
import time
from datetime import UTC, datetime


def moment(nanoseconds: int | None = None) -> str:
    """Return a time (nanoseconds since 1970; now when None) as Go's RFC3339Nano in local time."""
    count = time.time_ns() if nanoseconds is None else nanoseconds
    seconds, rest = divmod(count, 1_000_000_000)
    local = datetime.fromtimestamp(seconds, UTC).astimezone()
    offset = local.strftime("%z")
    zone = "Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:]}"
    fraction = f".{rest:09d}".rstrip("0").rstrip(".")
    return local.strftime("%Y-%m-%dT%H:%M:%S") + fraction + zone


class ServerLog:
    """Lines in the real dialect (time, LEVEL, source) or in the guide's (timestamp, level)."""

    def __init__(self, dialect: str) -> None:
        self._guide = dialect == "guide"
        self._lock = threading.Lock()

    def __call__(self, level: str, source: str, msg: str, **attributes: object) -> None:
        """Write one line; `source` is the file and line of the real program's own statement."""
        head: dict[str, object] = {"time": moment(), "level": level, "source": source, "msg": msg}
        if self._guide:
            head = {"timestamp": moment(), "level": level.lower(), "msg": msg}
        line = json.dumps(head | attributes, separators=(",", ":"), ensure_ascii=False)
        self.plain(line)

    def plain(self, text: str) -> None:
        """Write text that is no JSON, as Go's own http package and a panic do."""
        with self._lock:
            sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape") + b"\n")
            sys.stdout.buffer.flush()

    def http(self, text: str) -> None:
        """Write a line of Go's http package, which knows nothing of the JSON log."""
        self.plain(f"{time.strftime('%Y/%m/%d %H:%M:%S')} http: {text}")
