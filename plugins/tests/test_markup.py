"""The scanner of pages sees what a browser sees, in time that grows with the page's length."""

from __future__ import annotations

import time

import pytest

from healthchecks.portagent.page_links import links_of
from plugins.endpoints.markup import tags

PAGE = "http://127.0.0.1:5200/app/"


def names(page: str) -> list[str]:
    return [tag.name for tag in tags(page)]


def needs(page: str) -> list[tuple[str, str, bool]]:
    return [(link.kind, link.url, link.same_origin) for link in links_of(page, PAGE)]


@pytest.mark.parametrize(
    "page",
    [
        "<!-- <script src=a> -->",
        "<!-- <script src=a>",
        "<template><script src=a></script></template>",
        "<textarea><script src=a></textarea>",
        "<title><script src=a></title>",
        "<script src=a",
        '<script src="a>',
        "<!DOCTYPE html><?php <script src=a> ?",
        "< script src=a>",
        "</script src=a>",
    ],
)
def test_what_is_not_in_force_is_passed_over(page: str) -> None:
    assert "script" not in names(page)


def test_what_is_in_force_is_seen() -> None:
    page = "<P><SCRIPT SRC = 'a.js' src=b.js async>if (a</b) '<link>'</Script ><link HREF=c />"
    assert [(tag.name, dict(tag.attributes)) for tag in tags(page)] == [
        ("p", {}),
        ("script", {"src": "a.js", "async": ""}),
        ("link", {"href": "c"}),
    ]
    assert next(tags('<a href="?a=1&amp;b=2&#x31;">')).attributes["href"] == "?a=1&b=21"


def test_urls_are_joined_as_a_browser_joins_them() -> None:
    assert needs("<script src=a.js></script><script src=/b.js#x>") == [
        ("script", "http://127.0.0.1:5200/app/a.js", True),
        ("script", "http://127.0.0.1:5200/b.js", True),
    ]
    assert needs('<base href="../x/"><base href="/y/"><link rel="Stylesheet" href="s.css?v">') == [
        ("style", "http://127.0.0.1:5200/x/s.css?v", True)
    ]
    assert needs("<script src=//127.0.0.1:5200/a.js></script><script src=http://[/b.js>") == [
        ("script", "http://127.0.0.1:5200/a.js", True),
        ("script", "", False),
    ]


@pytest.mark.parametrize(
    "host", ["127.0.0.1:5201", "127.0.0.2:5200", "127.0.0.1", "169.254.169.254"]
)
def test_another_origin_is_told(host: str) -> None:
    assert needs(f"<script src=http://{host}/a.js>")[0][2] is False
    assert needs("<script src=https://127.0.0.1:5200/a.js>")[0][2] is False
    assert needs(f"<base href=http://{host}/><script src=a.js>")[0][2] is False


def test_what_is_no_script_and_no_style_is_left_out() -> None:
    page = (
        "<script src=a type=application/json></script><script src=b nomodule></script>"
        "<script>x</script><link rel=icon href=c><link rel='alternate stylesheet' href=d>"
        "<script src=data:,1></script><link rel=stylesheet href=''>"
    )
    assert needs(page) == []


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<!--",
        "<a ",
        "</",
        "<a x='",
        '<a x="',
        "<script>",
        "<a x= ",
        "</script ",
        "&#",
        "<!",
        "x ",
    ],
)
def test_time_grows_with_the_length(piece: str) -> None:
    page = "<a " + piece * ((1 << 19) // len(piece))
    began = time.process_time()
    assert len(list(tags(page))) >= 0
    assert time.process_time() - began < 10
