"""The places of an nginx configuration that pass requests on to one port of this host."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from plugins.endpoints.nginx import Directive, seconds

# In these a proxy tells whose request it passes on.
ADDRESS_HEADERS = ("x-real-ip", "x-forwarded-for")
_NEVER = (0, 0)
_DEFAULT_TIMEOUT = 60.0
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Proxied:
    """A `proxy_pass` to the server, with what is in force there.

    Args:
        where: its file and line.
        server: the file and line of the server block around it, empty outside one.
        location: the words of its location, empty outside one.
        http_version: as set, empty where it is not.
        upgrade: what the Upgrade header is set to, empty where it is not.
        connection: what the Connection header is set to, empty where it is not.
        read_timeout: seconds; nginx's own default where it is not set.
        address_headers: the headers with the client's address that are passed on.
    """

    where: str
    server: str
    location: str
    http_version: str
    upgrade: str
    connection: str
    read_timeout: float
    address_headers: tuple[str, ...]

    def drops(self) -> Iterator[str]:
        """Yield what keeps a WebSocket from getting through here, a sentence each."""
        lines = {
            "proxy_http_version 1.1": self.http_version in {"1.1", "2"},
            "proxy_set_header Upgrade $http_upgrade": "upgrade" in self.upgrade.lower()
            or self.upgrade.lower() == "websocket",
            'proxy_set_header Connection "upgrade"': "upgrade" in self.connection.lower(),
        }
        for line, is_set in lines.items():
            if not is_set:
                yield f"{self.where}: `{line};` is not set"

    def hurries(self, patience: float) -> Iterator[str]:
        """Yield that it waits for less than `patience` seconds, where it does."""
        if self.read_timeout < patience:
            yield f"{self.where}: proxy_read_timeout is {self.read_timeout:g} s"


@dataclass(frozen=True)
class _Scope:
    """What the blocks around a directive have set; inner values win."""

    server: str = ""
    location: str = ""
    values: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def within(self, block: Iterable[Directive], location: str) -> _Scope:
        """The scope inside a block: header lines are inherited only where the block sets none."""
        plain = [one for one in block if one.block is None]
        values = {one.name: one.words[0] for one in plain if one.words}
        set_here = [one.words for one in plain if one.name == "proxy_set_header"]
        headers = {words[0].lower(): words[1] for words in set_here if len(words) > 1}
        return _Scope(self.server, location, self.values | values, headers or self.headers)


def proxied(top: tuple[Directive, ...], port: int, names: Collection[str]) -> Iterator[Proxied]:
    """Each place that passes to `port` on one of `names`, directly or through an upstream."""
    upstreams = _upstreams(top)
    todo = [(top, _Scope())]
    while todo:
        block, around = todo.pop()
        scope = around.within(block, around.location)
        for one in block:
            if one.block is not None:
                todo.append((one.block, _inside(one, scope)))
            elif one.name == "proxy_pass" and one.words:
                targets = _targets(one.words[0], upstreams)
                if any(host in names and at == port for host, at in targets):
                    yield _place(one, scope)


def _inside(one: Directive, scope: _Scope) -> _Scope:
    if one.name == "server":
        return replace(scope, server=f"{one.file}:{one.line}")
    return replace(scope, location=" ".join(one.words)) if one.name == "location" else scope


def carrying(places: Iterable[Proxied], path: str) -> tuple[Proxied, ...]:
    """Return the place of each server block to which nginx would bring a request for `path`.

    A named location is taken for one that gets it, as another place may send everything there.
    """
    servers: dict[str, list[Proxied]] = {}
    for each in places:
        servers.setdefault(each.server, []).append(each)
    found: list[Proxied] = []
    for block in servers.values():
        ranked = [(_rank(each.location, path), each) for each in block]
        best = max((rank for rank, _ in ranked), default=_NEVER)
        found += [each for rank, each in ranked if rank == best != _NEVER]
    return tuple(found)


def _rank(location: str, path: str) -> tuple[int, int]:
    """Return how strong a location's claim to the path is: exact, `^~`, pattern, prefix."""
    sign, _, rest = location.rpartition(" ")
    if sign == "=":
        return (4, 0) if rest == path else _NEVER
    if sign in {"~", "~*"}:
        try:
            fits = re.search(rest, path, re.IGNORECASE if sign == "~*" else 0)
        except re.error:
            return _NEVER
        return (2, 0) if fits else _NEVER
    if rest.startswith("@") or not rest:
        return 1, 0
    return ((3 if sign == "^~" else 1), len(rest)) if path.startswith(rest) else _NEVER


def _place(one: Directive, scope: _Scope) -> Proxied:
    """What is in force at this `proxy_pass`."""
    given = scope.headers
    return Proxied(
        where=f"{one.file}:{one.line}",
        server=scope.server,
        location=scope.location,
        http_version=scope.values.get("proxy_http_version", ""),
        upgrade=given.get("upgrade", ""),
        connection=given.get("connection", ""),
        read_timeout=_timeout(scope.values.get("proxy_read_timeout", "")),
        address_headers=tuple(name for name in ADDRESS_HEADERS if given.get(name)),
    )


def _timeout(word: str) -> float:
    """The seconds that the word states, or nginx's default."""
    stated = seconds(word)
    return _DEFAULT_TIMEOUT if stated is None else stated


def _upstreams(top: tuple[Directive, ...]) -> dict[str, tuple[str, ...]]:
    """The servers of each upstream group, by its name."""
    found: dict[str, tuple[str, ...]] = {}
    todo = [top]
    while todo:
        for one in todo.pop():
            if one.name == "upstream" and one.words and one.block is not None:
                servers = (
                    line.words[0] for line in one.block if line.name == "server" and line.words
                )
                found[one.words[0]] = tuple(servers)
            elif one.block is not None:
                todo.append(one.block)
    return found


def _targets(url: str, upstreams: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, int]]:
    """Host and port of each server that the URL leads to; none where it holds a variable."""
    scheme, _, rest = url.partition("://")
    if scheme not in _DEFAULT_PORTS:
        return
    group = rest.partition("/")[0]
    for address in upstreams.get(group, (group,)):
        try:
            split = urlsplit(f"//{address}")
            yield (split.hostname or "").lower(), split.port or _DEFAULT_PORTS[scheme]
        except ValueError:
            continue
