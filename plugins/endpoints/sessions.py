"""Sessions of the HTTP library whose connections are dialed by us, inside one limit."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from plugins.endpoints.wires import Address, Stage, Watch, dial
from plugins.outcomes import WrongKind

if TYPE_CHECKING:
    from requests import Session
    from urllib3.connectionpool import HTTPConnectionPool


def session_in(watch: Watch, verify: bool | str, authorities: str) -> Session:
    """Return a session whose every connection is dialed inside the watch, which keeps its stage.

    Args:
        watch: the limit of the one request.
        verify: whether certificates must be trusted, or the path of a CA file.
        authorities: PEM of certificates that are trusted beside the usual ones.

    Raises:
        WrongKind: the authorities hold no certificate.
    """
    import requests
    from requests.adapters import HTTPAdapter

    pools = _pools(watch)
    context = _context(verify, authorities)

    class Guarded(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **words: Any) -> None:
            super().init_poolmanager(*args, **{**words, **context})
            self.poolmanager.pool_classes_by_scheme = pools

        def proxy_manager_for(self, *args: Any, **words: Any) -> Any:
            manager = super().proxy_manager_for(*args, **{**words, **context})
            manager.pool_classes_by_scheme = pools
            return manager

    session = requests.Session()
    session.mount("http://", Guarded())
    session.mount("https://", Guarded())
    return session


def _context(verify: bool | str, authorities: str) -> dict[str, Any]:
    """Return the word of urllib3's pools that brings a context of ours, where one is needed."""
    from urllib3.util.ssl_ import create_urllib3_context

    if verify is False:
        # Without a context of ours, every certificate authority is read in, for nothing.
        return {"ssl_context": create_urllib3_context(cert_reqs=ssl.CERT_NONE)}
    if not authorities:
        return {}
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    try:
        context.load_verify_locations(cadata=authorities)
    except ssl.SSLError:
        raise WrongKind("the file of further authorities holds no certificate") from None
    return {"ssl_context": context}


def _pools(watch: Watch) -> dict[str, type[HTTPConnectionPool]]:
    """Return urllib3's pools by scheme, their connections dialed in the watch, stage by stage."""
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    class Plain(HTTPConnection):
        def _new_conn(self) -> Any:
            return dial(Address(self.host, self.port or 0), watch)

        def connect(self) -> None:
            super().connect()
            watch.stage = Stage.ANSWER

    class Sealed(HTTPSConnection):
        # An unverified certificate is what was asked for: urllib3 warns unless told otherwise.
        is_verified = property(lambda self: True, lambda self, value: None)

        def _new_conn(self) -> Any:
            wire = dial(Address(self.host, self.port or 0), watch)
            watch.stage = Stage.PROXY if self._tunnel_host else Stage.SEAL
            return wire

        def _tunnel(self) -> None:
            super()._tunnel()
            watch.stage = Stage.SEAL

        def connect(self) -> None:
            super().connect()
            watch.stage = Stage.ANSWER

    plain = type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": Plain})
    sealed = type("SealedPool", (HTTPSConnectionPool,), {"ConnectionCls": Sealed})
    return {"http": plain, "https": sealed}
