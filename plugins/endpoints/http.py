"""HTTP as it is answered: one request, one answer, no redirect followed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plugins.endpoints.meanings import meaning_of
from plugins.endpoints.memory import Memory
from plugins.endpoints.sessions import session_in
from plugins.endpoints.wires import Dead, Watch, address_of, from_here
from plugins.hosts import Host
from plugins.outcomes import CannotTell, TooBig, WrongKind
from plugins.text import printable

if TYPE_CHECKING:
    from requests import Response, Session

_PIECE = 1 << 16
# What Go's and nginx's servers say on a TLS port to plain HTTP.
_WANTS_TLS = (b"HTTP request to an HTTPS server", b"plain HTTP request was sent to HTTPS port")


@dataclass(frozen=True)
class Answer:
    """What a server answered; a status of 500 is an answer as good as one of 200.

    Attributes:
        headers: names in lower case with their values, in the order of arrival.
        content_type: without parameters, in lower case; "" when there is none.
        body: as decoded from its transfer and content encoding.
        seconds: from the dialing to the last byte.
    """

    url: str
    status: int
    content_type: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float

    def json(self) -> Any:
        """Return the body as JSON data.

        Raises:
            WrongKind: it is not JSON.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise WrongKind(
                f"{printable(self.url)}: the answer is not JSON but {printable(self.body, 60)!r}"
            ) from None

    def header(self, name: str) -> str:
        """Return the first value of a header, "" when it is not there."""
        return next((value for key, value in self.headers if key == name.lower()), "")


class Http:
    """HTTP and HTTPS requests from this machine.

    Loopback is never asked through a proxy; other addresses are when the environment says so,
    unless a request names its proxy. A failure tells by its `stage` how far the request got.
    The same GET is asked once in a look, and an address that did not answer is not tried again.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._memory = Memory()
        self._dead = Dead()

    def get(
        self,
        url: str,
        *,
        deadline: float = 5.0,
        limit: int = 1 << 20,
        verify: bool | str = False,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        authorities: str = "",
    ) -> Answer:
        """Return the answer to a GET; see `request`."""
        asked = tuple(sorted((headers or {}).items()))
        return self._memory.once(
            (url, limit, verify, asked, proxy, authorities),
            lambda: self.request(
                "GET",
                url,
                deadline=deadline,
                limit=limit,
                verify=verify,
                headers=headers,
                proxy=proxy,
                authorities=authorities,
            ),
        )

    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        deadline: float = 5.0,
        limit: int = 1 << 20,
        verify: bool | str = False,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        authorities: str = "",
    ) -> Answer:
        """Ask, and return the answer of whatever status.

        Args:
            method: such as "POST".
            url: http or https.
            body: sent as it is.
            deadline: seconds for everything from the name's look-up to the body's last byte.
            limit: bytes of body that are taken in.
            verify: whether the certificate must be trusted, or the path of a CA file.
            headers: further ones.
            proxy: the URL of the proxy to go through, loopback or not; "" for none; None for
                that of our environment.
            authorities: PEM of certificates that are trusted beside the usual ones.

        Raises:
            NotThere, Refused, NoPermission, TimedOut: who did not answer, and why.
            WrongKind: TLS met plain text or the other way round, or rubbish.
            TooBig: the body is over the limit.
            CannotTell: a loopback URL of a far host, or no way to it.
        """
        address = address_of(url, ("http", "https"))
        from_here(self._host, address)
        what = f"{method} {printable(_bare(url))}"
        with Watch(what, deadline) as watch, session_in(watch, verify, authorities) as session:
            session.trust_env = proxy is None and not address.loopback
            session.proxies = dict.fromkeys(("http", "https"), proxy) if proxy else {}
            try:
                with self._dead.at(address):
                    response = _ask(session, method, url, body, verify, headers, watch)
                with response:
                    content = _read(response, watch, limit)
            except CannotTell as met:
                met.stage = met.stage or watch.stage
                raise
        if response.status_code == 400 and any(words in content for words in _WANTS_TLS):
            raise WrongKind(f"{address} speaks TLS and was asked in plain HTTP")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Answer(
            url=url,
            status=response.status_code,
            content_type=kind,
            headers=tuple((name.lower(), value) for name, value in response.headers.items()),
            body=content,
            seconds=watch.spent,
        )


def _bare(url: str) -> str:
    """Return the URL without a name and password, and without its query."""
    scheme, _, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


def _ask(
    session: Session,
    method: str,
    url: str,
    body: bytes,
    verify: bool | str,
    headers: Mapping[str, str] | None,
    watch: Watch,
) -> Response:
    """Send the request and return the response with its headers read and its body not."""
    import requests

    try:
        return session.request(
            method,
            url,
            data=body or None,
            headers=dict(headers or {}),
            timeout=watch.left,
            allow_redirects=False,
            stream=True,
            verify=verify,
        )
    except (requests.RequestException, OSError, ValueError) as error:
        raise meaning_of(error, watch.what, watch) from None


def _read(response: Response, watch: Watch, limit: int) -> bytes:
    """Return the body; the server's end of it is told from our own cut."""
    import requests
    import urllib3

    content = bytearray()
    try:
        for piece in response.iter_content(_PIECE):
            content += piece
            if len(content) > limit:
                raise TooBig(watch.what, limit)
    except CannotTell:
        raise
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise meaning_of(error, watch.what, watch) from None
    if watch.fired:
        raise watch.over()
    return bytes(content)
