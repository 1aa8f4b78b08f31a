"""What lets people in: the secret that signs tokens, and how a test token fares."""

from __future__ import annotations

import datetime
import os
from dataclasses import dataclass
from typing import Any

from healthchecks.portagent.probes_server import demand_variables
from healthchecks.portagent.seat import LARGEST_ANSWER, READS_USERS, demand_first, told
from healthchecks.portagent.system import Portagent
from plugins import Absent, Blocked, CannotTell, probe
from plugins.endpoints.http import Http
from plugins.endpoints.processes import Processes
from plugins.endpoints.sockets import Sockets
from plugins.endpoints.sqlite import Sqlite
from plugins.eyes import reading
from plugins.hosts import Host
from plugins.redaction import Secret

# A key of HS256 is as long as its hash (RFC 7518, 3.2), in bytes.
_LEAST = 32
_PUBLIC = frozenset(
    {
        "development-secret-key-change-me",
        "your-fixed-secret",
        "your-generated-secret",
        "your-secret-key",
        "your-jwt-secret",
        "change-me",
        "changeme",
        "secret",
    }
)


@dataclass(frozen=True)
class SigningSecret:
    """What signs tokens.

    Args:
        source: what sets it, "" where nothing does.
        trouble: what is wrong with it, "" for nothing; never the secret itself.
    """

    source: str
    trouble: str


@probe
def signing_secret(
    system: Portagent, processes: Processes, sockets: Sockets, http: Http
) -> SigningSecret:
    """What signs tokens: an option, a variable or a file."""
    found = system.variable("JWT_SECRET")
    if found is None:
        demand_variables(system, processes, sockets, http)
    if found is None or not found.value:
        return SigningSecret("", "JWT_SECRET is not set")
    secret = found.value.reveal()
    if secret.strip() in _PUBLIC:
        return SigningSecret(found.source, "JWT_SECRET is an example that everybody can read")
    size = len(secret.encode("utf-8", "surrogateescape"))
    short = f"JWT_SECRET has {size} bytes; {_LEAST} are needed"
    return SigningSecret(found.source, short if size < _LEAST else "")


@dataclass(frozen=True)
class TokenTrial:
    """How the test token fared.

    Args:
        variable: the variable of our environment that holds it.
        refusals: why it is refused, one sentence each; () where it is taken everywhere.
    """

    variable: str
    refusals: tuple[str, ...]


@probe
def token_trial(
    system: Portagent,
    processes: Processes,
    sockets: Sockets,
    http: Http,
    sqlite: Sqlite,
    commands: Host,
) -> TokenTrial:
    """How the test token of our environment fared at /agentx/info and /api/auth/verify."""
    name = system.settings.token_env
    token = Secret(os.environ.get(name, "").strip() if name else "")
    if not token:
        raise Absent(f"a token to try (the variable {name or 'token_env'} is not set)")
    demand_first(system, processes, sockets, http)
    claims, why = _claims(token, system)
    if not claims:
        return TokenTrial(name, (why,))
    if _seconds(claims.get("exp")) <= commands.call(reading.now):
        return TokenTrial(name, (f"it expired at {_moment(claims.get('exp'))}; log in anew",))
    info, verify = (_status(system, http, token, path) for path in (_INFO, _VERIFY))
    if verify == 500:
        raise Blocked(READS_USERS, "it cannot look its users up")
    if info == 401:
        return TokenTrial(name, (why or "it was signed with another secret than the server's",))
    wrong = [f"GET /{_INFO}: {_in_words(info)}"] if info != 200 else []
    wrong += [_user(system, sqlite, claims)] if verify == 401 else []
    wrong += [f"GET /{_VERIFY}: {_in_words(verify)}"] if verify not in {200, 401} else []
    return TokenTrial(name, tuple(wrong))


_INFO, _VERIFY = "agentx/info", "api/auth/verify"


def _in_words(status: int) -> str:
    return f"HTTP {status}" if status else "it is not the server's JSON that answers"


def _claims(token: Secret, system: Portagent) -> tuple[dict[str, Any], str]:
    """What a token claims, and why the server must refuse it ("" where nothing here tells)."""
    import jwt

    text, unsigned = token.reveal(), {"verify_signature": False}
    try:
        header = jwt.get_unverified_header(text)
        claims = jwt.decode(text, options=unsigned, algorithms=["HS256"])  # type: ignore[arg-type]
    except (jwt.PyJWTError, ValueError, RecursionError):
        return {}, "it is not a JSON Web Token"
    if header.get("alg") != "HS256":
        return {}, "it is not signed with HS256, as the server's are"
    if not isinstance(claims.get("sub"), str) or not _seconds(claims.get("exp")):
        return {}, "it names no user, or no time at which it ends"
    known = system.variable("JWT_SECRET")
    if known is None or not known.value or _signed_with(text, known.value):
        return claims, ""
    return claims, f"it was signed with another secret than that of {known.source}"


def _signed_with(text: str, secret: Secret) -> bool:
    import warnings

    import jwt

    names = ("exp", "iat", "nbf", "aud", "iss", "sub", "jti")
    loose: Any = {f"verify_{name}": False for name in names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a secret is short is another finding
        try:
            jwt.decode(text, secret.reveal(), algorithms=["HS256"], options=loose)
        except (jwt.PyJWTError, ValueError):
            return False
    return True


def _seconds(claim: object) -> float:
    """A claim that is a time, in seconds since 1970; 0.0 where it is none."""
    fits = isinstance(claim, int | float) and not isinstance(claim, bool) and 0 < claim < 1e11
    return float(claim) if fits and isinstance(claim, int | float) else 0.0


def _moment(claim: object) -> str:
    return f"{datetime.datetime.fromtimestamp(_seconds(claim), datetime.UTC):%Y-%m-%d %H:%M} UTC"


def _status(system: Portagent, http: Http, token: Secret, path: str) -> int:
    """The status of a request with the token; 0 where what answers is not JSON and not a crash."""
    answer = http.request(
        "GET",
        f"{system.url}/{path}",
        headers={"Authorization": f"Bearer {token.reveal()}"},
        deadline=system.settings.connect_deadline,
        limit=LARGEST_ANSWER,
    )
    return answer.status if told(answer) is not None or answer.status >= 500 else 0


def _user(system: Portagent, sqlite: Sqlite, claims: dict[str, Any]) -> str:
    """Why /api/auth/verify refuses a user whose token is right."""
    asked = "SELECT isActive FROM users WHERE userId = ?"
    try:
        rows = sqlite.query(system.database("portagent"), asked, (claims["sub"],))
    except CannotTell:
        return "its user was deleted or disabled"
    if not rows:
        return "its user was deleted"
    return "its user is disabled" if not rows[0][0] else "its user is refused, and is in order"
