"""The systems file is strict: it says where and why, and names the nearest right word."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from plugins.configuration import Misconfigured, printed, shipped, with_file
from plugins.redaction import redact
from plugins.tests.toy import ROOT

SHIPPED = """
[toy]
enabled = "auto"
on = "local://"
folder = "/x"
port = 80
limit = 5.0
deep = false
names = ["a"]
more = []
"""
WAIVED = '[waivers."toy.x"]\nuntil = 2999-01-01\nbecause = "b"\nowner = "o"\n'


def laid(tmp_path: Path, text: str) -> dict[str, object]:
    base, mine = tmp_path / "shipped.toml", tmp_path / "mine.toml"
    base.write_text(SHIPPED)
    mine.write_text(text)
    read = with_file(shipped(base), mine)
    return {key: setting.value for key, setting in read.tables["toy"].items()}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tyo]", "unknown table [tyo]; did you mean toy?"),
        ("[waiver]", "unknown table [waiver]; did you mean waivers?"),
        ("toy = 3", "toy must be a table, as in [toy]"),
        ("[toy]\nfoldre = 'x'", "unknown key foldre in [toy]; did you mean folder?"),
        ("[toy]\nport = '80'", "toy.port must be a whole number, not '80'"),
        ("[toy]\nport = true", "toy.port must be a whole number, not True"),
        ("[toy]\nport = 8.0", "toy.port must be a whole number, not 8.0"),
        ("[toy]\nport = 65536", "toy.port must be a port (0 to 65535), not 65536"),
        ("[toy]\nport = -1", "toy.port must be a port (0 to 65535), not -1"),
        ("[toy]\non = 'shh://box'", "toy.on: no such kind of host; did you mean ssh?"),
        ("[toy]\non = 'box'", "toy.on: no such kind of host"),
        ("[toy]\non = 'ssh://me:hunter2@box'", "toy.on holds a password; let ssh use a key"),
        ("[toy]\nlimit = '5'", "toy.limit must be a number, not '5'"),
        ("[toy]\ndeep = 1", "toy.deep must be true or false, not 1"),
        ("[toy]\nfolder = 2027-01-01", "toy.folder must be a string"),
        ("[toy]\nnames = 'a'", "toy.names must be a list, not 'a'"),
        ("[toy]\nnames = [1]", "toy.names must be a list of the kind ['a']"),
        ("[toy]\nnames = [['a']]", "toy.names must be a list of the kind"),
        ("[toy]\nenabled = 'maybe'", "toy.enabled must be \"auto\", true or false, not 'maybe'"),
        ("[toy]\nenabled = 1", 'toy.enabled must be "auto", true or false, not 1'),
        ("require = 'x'", "require must be a list of ids"),
        ("waivers = 3", "waivers are tables"),
        ("[waivers]\ntoy = 'x'", '[waivers."toy"] must be a table'),
        (WAIVED.replace("owner", "onwer"), "unknown key onwer; did you mean owner?"),
        (WAIVED.replace('owner = "o"\n', ""), '[waivers."toy.x"] lacks owner'),
        (WAIVED.replace('"b"', '" "'), "because must be a text that says something"),
        (WAIVED.replace('"o"', "7"), "owner must be a text that says something"),
        (WAIVED.replace("2999-01-01", "12:00:00"), "until must be a date such as 2027-01-31"),
        (WAIVED.replace("2999-01-01", '"soon"'), "until must be a date such as 2027-01-31"),
        ("[toy", "not a TOML file"),
        ("a = " + "[" * 5000, "nested too deep"),
        ("#" * (1 << 21), "larger than 1 MiB"),
    ],
)
def test_what_is_not_known_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        laid(tmp_path, text)
    assert said in redact(str(raised.value))  # as it is shown
    assert str(raised.value).startswith(str(tmp_path / "mine.toml"))


def test_values_take_the_type_of_their_default(tmp_path: Path) -> None:
    got = laid(tmp_path, "[toy]\nlimit = 3\nenabled = false\nnames = []\nmore = ['x']")
    assert got["limit"] == 3.0
    assert type(got["limit"]) is float
    assert (got["enabled"], got["names"], got["more"]) == ("no", [], ["x"])
    assert laid(tmp_path, "[toy]\nenabled = true")["enabled"] == "yes"
    assert laid(tmp_path, "")["port"] == 80


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SHIPPED)
    base = shipped(tmp_path / "s.toml")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("none", "fifo", "bytes", "loop", "."):
        with pytest.raises(Misconfigured, match=str(tmp_path)):
            with_file(base, tmp_path / name)


def test_what_is_printed_is_toml_whatever_the_files_name(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SHIPPED)
    mine = tmp_path / "new\nline = 3"
    mine.write_text(WAIVED + '[toy]\nfolder = "a\\u0000\\u0085\'\\""\nlimit = nan\n')
    text = printed(with_file(shipped(tmp_path / "s.toml"), mine))
    read = tomllib.loads(text)
    assert read["toy"]["folder"] == "a\0\x85'\""
    assert read["toy"]["limit"] != read["toy"]["limit"]
    assert "line" not in read["toy"]


def test_the_shipped_file_can_be_printed_and_read() -> None:
    base = shipped(ROOT / "healthchecks" / "systems.toml")
    assert tomllib.loads(printed(base)) == {
        system: {key: setting.value for key, setting in table.items()}
        for system, table in {**base.tables, "notify": base.notify}.items()
    }
