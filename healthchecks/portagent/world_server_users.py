"""The users of a small server: their passwords, their tokens, what is wrong with a request."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

_WEEK = 604_800
_QUERIES = {
    "userId": "SELECT * FROM users WHERE userId = ?",
    "username": "SELECT * FROM users WHERE username = ?",
    "email": "SELECT * FROM users WHERE email = ?",
}
_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Fault(Exception):  # noqa: N818 - an answer, as the real program gives it
    """A request that is answered with an error."""

    def __init__(self, status: int, words: str) -> None:
        self.status = status
        self.words = words
        super().__init__(words)


def hashed(password: str, salt: str = "") -> str:
    """Return a password's hash: of bcrypt's shape and length, and quick."""
    salt = salt or "".join(_ALPHABET[byte & 63] for byte in uuid.uuid4().bytes + b"portag")
    digest = hashlib.sha256((salt + password).encode()).digest()
    return f"$2b$10${salt}" + "".join(_ALPHABET[byte & 63] for byte in digest[:31])


def token_of(user_id: str, secret: str, *, issued: float, seconds: float = _WEEK) -> str:
    """Return a token as the program signs it: HS256, no typ, no claims but sub, iat and exp."""
    claims = {"sub": user_id, "iat": int(issued), "exp": int(issued + seconds)}
    parts = (
        json.dumps(part, separators=(",", ":")).encode() for part in ({"alg": "HS256"}, claims)
    )
    signed = b".".join(map(_url_safe, parts))
    return b".".join((signed, _signature(signed, secret))).decode()


def subject_of(token: str, secret: str) -> str | None:
    """Return whose token it is; None where its signature or its time is wrong."""
    signed, _, signature = token.encode("utf-8", "replace").rpartition(b".")
    if not hmac.compare_digest(signature, _signature(signed, secret)):
        return None
    claims = signed.partition(b".")[2]
    told = json.loads(base64.urlsafe_b64decode(claims + b"=" * (-len(claims) % 4)))
    return str(told["sub"]) if told["exp"] > time.time() else None


def _url_safe(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def _signature(signed: bytes, secret: str) -> bytes:
    return _url_safe(hmac.digest(secret.encode(), signed, "sha256"))


class Users:
    """The table of users, as the program reads and writes it.

    Args:
        database: portagent.db.
        secret: what tokens are signed with.
        container: makes a container for a new user, by its id.
        invited: says whether a request brings the right invitation.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        secret: str,
        container: Callable[[str], None],
        invited: Callable[[object], bool],
    ) -> None:
        self._database = database
        self._secret = secret
        self._container = container
        self._invited = invited

    def register(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Add a user and return the answer; raises `Fault` and sqlite3's errors."""
        if not self._invited(body.get("inviteCode")):
            raise Fault(400, "Invalid invite code")
        name, password = body.get("username"), body.get("password")
        if not isinstance(name, str) or not isinstance(password, str) or not name or not password:
            raise Fault(400, "Username and password are required")
        if len(name) < 3:
            raise Fault(400, "Username must be at least 3 characters")
        if len(password) < 6:
            raise Fault(400, "Password must be at least 6 characters")
        user_id, now = str(uuid.uuid4()), int(time.time() * 1000)
        email = body.get("email") or f"{user_id}@noemail.portagent"
        if not re.fullmatch(r"[^\s@]+@[^\s@]+", str(email)):
            raise Fault(400, "Invalid email format")
        # The container is made first: a name that is taken leaves it behind, as in the real one.
        container = f"user-{uuid.uuid4()}"
        self._container(container)
        for column, value in (("Username", name), ("Email", email)):
            if self._row(column.lower(), value):
                raise Fault(400, f"{column} '{value}' already exists")
        told = (body.get("displayName"), body.get("avatar"))
        row = (user_id, name, email, hashed(password), container, *told, 1, now, now)
        self._database.execute("INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return self._answer(self._row("userId", user_id))

    def login(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a login; raises `Fault` and sqlite3's errors."""
        name, password = body.get("usernameOrEmail"), body.get("password")
        if not name or not password:
            raise Fault(400, "Username/email and password are required")
        row = self._row("username", name) or self._row("email", name)
        if row is None or not row["isActive"] or not _matches(row["passwordHash"], str(password)):
            raise Fault(401, "Invalid credentials")
        return self._answer(row)

    def verified(self, token: str) -> dict[str, Any] | None:
        """Return the user of a token, None where it is not valid."""
        subject = subject_of(token, self._secret)
        row = self._row("userId", subject) if subject else None
        return _shown(row) if row is not None and row["isActive"] else None

    def lets_in(self, token: str) -> bool:
        """Tell whether a token's signature and time are right; its user is not looked at."""
        return subject_of(token, self._secret) is not None

    def _row(self, column: str, value: object) -> Any:
        return self._database.execute(_QUERIES[column], (value,)).fetchone()

    def _answer(self, row: Any) -> dict[str, Any]:
        token = token_of(row["userId"], self._secret, issued=time.time())
        return {"token": token, "user": _shown(row), "expiresIn": "7d"}


def _shown(row: Any) -> dict[str, Any]:
    names = ("userId", "username", "email", "containerId", "displayName", "avatar", "createdAt")
    return {name: row[name] for name in names if row[name] is not None}


def _matches(kept: str, password: str) -> bool:
    return hmac.compare_digest(kept, hashed(password, kept[7:29]))
