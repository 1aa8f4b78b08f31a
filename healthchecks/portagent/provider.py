"""The one request of a run to the provider, and how far it got."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from healthchecks.portagent.generations import is_second
from healthchecks.portagent.system import Portagent
from healthchecks.portagent.variables import Variable
from plugins import Absent, CannotTell, NoPermission, WrongKind, printable
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.http import Answer, Http
from plugins.endpoints.proxying import VARIABLES, proxy_for
from plugins.endpoints.wires import Stage, address_of
from plugins.hosts import Host
from plugins.redaction import Secret, redact

USUAL = "https://api.anthropic.com"
KEY, URL, AUTHORITIES = "LLM_PROVIDER_KEY", "LLM_PROVIDER_URL", "NODE_EXTRA_CA_CERTS"
_HARMLESS = "/v1/models"  # it costs nothing, and tells without a key that an API answers
_PROXIES = ("http", "https")
_VERSION = "2023-06-01"
_LONGEST = 25.0  # the probe ends soon after


@dataclass(frozen=True)
class Provider:
    """Where the provider is, and how the server gets there.

    Args:
        url: of the harmless path, without a name and password.
        named_by: what names it, "" for the usual one.
        proxy: the proxy's URL, which may hold a password; empty for none.
        way: in words.
        authorities: PEM of certificates that the server trusts beside the usual ones.
        key: what the server was given as its key; None where it was given none.
    """

    url: str
    named_by: str
    proxy: Secret
    way: str
    authorities: str
    key: Variable | None

    @property
    def is_private(self) -> bool:
        """Whether what we send is read by nobody on the way."""
        return self.url.startswith("https:") or address_of(self.url, ("http",)).loopback


@dataclass(frozen=True)
class Reply:
    """How far the request got.

    Args:
        stage: where it failed; "" where an API answered.
        trouble: in words, "" where an API answered.
        status: of the answer, 0 where there was none.
        seconds: that it took.
    """

    stage: str
    trouble: str
    status: int
    seconds: float


def provider_of(system: Portagent, commands: Host, filesystem: Filesystem) -> Provider:
    """Find out where the provider is, as the server was told.

    Raises:
        Absent: the second generation, which keeps its provider in its database.
        CannotTell: the server is on a far host, so that it goes another way than we would, or what
            it was started with is not ours to see.
    """
    if is_second(system, filesystem):
        raise Absent("a provider that is named by variables: the second generation keeps its own")
    if not commands.is_local:
        raise CannotTell(f"whether {commands.spec} reaches the provider cannot be told from here")
    base, named_by = system.settings.provider_url, "provider_url"
    if not base:
        told = _variable(system, URL)
        # One that is set to nothing counts as none.
        base, named_by = (told.value.reveal(), str(told)) if told and told.value else (USUAL, "")
    found = _proxies(system)
    url = f"{_bare(base).rstrip('/').removesuffix('/v1')}{_HARMLESS}"
    proxy, name = proxy_for(url, {name: one.value.reveal() for name, one in found.items()})
    way = f"through the proxy {_shown(proxy)}, {found[name]}" if proxy else "directly"
    authorities = _authorities(system, filesystem)
    return Provider(url, named_by, Secret(proxy), way, authorities, system.variable(KEY))


def _proxies(system: Portagent) -> dict[str, Variable]:
    """Return the variables that name proxies: the server's, or ours where it has not been seen."""
    found = {name: one for name in VARIABLES if (one := _variable(system, name))}
    if found or system.pid or system.container:
        return found
    ours = ((name, os.environ[name]) for name in VARIABLES if name in os.environ)
    return {name: Variable(name, Secret(value), "our own environment") for name, value in ours}


def _variable(system: Portagent, name: str) -> Variable | None:
    """Return a variable of the server, None where it has none.

    Raises:
        CannotTell: something that may set it is not ours to see.
    """
    found = system.variable(name)
    if found is None and system.hidden:
        raise CannotTell(f"whether it has {name} cannot be told without {system.hidden[0]}")
    return found


def _authorities(system: Portagent, filesystem: Filesystem) -> str:
    """Return the further certificates that the server trusts, as PEM."""
    named = system.variable(AUTHORITIES)
    return filesystem.text(named.value.reveal(), follow=True) if named is not None else ""


def _bare(url: str) -> str:
    """Return a URL without a name, a password, a query and a fragment."""
    scheme, slashes, rest = url.strip().partition("://")
    if not slashes:
        return scheme.rpartition("@")[2]
    place, slash, path = rest.partition("/")
    kept = path.partition("?")[0].partition("#")[0]
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{kept}"


def _shown(url: str) -> str:
    """Return a URL for a sentence."""
    return printable(redact(_bare(url)), 120)


def ask(http: Http, provider: Provider, *, with_key: bool, deadline: float) -> Reply:
    """Ask the harmless path; in one look it is asked once, whoever asks.

    Raises:
        NoPermission: this machine forbids us the way.
    """
    headers = {"anthropic-version": _VERSION, "accept": "application/json"}
    if with_key and provider.key is not None and provider.is_private:
        headers["x-api-key"] = provider.key.value.reveal()
    limit = min(deadline, _LONGEST)
    if fault := _proxy_fault(provider.proxy.reveal()):
        return Reply(Stage.PROXY, f"{Stage.PROXY}: {fault}", 0, 0.0)
    try:
        answer = http.get(
            provider.url,
            deadline=limit,
            verify=True,
            headers=headers,
            proxy=provider.proxy.reveal(),
            authorities=provider.authorities,
        )
    except NoPermission:
        raise
    except CannotTell as met:
        stage = met.stage or "URL"
        return Reply(stage, f"{stage}: {met}", 0, limit)
    stage, words = _met(answer)
    return Reply(stage, f"{stage}: {words}" if words else "", answer.status, answer.seconds)


def _proxy_fault(proxy: str) -> str:
    """Return why the server cannot use what is named as its proxy, "" where it can."""
    scheme, _, _ = proxy.partition("://")
    if not proxy:
        return ""
    if scheme.lower() not in _PROXIES:
        return f"it uses none of the kind {printable(scheme, 20)}, only HTTP proxies"
    try:
        address_of(proxy, _PROXIES)
    except WrongKind:
        return "what the variable names is no URL"
    return ""


def is_within(system: Portagent, provider: Provider) -> bool:
    """Whether the way begins at a name that may mean something else inside of its container."""
    if not system.container:
        return False
    try:
        first = address_of(provider.proxy.reveal() or provider.url, _PROXIES)
    except WrongKind:
        return False
    name = first.name.lower()
    return first.loopback or "." not in name.strip(".") or name.endswith((".internal", ".local"))


def _met(answer: Answer) -> tuple[str, str]:
    """Return where an answer shows that no API is to be had, and why; ("", "") where one is."""
    status, kind = answer.status, answer.content_type
    if status == 407:
        return Stage.PROXY, "the proxy asks who we are (HTTP 407)"
    if status == 429:
        return Stage.ANSWER, "it limits requests (HTTP 429)"
    if status >= 500 and status != 511:
        return Stage.ANSWER, f"it answers HTTP {status}"
    if 300 <= status < 400:
        there = urlsplit(printable(answer.header("location"), 200)).netloc.rpartition("@")[2]
        return Stage.ANSWER, f"it answers HTTP {status} and sends us to {there or 'another page'}"
    if status == 511 or (status in {200, 403} and kind in {"text/html", "application/xhtml+xml"}):
        return Stage.ANSWER, f"a page answers in its place (HTTP {status}, {printable(kind)})"
    return "", ""
