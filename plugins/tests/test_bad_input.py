"""What lies on the disk may be anything: each of it ends in a sentence, and nothing is touched.

Every test here starts the whole suite, as a user does, on a small world that was spoilt.
"""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from healthchecks.pocket_agent.world import World
from plugins.tests.runs import NOBODY, QUICK, assert_sound, looked, suite, tree

HUGE = 2 << 30
DATED = b'"created_at":"2026-01-01T00:00:00Z","last_active":"2026-01-01T00:00:00Z"}'
JSON = {
    "deep": b"[" * 100_000,
    "deep-objects": b'{"id":' * 100_000,
    "infinite": b'{"id":"infinite","path":1e400}',
    "nan": b'{"id":"nan","path":NaN}',
    "long-number": b'{"id":"long-number","n":' + b"9" * 6000 + b"}",
    "twice": b'{"id":"twice","id":"other","path":"/a","path":"/b",' + DATED,
    "surrogate": b'{"id":"surrogate","path":"/\\ud800",' + DATED,
    "nul": b'{"id":"nul","path":"/a\\u0000b",' + DATED,
    "escape": b'{"id":"\\u001b[31m\\u202e","path":"/\\u001b]0;t\\u0007",' + DATED,
    "types": b'{"id":[],"path":{},"created_at":{},"last_active":[]}',
    "utf-16": "{}".encode("utf-16"),
    "null": b"null",
}
NAMES = (
    b"new\nline",
    b"quo'te\"d",
    b"<script>alert(1)<",
    b"$(touch pwned)",
    b"`touch pwned`",
    b"%s%n{0}{{7*7}}",
    b"-rf",
    b"--help",
    b"\x1b[31mred\x1b]0;title\x07",
    b"\r\n- forged: evidence",
    "bidi\u202egnp.exe\u2028".encode(),
    b"\xff\xfe\x80",
    b"n" * 240,
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    yield made
    made.close()


def places(world: World) -> dict[str, Path]:
    """Return every file of the world that the checks read, by what it is."""
    return {
        "metadata": world.metadata(0),
        "live": world.message_log(0),
        "rotated": world.message_log(1, None, "messages_2026-01-05_10-00-00.jsonl"),
        "nginx": world.nginx_conf(""),
        "config": world.config,
        "certificate": world.crt,
        "key": world.key,
        "log": world.log,
        "claude": world.claude,
    }


def in_place_of_all(world: World, *kinds: Callable[[Path], object]) -> dict[str, Path]:
    """Put something else in the place of each file, of the kinds in turn."""
    found = places(world)
    for path, make in zip(found.values(), itertools.cycle(kinds)):
        path.unlink()
        make(path)
    return found


def a_socket(path: Path) -> None:
    os.mknod(path, 0o600 | stat.S_IFSOCK)


def a_dead_link(path: Path) -> None:
    path.symlink_to("nowhere/at/all")


def a_loop(path: Path) -> None:
    path.symlink_to(path.name)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    "kinds",
    [(os.mkfifo,), (a_socket, a_device), (a_device, a_socket), (a_dead_link, a_loop)],
    ids=["pipes", "sockets", "devices", "links"],
)
def test_something_else_stands_where_a_file_should_be(
    world: World, tmp_path: Path, kinds: tuple[Callable[[Path], object], ...]
) -> None:
    found = in_place_of_all(world, *kinds)
    look = looked(world, tmp_path)
    owners = {
        "config": "its_configuration_can_be_read",
        "certificate": "the_certificate_is_valid",
        "metadata": "no_project_metadata_is_lost",
        "live": "live_message_logs_can_be_read",
        "rotated": "live_message_logs_can_be_read",
        "log": "the_log_shows_few_errors",
        "nginx": "the_proxy_in_front_waits",
        "claude": "the_claude_cli_is_there",
        "key": "the_key_is_private",
    }
    for what, check in owners.items():
        told = look.told(check)
        # A link to nothing is no key: the check of the pair says so, under the certificate's.
        assert told.startswith(("ill", "cannot_tell", "blocked")), told
        assert str(found[what]) in told
    issues = [row for row in look.document["findings"] if ".known_issue." in row["id"]]
    assert {row["outcome"] for row in issues} == {"cannot_tell"}


@pytest.mark.parametrize("make", [os.mkfifo, a_dead_link, a_loop])
def test_something_else_stands_where_the_projects_should_be(
    world: World, tmp_path: Path, make: Callable[[Path], object]
) -> None:
    projects = world.data / "projects"
    shutil.rmtree(projects)
    make(projects)
    look = looked(world, tmp_path)
    for check in ("no_project_metadata_is_lost", "message_logs_can_be_read"):
        told = look.told(check)
        assert told.startswith("cannot_tell"), told
        assert str(projects) in told


def test_empty_files(world: World, tmp_path: Path) -> None:
    found = in_place_of_all(world, Path.touch)
    look = looked(world, tmp_path)
    assert look.told("its_configuration_can_be_read").endswith("it is empty")
    assert f"{found['certificate']}: the file holds no" in look.told("the_certificate_is_valid")
    assert f"{found['metadata']}: empty" in look.told("no_project_metadata_is_lost")
    assert look.row("the_log_shows_few_errors")["outcome"] == "healthy"


