"""The one request of a run to the provider, and how far it got."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from healthchecks.portagent.provider_variables import Variable, given
from healthchecks.portagent.system import Portagent
from plugins import CannotTell, NoPermission, printable
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.http import Answer, Http
from plugins.endpoints.processes import Processes
from plugins.endpoints.proxying import VARIABLES, proxy_for
from plugins.endpoints.wires import Stage, address_of
from plugins.hosts import Host
from plugins.redaction import Secret, redact

USUAL = "https://api.anthropic.com"
KEY, URL, AUTHORITIES = "LLM_PROVIDER_KEY", "LLM_PROVIDER_URL", "NODE_EXTRA_CA_CERTS"
_HARMLESS = "/v1/models"  # it costs nothing, and tells without a key that an API answers
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


def provider_of(
    system: Portagent, commands: Host, processes: Processes, filesystem: Filesystem
) -> Provider:
    """Find out where the provider is, as the server was told.

    Raises:
        CannotTell: the server is on a far host, so that it goes another way than we would.
        NoPermission: what the server was started with is not ours to see.
    """
    if not commands.is_local:
        raise CannotTell(f"whether {commands.spec} reaches the provider cannot be told from here")
    names = (KEY, URL, AUTHORITIES, *VARIABLES)
    found = given(system, names, commands, processes, filesystem)
    base, named_by = system.settings.provider_url, "provider_url"
    if not base:
        told = found.get(URL)
        base, named_by = (told.value.reveal(), f"{URL} of {told.source}") if told else (USUAL, "")
    variables = {name: found[name].value.reveal() for name in VARIABLES if name in found}
    url = f"{_bare(base).rstrip('/').removesuffix('/v1')}{_HARMLESS}"
    proxy, variable = proxy_for(url, variables)
    way = "directly"
    if proxy:
        way = f"through the proxy {_shown(proxy)} ({variable} of {found[variable].source})"
    return Provider(
        url, named_by, Secret(proxy), way, _authorities(found, filesystem), found.get(KEY)
    )


def _authorities(found: Mapping[str, Variable], filesystem: Filesystem) -> str:
    """Return the further certificates that the server trusts."""
    named = found[AUTHORITIES].value.reveal() if AUTHORITIES in found else ""
    return filesystem.text(named, follow=True) if named else ""


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
