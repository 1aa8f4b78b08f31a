"""What is answered to whom: pages as the last round left them, and whether the rounds go on.

It opens nothing and waits for nothing. It is loaded by the process that serves, which has nothing
of this project but this folder.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import ipaddress
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PATHS = ("/healthz", "/report", "/report.json", "/metrics")
_PLAIN = "text/plain; charset=utf-8"
_JSON = "application/json"
_CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PACKED_FROM = 1024  # bytes; what is shorter goes as it is
REASONS = {
    200: "OK",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    421: "Misdirected Request",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}
# Evidence names private files: nobody keeps it, embeds it, or takes it for something else.
_ALWAYS = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answer:
    """One answer: its status, its headers but those of the connection, and its bytes."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True)
class Page:
    """One page as a round left it.

    Args:
        kind: its media type.
        body: its bytes.
        policy: what a browser may load and run of it.
    """

    kind: str
    body: bytes
    policy: str = ""
    tag: str = field(init=False)
    packed: bytes = field(init=False, default=b"")

    def __post_init__(self) -> None:
        """Work out once what every client is told."""
        object.__setattr__(self, "tag", hashlib.sha256(self.body).hexdigest()[:32])
        if len(self.body) >= _PACKED_FROM:
            object.__setattr__(self, "packed", gzip.compress(self.body, 4, mtime=0))

    def answer(self, asked: Mapping[str, str]) -> Answer:
        """Return it whole, packed where the client takes that, or "as you have it"."""
        packed = bool(self.packed) and _takes_gzip(asked.get("accept-encoding", ""))
        tag = f'"{self.tag}{"-gzip" if packed else ""}"'
        headers: Headers = (("ETag", tag), ("Vary", "Accept-Encoding"))
        known = [one.strip() for one in asked.get("if-none-match", "").split(",")]
        if "*" in known or tag in (one.removeprefix("W/") for one in known):
            return _answer(304, self.kind, b"", headers)
        if packed:
            headers = (*headers, ("Content-Encoding", "gzip"))
        return _answer(200, self.kind, self.packed if packed else self.body, headers, self.policy)


def _takes_gzip(accepted: str) -> bool:
    for one in accepted.split(","):
        name, _, rest = one.partition(";")
        if name.strip().lower() == "gzip":
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", rest)
    return False


def _answer(status: int, kind: str, body: bytes, headers: Headers = (), policy: str = "") -> Answer:
    always = (*_ALWAYS, ("Content-Security-Policy", policy or _CLOSED))
    return Answer(status, (("Content-Type", kind), *always, *headers), body)


def told(status: int, sentence: str, headers: Headers = ()) -> Answer:
    """Return an answer that is a line of text."""
    body = f"{status} {REASONS[status]}: {sentence}\n".encode()
    return _answer(status, _PLAIN, body, headers)


def now() -> float:
    """Return seconds of a clock that all processes share, and that goes on in a machine's sleep."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass
class Answers:
    """What the watch has told so far, and what is made of it for a client.

    Args:
        token: that every client must name; empty where only this machine can ask.
        names: by which a client on this machine may call us, where there is no token.
        stale_after: seconds after the end of a round, after which nothing is known any more.
    """

    token: str = ""
    names: frozenset[str] = frozenset()
    stale_after: float = 0.0
    _pages: dict[str, Page] = field(default_factory=dict)
    _round: dict[str, Any] | None = None

    def take(self, message: Mapping[str, Any], bodies: Sequence[bytes]) -> None:
        """Take what the watch tells: the rules, a round, or all pages anew."""
        if "rules" in message:
            rules = message["rules"]
            self.token, self.stale_after = rules["token"], rules["stale_after"]
            self.names = frozenset(rules["names"])
        if "pages" in message:
            kinds = message["pages"].items()
            self._pages = {
                path: Page(kind, body, policy)
                for (path, (kind, policy)), body in zip(kinds, bodies, strict=True)
            }
        if "round" in message:
            self._round = message["round"]

    def answer(self, method: str, target: str, asked: Mapping[str, str]) -> Answer:
        """Return the answer to one request.

        Args:
            method: as it was sent.
            target: the path, perhaps with a query.
            asked: the request's headers by their name in small letters.
        """
        refused = self._refused(asked)
        if refused is not None:
            return refused
        path = target.partition("?")[0]
        if path not in PATHS:
            return told(404, f"here are {', '.join(PATHS)}")
        if method not in {"GET", "HEAD"}:
            return told(405, "this is only to be read", (("Allow", "GET, HEAD"),))
        if path == "/healthz":
            return self._health()
        if path in self._pages:
            return self._pages[path].answer(asked)
        if self._pages:
            return told(404, "this watch makes no such page")
        return told(503, "starting: the first round is not over", (("Retry-After", "5"),))

    def _refused(self, asked: Mapping[str, str]) -> Answer | None:
        if self.token:
            scheme, _, given = asked.get("authorization", "").partition(" ")
            sent, own = given.strip().encode("utf-8", "replace"), self.token.encode()
            if not (hmac.compare_digest(sent, own) and scheme.lower() == "bearer"):
                realm = (("WWW-Authenticate", 'Bearer realm="health"'),)
                return told(401, "send the header `Authorization: Bearer TOKEN`", realm)
        elif "host" in asked and not self._is_ours(asked["host"]):
            # A page of somebody else's, whose name leads here by now, would read it all.
            return told(421, "this answers to localhost and loopback addresses: see docs/serve.md")
        return None

    def _is_ours(self, host: str) -> bool:
        name = re.sub(r":[0-9]*$", "", host.strip().lower()).strip("[]").rstrip(".")
        if name in self.names or name == "localhost":
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False

    def _health(self) -> Answer:
        known = self._round
        if known is None:
            return self._said(503, "starting", "the first round is not over", {})
        age = max(0.0, now() - known["at"])
        more = {"exit_status": known["status"], "rounds": known["rounds"], "age_s": round(age, 1)}
        if age > self.stale_after:
            return self._said(503, "stale", f"no round was over for {age:.0f} s", more)
        if known["status"] != 0:
            return self._said(503, "unhealthy", known["verdict"], more)
        return self._said(200, "healthy", known["verdict"], more)

    @staticmethod
    def _said(status: int, word: str, verdict: str, more: Mapping[str, object]) -> Answer:
        body = json.dumps({"status": word, "verdict": verdict, **more}).encode() + b"\n"
        return _answer(status, _JSON, body)
