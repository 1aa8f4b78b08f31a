"""What `--serve` takes for an address, and what it wants before others may ask."""

from __future__ import annotations

import socket

import pytest

from plugins.serve import VARIABLE
from plugins.serve.address import Place, Unusable, is_loopback, listening, token_in, url


@pytest.mark.parametrize(
    ("typed", "host", "port"),
    [
        ("8080", "127.0.0.1", 8080),
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("localhost:0", "localhost", 0),
        ("[::1]:8080", "::1", 8080),
        ("[fe80::1%eth0]:65535", "fe80::1%eth0", 65535),
        ("box.example:80", "box.example", 80),
    ],
)
def test_an_address_is_read_as_typed(typed: str, host: str, port: int) -> None:
    assert Place.of(typed) == Place(host, port)


NO_ADDRESS = ["", ":8080", "127.0.0.1", "::1:8080", "[::1]", "a:b", "a:70000", "http://a:1"]
NO_ADDRESS += ["a:1/x", "a:-1", "a b:1", "a:１", "u@a:1", "[::1]8080", "127.0.0.1:8080\n", "a:1:2"]


@pytest.mark.parametrize("typed", NO_ADDRESS)
def test_what_is_no_address_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(Unusable, match=r"127\.0\.0\.1:8080"):
        Place.of(typed)


def test_beyond_this_machine_a_token_is_demanded() -> None:
    for host in ("0.0.0.0", "::"):
        with pytest.raises(Unusable, match=f"set {VARIABLE} to a token"):
            listening(Place(host, 0), guarded=False)
    with listening(Place("0.0.0.0", 0), guarded=True) as made:
        assert url(made).startswith("http://0.0.0.0:")
    for host in ("127.0.0.1", "localhost", "127.3.2.1"):
        with listening(Place(host, 0), guarded=False) as made:
            assert is_loopback(made.getsockname()[0])
    assert is_loopback("::1")
    assert not is_loopback("::ffff:10.0.0.1")


def test_a_token_is_long_enough_and_fit_for_a_header() -> None:
    assert not token_in({})
    assert not token_in({VARIABLE: ""})
    assert token_in({VARIABLE: "0123456789abcdef"}).reveal() == "0123456789abcdef"
    for bad, why in (("0123456789abcde", "shorter than 16"), ("0123456789 abcdef", "a sign")):
        with pytest.raises(Unusable, match=why) as told:
            token_in({VARIABLE: bad})
        assert bad not in str(told.value)
    with pytest.raises(Unusable, match="a sign"):
        token_in({VARIABLE: "0123456789abcdef\n"})


def test_a_port_that_is_taken_and_an_address_that_is_not_ours_are_told() -> None:
    with listening(Place("127.0.0.1", 0), guarded=False) as held:
        port = held.getsockname()[1]
        with pytest.raises(Unusable, match=f"port {port} is taken; `ss -ltnp"):
            listening(Place("127.0.0.1", port), guarded=False)
    with listening(Place("127.0.0.1", port), guarded=False):
        pass
    with pytest.raises(Unusable, match="no address of this machine"):
        listening(Place("192.0.2.1", 0), guarded=True)
    with pytest.raises(Unusable, match=r"no\.such\.invalid: "):
        listening(Place("no.such.invalid", 0), guarded=True)
    with pytest.raises(Unusable, match="name of a machine"):
        listening(Place("a" * 70 + "é", 0), guarded=True)


def test_ipv6_is_listened_on() -> None:
    try:
        made = listening(Place("::1", 0), guarded=False)
    except Unusable:
        return  # IPv6 is switched off here
    with made, socket.create_connection(("::1", made.getsockname()[1])):
        assert url(made) == f"http://[::1]:{made.getsockname()[1]}"