def test_files_of_two_gigabytes(world: World, tmp_path: Path) -> None:
    def huge(path: Path) -> None:
        path.touch(0o600)
        os.truncate(path, HUGE)

    found = places(world)
    for what in ("metadata", "rotated", "nginx", "config", "certificate", "key", "log"):
        found[what].unlink()
        huge(found[what])
    look = looked(world, tmp_path)
    assert "larger than our limit" in look.told("its_configuration_can_be_read")
    assert "larger than our limit" in look.told("the_certificate_is_valid")
    assert "larger than our limit" in look.told("the_proxy_in_front_waits")
    assert "larger than our limit of 1024 KiB" in look.told("no_project_metadata_is_lost")
    assert "1024 KiB" in look.told("message_logs_can_be_read")
    assert look.seconds < 30


def test_json_that_breaks_parsers(world: World, tmp_path: Path) -> None:
    for name, text in JSON.items():
        world.project(name, metadata=text, logs=False)
        world.log_line(b'{"level":"ERROR","time":"' + text + b'","error":' + text + b"}")
        world.log_line(text)
    world.message_log(0, b"\n".join(JSON.values()) + b"\n", "messages_2026-01-01_00-00-00.jsonl")
    world.configure(
        text=b'{"port":1e400,"tls_enabled":NaN,"log_level":"\\ud800\\u001b[31m","execution":[],'
        b'"data_dir":"\\ud800","websocket":{"max_message_size":1' + b"0" * 4200 + b"},"
        b'"\\u001b[2J\\u202e":1}'
    )
    look = looked(world, tmp_path)
    assert "port is inf" in look.told("its_configuration_can_be_read")
    assert "\\x1b[2j\\u202e" in look.told("nothing_is_configured_in_vain")
    broken = look.told("no_project_metadata_is_lost")
    assert "deep/metadata.json: nested too deeply" in broken
    assert "nan/metadata.json: not JSON" in broken
    sense = look.told("project_metadata_makes_sense")
    assert "twice: its id is other" in sense
    assert "surrogate: its path /\\ud800 is no folder" in sense
    assert "2026-01-01_00-00-00.jsonl" in look.told("message_logs_can_be_read")


def test_a_configuration_of_brackets(world: World, tmp_path: Path) -> None:
    world.configure(text=JSON["deep"])
    look = looked(world, tmp_path)
    assert "neither JSON nor YAML" in look.told("its_configuration_can_be_read")


def test_names_that_break_shells_terminals_and_pages(world: World, tmp_path: Path) -> None:
    logs = os.fsencode(world.message_log(0).parent)
    projects = os.fsencode(world.data / "projects")
    for name in NAMES:
        (Path(os.fsdecode(projects + b"/o" + name))).mkdir()
        broken = Path(os.fsdecode(projects + b"/b" + name))
        broken.mkdir()
        (broken / "metadata.json").write_bytes(b"{")
        Path(os.fsdecode(logs + b"/messages_2025" + name[:200] + b".jsonl")).write_bytes(b"x\n{}\n")
        left = Path(os.fsdecode(logs + b"/.tmp-" + name[:200]))
        left.touch()
        world.age(left, 2)
        world.log_line(b'{"level":"ERROR","msg":"' + name + b'"}')
        world.log_line(b"panic: " + name)
    look = looked(world, tmp_path)
    for check in (
        "no_project_folder_is_an_orphan",
        "no_project_metadata_is_lost",
        "message_logs_can_be_read",
        "no_interrupted_write_is_left",
    ):
        told = look.row(check)["evidence"]
        assert len(told) == len(NAMES), check
        assert any("\\x1b[31mred\\x1b]0;title\\x07" in line for line in told), check
        assert any("\\xff\\xfe" in line for line in told), check
        assert any("\\u202e" in line for line in told), check
    page = look.artefacts()["health.html"]
    assert "<script>alert(1)" not in page
    assert not list(tmp_path.rglob("pwned"))


def test_what_may_not_be_read() -> None:
    folder = Path(tempfile.mkdtemp())
    world = World(folder / "world")
    try:
        (folder / "run").mkdir()
        os.chown(folder / "run", NOBODY, NOBODY)
        folder.chmod(0o755)
        for path in (*places(world).values(), world.crt.parent):
            path.chmod(0)
        world.data.chmod(0o755)
        before = tree(world.folder)
        tables = {"pocket_agent": world.settings() | QUICK}
        drop = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        look = suite(folder / "run", tables, before=drop)
        assert_sound(look)
        assert tree(world.folder) == before
    finally:
        world.close()
        shutil.rmtree(folder)
    for check in (
        "its_configuration_can_be_read",
        "the_certificate_is_valid",
        "the_key_is_private",
        "message_logs_can_be_read",
        "no_project_metadata_is_lost",
        "the_log_shows_few_errors",
        "the_proxy_in_front_waits",
    ):
        assert look.told(check).startswith("cannot_tell: we may not look at /"), check
