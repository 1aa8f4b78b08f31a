"""Which proxy a program takes; and where nginx takes a WebSocket."""

from __future__ import annotations

import pytest

from plugins.endpoints.nginx import parse
from plugins.endpoints.proxied import carrying, proxied
from plugins.endpoints.proxying import proxy_for

URL = "https://api.provider.example/v1/models"


@pytest.mark.parametrize(
    ("variables", "used"),
    [
        ({}, ("", "")),
        ({"HTTPS_PROXY": "http://p:1"}, ("http://p:1", "HTTPS_PROXY")),
        ({"HTTPS_PROXY": "p:1"}, ("http://p:1", "HTTPS_PROXY")),
        ({"HTTPS_PROXY": " "}, ("", "")),
        ({"HTTP_PROXY": "http://p:1"}, ("http://p:1", "HTTP_PROXY")),
        ({"HTTPS_PROXY": "http://p:1", "https_proxy": "http://q:2"}, ("http://q:2", "https_proxy")),
        ({"HTTP_PROXY": "http://p:1", "HTTPS_PROXY": "http://q:2"}, ("http://q:2", "HTTPS_PROXY")),
    ],
)
def test_the_variables_name_a_proxy(variables: dict[str, str], used: tuple[str, str]) -> None:
    assert proxy_for(URL, variables) == used


def test_plain_http_has_a_proxy_of_its_own() -> None:
    assert proxy_for("http://a/", {"HTTPS_PROXY": "http://p:1"}) == ("", "")
    assert proxy_for("http://a/", {"HTTP_PROXY": "http://p:1"}) == ("http://p:1", "HTTP_PROXY")


@pytest.mark.parametrize(
    ("exceptions", "spared"),
    [
        ("*", True),
        ("api.provider.example", True),
        ("API.Provider.Example", True),
        ("provider.example", True),
        (".provider.example", True),
        ("*.provider.example", True),
        ("other.example, provider.example", True),
        ("other.example provider.example:443", True),
        ("provider.example:8443", False),
        ("vider.example", False),
        ("api.provider.example.org", False),
        ("", False),
        (",, ,", False),
        ("[::1]:443", False),
    ],
)
def test_no_proxy_spares_names_and_those_below_them(exceptions: str, spared: bool) -> None:
    used = proxy_for(URL, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": exceptions})
    assert (used == ("", "")) is spared


def test_no_proxy_knows_numbers() -> None:
    for url in ("http://[::1]:5200/", "http://[::1]/"):
        assert proxy_for(url, {"HTTP_PROXY": "http://p:1", "no_proxy": "[::1]"}) == ("", "")
    assert proxy_for("http://[::1/", {"HTTP_PROXY": "http://p:1", "no_proxy": "::1"})[0]


def chosen(text: str) -> list[str]:
    lines = text.replace("$", "proxy_pass http://localhost:1;").replace("server", "\nserver")
    top = parse(lines, "f")
    return [place.location for place in carrying(proxied(top, 1, {"localhost"}), "/ws")]


@pytest.mark.parametrize(
    ("server", "locations"),
    [
        ("server { location / { $ } location /ws { $ } location /wsx { $ } }", ["/ws"]),
        ("server { location / { $ } location = /ws { $ } location ~ ws { $ } }", ["= /ws"]),
        ("server { location / { $ } location ~ ^/ws { $ } location /ws { $ } }", ["~ ^/ws"]),
        (
            "server { location ~* ^/WS { $ } location ^~ /ws { $ } }",
            ["^~ /ws"],
        ),
        ("server { location /api/ { $ } location = /health { $ } }", []),
        ("server { location ~ ( { $ } location / { $ } }", ["/"]),
        (
            "server { location / { try_files x @app; } location @app { $ } }",
            ["@app"],
        ),
        ("server { location / { $ } } server { location /ws { $ } }", ["/ws", "/"]),
        ("server { location /api { $ } } server { location /ws { $ } }", ["/ws"]),
    ],
)
def test_the_place_that_nginx_would_take(server: str, locations: list[str]) -> None:
    assert sorted(chosen(server)) == sorted(locations)
