"""HTTP as it is answered: one request, one answer, no redirect followed."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plugins.endpoints.meanings import meaning_of
from plugins.endpoints.memory import Memory
from plugins.endpoints.wires import Address, Dead, Watch, address_of, dial, from_here
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

    Loopback is never asked through a proxy; other addresses are when the environment says so.
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
    ) -> Answer:
        """Return the answer to a GET; see `request`."""
        asked = tuple(sorted((headers or {}).items()))
        return self._memory.once(
            (url, limit, verify, asked),
            lambda: self.request(
                "GET", url, deadline=deadline, limit=limit, verify=verify, headers=headers
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

        Raises:
            NotThere, Refused, NoPermission, TimedOut: who did not answer, and why.
            WrongKind: TLS met plain text or the other way round, or rubbish.
            TooBig: the body is over the limit.
            CannotTell: a loopback URL of a far host, or no way to it.
        """
        address = address_of(url, ("http", "https"))
        from_here(self._host, address)
        what = f"{method} {printable(_bare(url))}"
        with Watch(what, deadline) as watch, _session(address, watch, verify) as session:
            with self._dead.at(address):
                response = _ask(session, method, url, body, verify, headers, watch)
            with response:
                content = _read(response, watch, limit)
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


def _session(address: Address, watch: Watch, verify: bool | str) -> Session:
    """Return a session whose every connection is dialed inside the watch."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.util.ssl_ import create_urllib3_context

    def dialed(connection: HTTPConnection) -> Any:
        return dial(Address(connection.host, connection.port or 0), watch)

    plain = type("Plain", (HTTPConnection,), {"_new_conn": dialed})
    # An unverified certificate is what was asked for: urllib3 warns about it unless told otherwise.
    quiet = property(lambda self: True, lambda self, value: None)
    sealed = type("Sealed", (HTTPSConnection,), {"_new_conn": dialed, "is_verified": quiet})
    pools = {
        "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("SealedPool", (HTTPSConnectionPool,), {"ConnectionCls": sealed}),
    }

    class Guarded(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **words: Any) -> None:
            if verify is False:
                # Without a context of ours, every certificate authority is read in, for nothing.
                words["ssl_context"] = create_urllib3_context(cert_reqs=ssl.CERT_NONE)
            super().init_poolmanager(*args, **words)
            self.poolmanager.pool_classes_by_scheme = pools

        def proxy_manager_for(self, *args: Any, **words: Any) -> Any:
            manager = super().proxy_manager_for(*args, **words)
            manager.pool_classes_by_scheme = pools
            return manager

    session = requests.Session()
    session.trust_env = not address.loopback
    session.mount("http://", Guarded())
    session.mount("https://", Guarded())
    return session
