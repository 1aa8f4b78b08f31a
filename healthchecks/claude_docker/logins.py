"""Logins: what lets Claude in, without the tokens themselves."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from plugins import printable
from plugins.documents import mapping

_SECONDS_BELOW = 1e11  # as milliseconds this is the spring of 1973
_RENEWED_WITHIN = 600.0
_RENEWABLE_FOR = 30 * 86400.0  # after that nobody should rely on a refresh token
_OFF = ("", "0", "false", "no", "off")


@dataclass(frozen=True)
class Login:
    """One thing that lets Claude in.

    Args:
        place: where it stands, for people.
        kind: an OAuth login, or a key (helper, other provider) that neither expires nor is renewed.
        read: whether today's Claude reads it there.
        renewable: whether a refresh token stands beside it.
        expires: seconds since 1970; None where it says nothing that is a time.
    """

    place: str
    kind: Literal["oauth", "key"]
    read: bool
    renewable: bool = False
    expires: float | None = None

    def __str__(self) -> str:
        return printable(self.place)


@dataclass(frozen=True)
class Access:
    """Everything that lets Claude in, and where it was looked for.

    Args:
        logins: the one in force first.
        looked_in: places, for people.
        without: places that should hold a token and hold none, with why.
        last_used: when the newest conversation was last written, seconds since 1970; 0 for never.
    """

    logins: tuple[Login, ...]
    looked_in: tuple[str, ...]
    without: tuple[str, ...]
    last_used: float


def is_token(value: object) -> bool:
    """Tell a token from nothing and from what a guide says in the place of one."""
    return (
        isinstance(value, str)
        and bool(value.strip())
        and not value.strip().upper().startswith(("YOUR_", "<YOUR", "${"))
    )


def is_on(value: object) -> bool:
    """Tell whether a variable is switched on."""
    return str(value).strip().lower() not in _OFF if isinstance(value, str | int) else False


def oauth_in(value: dict[str, Any], place: str, *, read: bool) -> Login | None:
    """Return the OAuth login of a credentials file; None where there is none."""
    held = mapping(value, "claudeAiOauth")
    if not is_token(held.get("accessToken")):
        return None
    return Login(
        place,
        "oauth",
        read,
        renewable=is_token(held.get("refreshToken")),
        expires=moment(held.get("expiresAt")),
    )


def in_keychain(text: str, place: str, *, read: bool) -> Login | None:
    """Return the login that an item of the Keychain is: JSON, or the bare token."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Login(place, "key", read) if is_token(text) else None
    if not isinstance(value, dict):
        return Login(place, "key", read) if is_token(text) else None
    return oauth_in(value, place, read=read) or oauth_in({"claudeAiOauth": value}, place, read=read)


def moment(value: object) -> float | None:
    """Return an expiry as seconds since 1970: of milliseconds, of seconds, of digits or a date."""
    if isinstance(value, str):
        text = value.strip()
        try:
            value = float(text)
        except ValueError:
            return _date(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number):
        return None
    return number if abs(number) < _SECONDS_BELOW else number / 1000


def _date(text: str) -> float | None:
    try:
        seen = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return (seen if seen.tzinfo else seen.replace(tzinfo=UTC)).timestamp()
    except (OverflowError, ValueError, OSError):
        return None


def in_force(logins: list[Login]) -> tuple[Login, ...]:
    """Return the logins, the one that Claude uses first.

    What it reads comes before what it does not; keys of the environment and helpers come before
    OAuth logins, of which the one that lasts longest counts: the others are older copies.
    """

    def rank(login: Login) -> tuple[bool, bool, float]:
        ends = math.inf if login.expires is None else login.expires
        return (not login.read, login.kind != "key", -ends)

    return tuple(sorted(logins, key=rank))


@dataclass(frozen=True)
class Lifetime:
    """How long the login in force lasts.

    Args:
        place: where it stands.
        renewable: whether a refresh token stands beside it.
        left_hours: until it expires; below 0 it has.
        renewed_by_nobody: why nothing renews it although it could be, "" where Claude does so.
    """

    place: str
    renewable: bool
    left_hours: float
    renewed_by_nobody: str

    @property
    def is_over(self) -> bool:
        """Whether it has expired and does not renew itself."""
        return self.left_hours < 0 and (not self.renewable or bool(self.renewed_by_nobody))

    def __str__(self) -> str:
        hours = abs(self.left_hours)
        spelled = f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"
        when = f"expired {spelled} ago" if self.left_hours < 0 else f"expires in {spelled}"
        if not self.renewable:
            why = ", and no refresh token stands beside it"
        else:
            why = f", and {self.renewed_by_nobody}" if self.renewed_by_nobody else ""
        return f"{printable(self.place)} {when}{why}"


def lifetime(login: Login, last_used: float) -> Lifetime:
    """Return how long a login lasts whose `expires` is known."""
    assert login.expires is not None
    left = login.expires - time.time()
    why = ""
    if not login.read:
        why = "nothing renews it there"
    elif last_used > login.expires + _RENEWED_WITHIN:
        why = "Claude was used since and could not renew it"
    elif left < -_RENEWABLE_FOR:
        why = "it was not renewed for a month"
    return Lifetime(login.place, login.renewable, left / 3600, why)
