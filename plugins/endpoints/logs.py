"""Logs: known issues, levels and broken lines, in one pass, and nothing read twice between runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plugins.endpoints import history
from plugins.endpoints.errors import in_words
from plugins.endpoints.hits import Hits
from plugins.endpoints.memory import Memory
from plugins.endpoints.signatures import Signature
from plugins.eyes import lines as lines_eye
from plugins.eyes import scan as scan_eye
from plugins.hosts import Host
from plugins.outcomes import TimedOut
from plugins.text import printable

if TYPE_CHECKING:
    from plugins.endpoints.asking import Asked
    from plugins.queries import Query


@dataclass(frozen=True)
class Scan:
    """What a log says, from its first line to its last complete one.

    Attributes:
        hits: by the key of the signature; only those that showed.
        bytes_read: by this run; 0 when nothing had changed.
    """

    hits: Mapping[str, Hits]
    bytes_read: int


@dataclass(frozen=True)
class BadLine:
    """A line that is no JSON or too long: its number from 1, byte offset, and what is wrong."""

    number: int
    offset: int
    why: str


@dataclass(frozen=True)
class JsonLines:
    """A file of JSON lines, judged line by line.

    Attributes:
        lines: complete ones.
        bad: the first 1000 that are no JSON; empty lines are not.
        long: the first 1000 over the limit.
        bad_count, long_count: all of them.
        undecodable: lines that are not UTF-8.
        cut_last: whether something stands behind the last line end.
        bytes_read: by this run.
    """

    lines: int
    bad: tuple[BadLine, ...]
    bad_count: int
    long: tuple[BadLine, ...]
    long_count: int
    undecodable: int
    cut_last: bool
    bytes_read: int


class Logs:
    """The logs of a host; the same question is answered once in a look."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._memory = Memory()

    def scan(
        self,
        path: str,
        signatures: Sequence[Signature],
        *,
        since: float | None = None,
        cursor_folder: str | None = None,
        deadline: float = 30.0,
        follow: bool = True,
        zone: str = "",
    ) -> Scan:
        """Look for all signatures in one pass.

        Args:
            path: a regular file of lines, JSON or not.
            since: seconds since 1970; older lines are not counted in hits, errors and warnings. A
                line without a time has that of the line before it; without any, it is counted.
            cursor_folder: a folder on this machine to remember in what was read; None reads it all.
            deadline: seconds; what was read until then is not read again by the next run.
            follow: whether a last symbolic link is followed.
            zone: that of times which name none, such as "Z"; "" for the host's own.

        Raises:
            NotThere, NoPermission, WrongKind: no such file, or no regular one.
            TimedOut: the file could not be read to its end.
        """
        rules = [signature.rule for signature in signatures]
        digest = hashlib.sha256(json.dumps(rules).encode()).hexdigest()
        told = self._memory.once(
            ("scan", path, digest, cursor_folder, follow, zone),
            lambda: self._scan(path, rules, digest, cursor_folder, deadline, follow, zone),
        )
        tallies = told["tallies"]
        seen = {key: _hits(tally, since) for key, tally in tallies.items()}
        return Scan(
            hits={key: hits for key, hits in seen.items() if hits.count},
            bytes_read=told["read"],
        )

    def _scan(
        self,
        path: str,
        rules: list[list[Any]],
        digest: str,
        folder: str | None,
        deadline: float,
        follow: bool,
        zone: str,
    ) -> dict[str, Any]:
        before = history.recall(folder, (self._host.spec, path, digest))
        words = (path, rules, before.get("cursor", {}), deadline, follow, zone)
        with in_words(path):
            if self._host.is_local:
                from plugins.endpoints.words import finder

                found = scan_eye.scan(*words, finder)
            else:
                found = self._host.call(scan_eye.scan, *words, deadline=deadline + 5)
        told = found if found["again"] else history.scans_joined(before, found)
        history.keep(folder, (self._host.spec, path, digest), told)
        if told["cursor"]["unread"]:
            raise TimedOut(f"reading {printable(path)}", deadline)
        return told

    def json_lines(
        self,
        path: str,
        *,
        limit_line: int = 1 << 20,
        cursor_folder: str | None = None,
        deadline: float = 30.0,
        follow: bool = False,
    ) -> JsonLines:
        """Judge each complete line: is it JSON, and is it at most `limit_line` bytes long.

        Args and errors as `scan`; `limit_line` is at most a MiB.
        """
        told = self._memory.once(
            ("json", path, limit_line, cursor_folder, follow),
            lambda: self._json_lines(path, limit_line, cursor_folder, deadline, follow),
        )
        return JsonLines(
            lines=told["lines"],
            bad=tuple(BadLine(row[0], row[1], "not JSON") for row in told["bad"]),
            bad_count=told["bad_total"],
            long=tuple(BadLine(row[0], row[1], f"over {limit_line} bytes") for row in told["long"]),
            long_count=told["long_total"],
            undecodable=told["undecodable"],
            cut_last=told["cut_last"],
            bytes_read=told["read"],
        )

    def _json_lines(
        self, path: str, limit: int, folder: str | None, deadline: float, follow: bool
    ) -> dict[str, Any]:
        question = (self._host.spec, path, f"json {limit}")
        before = history.recall(folder, question)
        words = (path, limit, before.get("cursor", {}), deadline, follow)
        with in_words(path):
            if self._host.is_local:
                import msgspec

                decode = msgspec.json.Decoder(msgspec.Raw).decode
                refusals = (msgspec.DecodeError, RecursionError)
                found = lines_eye.json_lines(*words, decode, refusals)
            else:
                found = self._host.call(lines_eye.json_lines, *words, deadline=deadline + 5)
        told = found if found["again"] else history.lines_joined(before, found)
        history.keep(folder, question, told)
        if told["cursor"]["unread"]:
            raise TimedOut(f"reading {printable(path)}", deadline)
        return told

    def query(
        self, path: str, program: str, *, limit: int = 4 << 20, deadline: float = 10.0
    ) -> tuple[Any, ...]:
        """Return what a jq program makes of each entry of a log of this host; see `asked`.

        Args:
            path: a file of JSON lines; lines that are no JSON are passed over.
            program: such as `select(.level == "ERROR") | .msg`.
            limit: bytes of JSON that it may give.
            deadline: seconds.

        Raises:
            WrongKind: it is no jq program, or fails on a line.
            TooBig: it gives more than the limit.
            TimedOut, NotThere, NoPermission, ToolMissing: as elsewhere.
        """
        from plugins.endpoints.asking import asked

        return asked(self._host, (path,), each=program, limit=limit, deadline=deadline).values

    def ask(self, query: Query, paths: Sequence[str], *, deadline: float = 20.0) -> Asked:
        """Return what a query of the systems file makes of some logs, older entries left out."""
        import time

        from plugins.endpoints.asking import asked

        since = time.time() - query.hours * 3600 if query.hours else None
        return asked(
            self._host,
            paths,
            each=query.each,
            program=query.program,
            having=query.having,
            since=since,
            deadline=deadline,
        )


def hits_in(text: bytes, signatures: Sequence[Signature]) -> dict[str, Hits]:
    """Return what shows in lines that are here already, such as those of a journal."""
    reading = scan_eye.Reading([signature.rule for signature in signatures], None)
    if text:
        reading.take(text if text.endswith(b"\n") else text + b"\n")
    return {key: _hits(tally, None) for key, tally in reading.tallies().items()}


def _hits(tally: Mapping[str, Any], since: float | None) -> Hits:
    after = float("-inf") if since is None else since
    times = [at for at in tally["times"] if at >= after]
    # An hour counts whole: only where more than the exact times are asked for.
    hours = {int(hour): n for hour, n in tally["hours"].items() if (int(hour) + 1) * 3600 > after}
    seen = [*times, *(max(hour * 3600.0, after) for hour in hours)]
    kept = [line for at, line in tally["lines"] if at is None or at >= after]
    return Hits(
        count=len(times) + sum(hours.values()) + tally["undated"],
        first_seen=min(seen, default=None),
        last_seen=max(seen, default=None),
        lines=tuple(printable(line) for line in kept),
    )
