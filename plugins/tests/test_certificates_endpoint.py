"""Certificates: what they say, whose key they hold, and never the key itself."""

from __future__ import annotations

import datetime
import socket
import time
from pathlib import Path

import pytest

from plugins.endpoints.certificates import Certificates
from plugins.hosts import Host
from plugins.outcomes import CannotTell, Refused, TimedOut, WrongKind
from plugins.worlds.wiring import answer, hang, pair, serving

look = Certificates(Host())


def test_a_certificate_is_read_whole() -> None:
    made = look.read(pair("a.example", "10.0.0.7", "::1", kind="RSA", days=-1).certificate)
    assert made.names == ("a.example", "10.0.0.7", "::1")
    assert made.key_kind == "RSA 2048"
    assert made.subject == made.issuer == "CN=common.example"
    assert made.self_signed
    assert made.not_after < datetime.datetime.now(datetime.UTC)
    assert len(made.sha256) == len(made.public_key) == 64


def test_the_common_name_stands_in_for_missing_names() -> None:
    made = look.read(pair().certificate)
    assert made.names == ("common.example",)
    assert made.key_kind == "EC secp256r1"


@pytest.mark.parametrize("kind", ["EC", "RSA"])
def test_a_key_belongs_to_its_certificate_and_to_no_other(kind: str) -> None:
    one, other = pair("a", kind=kind), pair("a", kind=kind)
    assert look.public_key_of_private(one.key) == look.read(one.certificate).public_key
    assert look.public_key_of_private(one.key) != look.read(other.certificate).public_key
    assert look.public_key_of_private(one.certificate + one.key)


def test_an_encrypted_key_can_not_be_told() -> None:
    with pytest.raises(CannotTell, match="encrypted"):
        look.public_key_of_private(pair("a", password=b"hush").key)


def test_rubbish_is_of_the_wrong_kind_and_no_key_is_quoted() -> None:
    key = pair("a").key
    cut = key[:90] + b"AAAA" + key[98:]
    with pytest.raises(WrongKind) as told:
        look.public_key_of_private(cut)
    assert key[60:80].decode() not in str(told.value)
    assert told.value.__cause__ is None
    empty = b"-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----"
    for junk in (
        b"",
        b"rubbish",
        key,
        empty,
    ):
        with pytest.raises(WrongKind):
            look.read(junk)
    with pytest.raises(WrongKind, match="no private key"):
        look.public_key_of_private(pair("a").certificate)


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("a.example", True),
        ("A.Example.", True),
        ("b.example", False),
        ("x.wild.example", True),
        ("x.y.wild.example", False),
        ("wild.example", False),
        ("10.0.0.7", True),
        ("10.0.0.8", False),
        ("[::1]", True),
        ("0:0:0:0:0:0:0:1", True),
        ("", False),
    ],
)
def test_names_match_as_browsers_match_them(name: str, right: bool) -> None:
    made = look.read(pair("a.example", "*.wild.example", "10.0.0.7", "::1").certificate)
    assert made.matches(name) is right


def test_what_is_served_is_what_is_on_disk(tmp_path: Path) -> None:
    made = pair("localhost")
    context = made.context(tmp_path)

    def behave(wire: socket.socket) -> None:
        with context.wrap_socket(wire, server_side=True) as sealed:
            sealed.recv(1)

    with serving(behave) as port:
        assert Certificates(Host()).served("127.0.0.1", port) == look.read(made.certificate)


def test_who_does_not_speak_tls_is_told_in_time() -> None:
    plain = answer(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with serving(plain) as port, pytest.raises((WrongKind, TimedOut)):
        Certificates(Host()).served("127.0.0.1", port, 0.5)
    with serving(hang) as port:
        again = Certificates(Host())
        for limit in (0.7, 0.1):
            began = time.monotonic()
            with pytest.raises(TimedOut, match=r"0\.3 s"):
                again.served("127.0.0.1", port, 0.3)
            assert time.monotonic() - began < limit
    with pytest.raises(Refused):
        Certificates(Host()).served("127.0.0.1", port, 0.3)
