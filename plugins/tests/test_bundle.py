"""`--bundle` and `--from-bundle`: what was seen here is judged there, with the same findings."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest
import zstandard

from plugins.bundle import packing
from plugins.bundle.making import hand_out
from plugins.bundle.opening import opened_bundle
from plugins.tests.bundle_toy import CHECKS, LOOK, PROBES, planted
from plugins.tests.toy import Toy, check, tree


@pytest.fixture
def toy(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Toy:
    return planted(Toy(pytester), monkeypatch)


def made(toy: Toy) -> Path:
    """Make the toy's bundle."""
    result = toy.run("--systems=mine.toml", "--bundle=b.tar.zst")
    assert "Bundle: b.tar.zst (" in result.stdout.str(), result.stdout.str() + result.stderr.str()
    return toy.root / "b.tar.zst"


@pytest.fixture(scope="module")
def kept() -> dict[str, bytes]:
    return {}


@pytest.fixture
def path(toy: Toy, kept: dict[str, bytes]) -> Path:
    """A bundle of the toy, which may be one of another machine: it is made once for all."""
    if not kept:
        kept["bundle"] = made(toy).read_bytes()
    (toy.root / "b.tar.zst").write_bytes(kept["bundle"])
    return toy.root / "b.tar.zst"


def members(path: Path) -> dict[str, bytes]:
    return packing.unpacked(packing.content_of(path))


def rows(toy: Toy) -> dict[str, Any]:
    """Return what may not differ, with what is masked shown as the reports mask it."""
    text = re.sub(r"<secret-\d+>", "***", json.dumps(toy.rows, sort_keys=True))
    words = ("outcome", "severity", "message", "evidence", "blocked_by", "silenced", "measures")
    return {i: {word: row[word] for word in words} for i, row in json.loads(text).items()}


def altered(path: Path, **changes: Any) -> Path:
    """Change words of the manifest, or files by their names with _ for a dot and a slash."""
    held = members(path)
    for name, make in changes.items():
        real = next(one for one in held if re.sub(r"[./]", "_", one) == name)
        document = json.loads(held[real])
        make(document)
        held[real] = json.dumps(document).encode()
    other = path.with_name("other.tar.zst")
    other.write_bytes(packing.packed(held, 0))
    return other


def test_a_bundle_gives_the_same_findings_and_reaches_no_host(toy: Toy) -> None:
    path = made(toy)
    here = rows(toy)
    assert {row["outcome"] for row in here.values()} >= {
        *("healthy", "ill", "cannot_tell", "blocked", "silenced", "absent"),
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before, looked = tree(toy.data), (toy.root / "looked").read_text()
    result = toy.run("-p", "hostless", "--from-bundle=b.tar.zst")
    assert rows(toy) == here
    assert result.ret == 1
    assert tree(toy.data) == before
    assert (toy.root / "looked").read_text() == looked
    assert not (toy.root / "reached").exists()
    told = toy.document["host"]
    assert told["spec"] == "bundle://b.tar.zst"
    assert ", from bundle b.tar.zst made at 20" in told["name"]


def test_no_secret_is_in_it_and_what_was_masked_is_listed(toy: Toy, path: Path) -> None:
    held = members(path)
    for name, content in held.items():
        assert b"cAnArY" not in content, name
    head = json.loads(held["manifest.json"])
    listed = {row["name"]: row for row in head["files"]}
    assert listed.keys() == held.keys() - {"manifest.json"}
    assert listed["collected/toy/app.log"]["cut"] > 4000
    unread = {row["name"]: row["why"] for row in head["unread"]}
    assert unread.keys() == {"collected/toy/folder.txt", "collected/toy/broken"}
    assert held["collected/toy/made.txt"] == b"mail <mail-1> \\x1b[31m red"
    masked = {(row["file"], row["rule"]) for row in head["masked"]}
    assert ("collected/toy/app.log", "assignment") in masked
    assert ("facts/toy.json", "token") in masked
    assert b"limit = 7.0" in held["configuration.toml"]


def test_a_dry_run_lists_and_writes_nothing(toy: Toy) -> None:
    result = toy.run("--systems=mine.toml", "--bundle=b.tar.zst", "--bundle-dry-run")
    result.stdout.fnmatch_lines(
        [
            "The bundle would hold:",
            "  collected/toy/app.log  * bytes  */app.log, the last part; * bytes before it *",
            "  not collected/toy/folder.txt  *",
            "  masked in facts/toy.json: token, * times",
            "*; nothing was written (--bundle-dry-run)",
        ]
    )
    assert not (toy.root / "reports").exists()
    assert not list(toy.root.glob("*.zst*"))


def test_a_check_that_the_bundle_does_not_know_is_not_healthy(toy: Toy, path: Path) -> None:
    toy.checks(CHECKS.replace("test_well", "test_renamed"))
    assert toy.run(f"--from-bundle={path}").ret == 11 or toy.came()["ill_one"] == "ill"
    came = toy.came()
    assert (came["renamed"], came["well"]) == ("cannot_tell", "cannot_tell")
    assert ", which made it, did not judge this check" in toy.rows["toy.renamed"]["message"]
    assert "no check here has its id" in toy.rows["toy.well"]["message"]


def test_what_changed_since_is_not_judged(toy: Toy, path: Path) -> None:
    toy.probes(PROBES.replace("folder: str\n", "place: str\n"))
    toy.run(f"--from-bundle={path}")
    assert (
        "Shelf has changed since the bundle was made" in toy.rows["toy.shelf_is_empty"]["message"]
    )
    assert toy.came()["shelf_is_empty"] == "cannot_tell"


def test_what_a_check_judges_and_was_masked_is_not_judged(toy: Toy) -> None:
    (toy.data / "word").write_text("password=hello-17")
    body = "assert word == 'password=hello-17', 'not hello'"
    toy.checks(CHECKS + check("greets", body, facts="word", cure=LOOK))
    path = made(toy)
    assert toy.came()["greets"] == "healthy"
    toy.run(f"--from-bundle={path}")
    assert toy.came()["greets"] == "cannot_tell"
    said = toy.rows["toy.greets"]["message"]
    assert "it was healthy when the bundle was made, and what is in the bundle comes to ill" in said


def test_a_bundle_is_judged_as_of_its_own_moment(toy: Toy, path: Path) -> None:
    there = altered(
        path,
        configuration_json=lambda d: d["waivers"]["toy.accepted"].update(until="2026-02-01"),
        manifest_json=lambda d: d.update(made="2026-02-01T10:00:00+00:00"),
    )
    toy.run(f"--from-bundle={there}")
    assert toy.came()["accepted"] == "silenced"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(format=2), "its format is 2, and this version reads 1 only"),
        (lambda d: d.pop("tool"), "broken"),
        (lambda d: d.update(made="soon"), "broken"),
        (lambda d: d.update(checks=[{"id": 1}]), "broken"),
        (lambda d: d["run"].update(deadline="inf"), "broken"),
        (lambda d: d.update(unlike=[1]), "broken"),
        (lambda d: d["checks"][0].update(id="a.\x1b[31m"), "no id of a check"),
        (lambda d: d.update(host=None), "broken"),
    ],
)
def test_a_broken_manifest_is_refused_in_a_sentence(path: Path, change: Any, said: str) -> None:
    with pytest.raises(packing.NoBundle, match=said):
        opened_bundle(members(altered(path, manifest_json=change)))


