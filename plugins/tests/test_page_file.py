"""The file of the page: who writes it, what it links, and what it lets people type."""

from __future__ import annotations

import re
import stat

import pytest

from plugins.finding import Fix, Outcome, Safety
from plugins.report.page_rows import Docs, commands
from plugins.tests import paging
from plugins.tests.paging import HOSTILE
from plugins.tests.reporting import ROOT, finding, lay_out, run


@pytest.mark.parametrize("more", [(), ("-n", "2")])
def test_a_run_writes_the_page(pytester: pytest.Pytester, more: tuple[str, ...]) -> None:
    strangers = f"\n@pytest.mark.parametrize('x', [{HOSTILE!r}])\ndef test_odd(x): assert 0, x\n"
    lay_out(pytester, paging.rows(), strangers)
    pytester.path.joinpath("mine.css").write_text("h1 { color: #123457 }")
    with (pytester.path / "healthchecks" / "conftest.py").open("a") as conftest:
        conftest.write("\ndef pytest_html_results_summary(prefix): prefix.append('<i>hi</i>')\n")
    run(pytester, *more, "--html=deep/page.html", "--css=mine.css")
    path = pytester.path / "deep" / "page.html"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert "#123457" in text
    assert "<i>hi</i>" in text
    assert text.count("<script") == 3
    assert "</script><script>alert(1)" not in text
    assert "Failed, and is no finding" in text
    assert "box.down" in text
    data = text.partition('id="data">')[2].partition("</script>")[0]
    assert len(re.findall(r'"outcome":', data)) == 10


def test_a_style_of_ones_own_breaks_no_page(pytester: pytest.Pytester) -> None:
    lay_out(pytester, [finding("well", Outcome.HEALTHY)])
    pytester.path.joinpath("mine.css").write_bytes(b"h1 { --a: '\xff</style><script>' }")
    assert run(pytester, "--html=page.html", "--css=mine.css").ret == 0
    text = (pytester.path / "page.html").read_text()
    assert "'\ufffd<\\/style><script>'" in text
    assert text.count("</style>") == 1


def test_a_page_that_cannot_be_written_is_told_and_fails_the_run(
    pytester: pytest.Pytester,
) -> None:
    lay_out(pytester, [finding("well", Outcome.HEALTHY)])
    conftest = pytester.path / "healthchecks" / "conftest.py"
    conftest.write_text(
        conftest.read_text()
        + "\nimport os\n"
        + "def pytest_runtestloop(session):\n"
        + "    os.rename('deep', 'moved'); open('deep', 'w').close()\n"
    )
    result = run(pytester, "--html=deep/page.html")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*the HTML page could not be written*"])
    result.stdout.no_fnmatch_line("All of it: *page.html*")


def test_the_page_of_a_check_is_named_and_linked_where_it_can_be_read() -> None:
    row = finding("x", system="host")
    known = Docs.of("", {"host", "no_such", "../host"})
    (name, *_) = sorted(known.known)
    one_of_them = finding(name.removeprefix("box."), system="host")
    assert name.startswith("host.")
    assert known.of_check(row) == {}
    url = "https://git.example.org/blob/main/"
    known_one = Docs(url, frozenset({one_of_them.id}))
    place = f"docs/checks/host.md#{one_of_them.id.replace('.', '')}"
    assert known_one.of_check(one_of_them) == {
        "page": place,
        "pageLink": url + place,
        "explain": f"pytest healthchecks/ --explain {one_of_them.id}",
    }
    assert Docs.of("javascript:alert(1)//", ()).url == ""


def test_what_to_type_is_fit_for_a_shell() -> None:
    assert commands(finding("a'b", safety=Safety.UNSAFE), "pytest healthchecks/")[1:] == [
        "pytest healthchecks/ --fix=plan --fix-only 'box.a'\"'\"'b'",
        "pytest healthchecks/ --fix=unsafe --fix-only 'box.a'\"'\"'b'",
    ]


def test_what_is_looked_at_in_a_bundle_is_not_cured_from_here() -> None:
    fix = Fix("taken", ("chmod 600 a",), (), "R1", "")
    made = paging.account([finding("a", safety=Safety.SAFE), finding("b", Outcome.FIXED, fix=fix)])
    assert "--fix-only" in paging.text_of(made)
    assert "--undo R1" in paging.text_of(made)
    made.command = ""
    assert "--fix-only" not in paging.text_of(made)
    assert "--undo R1" not in paging.text_of(made)


def test_what_a_hint_has_between_backticks_is_typed_but_no_option_alone() -> None:
    hint = "Type `run it --now`, with `--twice or so` behind it, or `look`. A ` is no word of it."
    assert commands(finding("a", hint=hint), "") == ["run it --now"]


def test_the_picture_in_readme_is_there_and_small() -> None:
    picture = (ROOT / "docs" / "report.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) <= 200 * 1024
    assert "docs/report.png" in (ROOT / "README.md").read_text("utf-8")
