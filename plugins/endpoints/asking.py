"""jq programs over logs: each in a process of its own, which sees the logs and nothing else."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plugins.endpoints import querying
from plugins.endpoints.errors import in_words
from plugins.eyes import tail as tail_eye
from plugins.hosts import Host
from plugins.outcomes import TimedOut, TooBig, ToolMissing, WrongKind
from plugins.redaction import redact
from plugins.text import printable


@dataclass(frozen=True)
class Asked:
    """What came of it.

    Attributes:
        values: what the last program gave.
        entries: how many entries of the logs it was asked about.
    """

    values: tuple[Any, ...]
    entries: int


def asked(
    host: Host,
    paths: Sequence[str],
    *,
    each: str = "",
    program: str = "",
    having: str = "",
    since: float | None = None,
    limit: int = 4 << 20,
    deadline: float = 10.0,
) -> Asked:
    """Return what jq programs make of the entries of logs: JSON lines, or objects one by one.

    The programs are the user's: they run in a process that is killed at the deadline, may use a GiB
    of memory, has no environment and cannot open a file.

    Args:
        host: this machine.
        paths: regular files; a last link is followed.
        each: a program for each entry, "" for the entry itself.
        program: a program for the array of what `each` gave; "" for those values themselves.
        having: a text that stands in each entry that counts.
        since: seconds since 1970; None for the newest 8 MiB of each log. A log of more than 64
            MiB is searched for where that time begins: its entries stand in the order of time.
        limit: bytes of JSON that may be given.
        deadline: seconds.

    Raises:
        WrongKind: no jq program, or one that fails on an entry.
        TooBig: it gives more than the limit.
        TimedOut, NotThere, NoPermission, ToolMissing: as elsewhere.
    """
    if not host.is_local:
        raise ToolMissing(f"jq's library, which a query needs, runs here and not on {host.spec}")
    for path in paths:
        with in_words(path):
            tail_eye.check(path, follow=True)
    order: dict[str, Any] = {"paths": list(paths), "each": each, "program": program}
    order |= {"having": having, "since": since, "seconds": deadline}
    zone = [f"TZ={os.environ['TZ']}"] if "TZ" in os.environ else []
    argv = ("env", "-i", *zone, "LC_ALL=C.UTF-8", sys.executable, "-I", querying.__file__)
    what = f"the query on {', '.join(map(printable, paths))}"
    try:
        ran = host.run(argv, stdin=json.dumps(order).encode(), deadline=deadline, limit=limit)
    except TimedOut:
        raise TimedOut(what, deadline) from None
    if ran.truncated:
        raise TooBig(f"what {what} makes of it", limit)
    try:
        told = json.loads(ran.out)
    except ValueError:
        raise WrongKind(f"{what}: jq itself broke off (status {ran.status})") from None
    if "error" in told:
        raise WrongKind(f"{what}: {printable(redact(told['error']))}")
    return Asked(tuple(told["values"]), told["entries"])