def test_a_strangers_words_are_harmless_in_every_report(toy: Toy, path: Path) -> None:
    evil = "\x1b[31m<script>alert(1)</script>"

    def met(document: Any) -> None:
        document["below"]["fact"]["met"][2]["by"] = evil
        document["crowded"]["fact"]["met"][1] = evil
        document["shelf"]["seconds"] = 1e308
        document["ill"]["fact"] = [evil * 20] * 500

    def head(document: Any) -> None:
        document["host"]["name"] = document["tool"]["version"] = evil
        row = {"id": "toy.gone", "system": "toy", "severity": "P0", "title": evil, "outcome": evil}
        document["checks"].append(row)

    there = altered(path, facts_toy_json=met, manifest_json=head)
    result = toy.run(f"--from-bundle={there}")
    assert result.ret == 1
    assert (toy.came()["is_below"], toy.came()["crowd"]) == ("cannot_tell", "cannot_tell")
    written = result.stdout.str() + result.stderr.str() + json.dumps(toy.document)
    assert "\x1b" not in written
    assert "\\u001b" not in written
    assert "Traceback" not in written


def test_nothing_is_written_over_and_nothing_else_goes_with_it(toy: Toy) -> None:
    (toy.root / "there.tar.zst").write_text("mine")
    (toy.root / "link.tar.zst").symlink_to(toy.root / "nowhere")
    refused = {
        ("--bundle=there.tar.zst",): "something stands there",
        ("--bundle=link.tar.zst",): "something stands there",
        ("--bundle=b.zip",): "must end in .tar.zst",
        ("--bundle=b.tar.zst", "--fix"): "does not go together with --fix",
        ("--from-bundle=there.tar.zst",): "it is no bundle",
        ("--from-bundle=there.tar.zst", "--fix"): "does not go together with --fix",
        ("--from-bundle=there.tar.zst", "--print-systems"): "with --print-systems",
    }
    for options, said in refused.items():
        result = toy.run(*options)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert said in result.stderr.str(), options
    assert (toy.root / "there.tar.zst").read_text() == "mine"
    assert not (toy.root / "nowhere").exists()


def test_a_leak_means_no_file_and_an_error_that_does_not_show_it(toy: Toy) -> None:
    # A collection whose masking is broken on purpose: the scan is the last to look.
    (toy.root / "leaking.py").write_text(
        "from plugins.bundle.pseudonyms import Pseudonyms\n"
        "Pseudonyms.hide = lambda self, text, where: text\n"
    )
    result = toy.run("-p", "leaking", "--bundle=b.tar.zst")
    assert result.ret == 1
    said = result.stderr.str()
    assert "no bundle was written: a secret would have been in it: " in said
    assert "facts/toy.json (token)" in said
    assert "cAnArY" not in said + result.stdout.str()
    assert not list(toy.root.glob("*.zst*"))
    assert not list(toy.root.glob(".b.tar*"))


def test_what_came_to_stand_there_meanwhile_stays(tmp_path: Path) -> None:
    (tmp_path / "b.tar.zst").write_text("mine")
    with pytest.raises(FileExistsError):
        hand_out(tmp_path / "b.tar.zst", b"ours")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("b.tar.zst", "mine")]


def test_the_tar_is_read_by_other_programs(toy: Toy, path: Path) -> None:
    content = path.read_bytes()
    with tarfile.open(fileobj=io.BytesIO(zstandard.decompress(content, 1 << 26))) as tar:
        assert tar.getnames()[0] == "manifest.json"
    assert os.path.getsize(toy.root / "b.tar.zst") == len(content)
