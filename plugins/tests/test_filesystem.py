"""Files: what stands where a file should stand is told, quickly and without touching it."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from plugins.endpoints.filesystem import Filesystem
from plugins.hosts import Host
from plugins.outcomes import NoPermission, NotThere, TooBig, WrongKind
from plugins.tests.runs import open_the_way

as_root = os.geteuid() == 0


@pytest.fixture
def filesystem() -> Filesystem:
    return Filesystem(Host())


def test_an_entry_tells_what_lstat_tells(filesystem: Filesystem, tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"12345")
    file.chmod(0o640)
    seen = filesystem.look(str(file))
    assert seen is not None
    assert (seen.kind, seen.size, seen.mode, seen.links, seen.name) == ("file", 5, 0o640, 1, "a")
    assert (seen.uid, seen.mtime_ns) == (file.stat().st_uid, file.stat().st_mtime_ns)
    file.write_bytes(b"123456")
    again = Filesystem(Host()).look(str(file))
    assert again is not None
    assert again.identity != seen.identity


def test_nothing_is_none(filesystem: Filesystem, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert filesystem.look(str(tmp_path / "gone")) is None
    assert filesystem.look(str(tmp_path / "file/below")) is None
    for ask in (filesystem.read, filesystem.folder, filesystem.walk, filesystem.resolve):
        with pytest.raises(NotThere, match="gone"):
            ask(str(tmp_path / "gone"))


def test_every_kind_has_its_name(filesystem: Filesystem, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        found = {one.name: one.kind for one in filesystem.folder(str(tmp_path))}
        assert found == {name: name for name in ("fifo", "folder", "link", "socket")}
        for name in ("fifo", "folder", "socket"):
            for follow in (False, True):
                with pytest.raises(WrongKind, match=f"{name} is a"):
                    filesystem.read(str(tmp_path / name), follow=follow)
    with pytest.raises(WrongKind, match="is a device"):
        filesystem.read("/dev/zero")


def test_a_fifo_behind_a_link_is_refused_and_its_writer_left_waiting(
    filesystem: Filesystem, tmp_path: Path
) -> None:
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to(fifo)
    writer = threading.Thread(target=lambda: fifo.open("wb").close(), daemon=True)
    writer.start()
    time.sleep(0.1)
    with pytest.raises(WrongKind, match="FIFO"):
        filesystem.read(str(link), follow=True)
    with pytest.raises(WrongKind, match="FIFO"):
        filesystem.tail(str(fifo), 10)
    time.sleep(0.1)
    assert writer.is_alive()
    fifo.open("rb").close()
    writer.join(2)


def test_links_are_followed_when_asked(filesystem: Filesystem, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    with pytest.raises(WrongKind, match="symbolic link"):
        filesystem.read(str(tmp_path / "link"))
    assert filesystem.read(str(tmp_path / "link"), follow=True) == b"x"
    assert filesystem.resolve(str(tmp_path / "link")) == os.path.realpath(tmp_path / "file")
    (tmp_path / "there").symlink_to(tmp_path)
    with pytest.raises(WrongKind, match="symbolic link"):
        filesystem.folder(str(tmp_path / "there"))
    assert len(filesystem.folder(str(tmp_path / "there"), follow=True)) == 3


def test_loops_and_dangling_links_are_told_apart(filesystem: Filesystem, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "dangling").symlink_to("gone")
    for ask in (filesystem.resolve, lambda path: filesystem.read(path, follow=True)):
        with pytest.raises(WrongKind, match="loop"):
            ask(str(tmp_path / "a"))
        with pytest.raises(NotThere):
            ask(str(tmp_path / "dangling"))
    seen = filesystem.look(str(tmp_path / "dangling"))
    assert seen is not None
    assert (seen.kind, seen.target) == ("link", "gone")


def test_any_name_is_a_name(filesystem: Filesystem, tmp_path: Path) -> None:
    names = sorted([b"new\nline", b"\xff\xfe", b"<script>", b"$(id)", b"\x1b[31m", b"' \"", b"-rf"])
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(name)
    found = filesystem.folder(str(tmp_path))
    assert sorted(os.fsencode(one.name) for one in found) == names
    assert all(filesystem.read(one.path) == os.fsencode(one.name) for one in found)
    with pytest.raises(NotThere, match=r"\\xff\\x1b is not there") as told:
        filesystem.read(str(tmp_path / "\udcff\x1b"))
    assert str(told.value).isprintable()


def test_a_large_file_is_refused_at_once_and_its_end_read(
    filesystem: Filesystem, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(2 << 30)
        file.seek(0, os.SEEK_END)
        file.write(b"the end")
    begun = time.monotonic()
    for ask in (filesystem.read, filesystem.text, filesystem.json):
        with pytest.raises(TooBig, match="larger than our limit"):
            ask(str(large))
    assert filesystem.tail(str(large), 7) == b"the end"
    assert filesystem.du(str(large)) < 1 << 20
    assert time.monotonic() - begun < 0.5


def test_files_without_a_size_are_read_within_the_limit(filesystem: Filesystem) -> None:
    assert b"MemTotal" in filesystem.read("/proc/meminfo")
    with pytest.raises(TooBig):
        filesystem.read("/proc/meminfo", limit=10)


def test_many_files_are_read_together(filesystem: Filesystem, tmp_path: Path) -> None:
    for number in range(600):
        (tmp_path / f"{number:03}").write_bytes(b"x" * number)
    os.mkfifo(tmp_path / "fifo")
    paths = [one.path for one in filesystem.folder(str(tmp_path))] + [str(tmp_path / "gone")]
    told = dict(filesystem.contents(paths, limit=598))
    assert [told[path] for path in paths[:599]] == [b"x" * number for number in range(599)]
    assert [type(told[path]) for path in paths[599:]] == [TooBig, WrongKind, NotThere]


def test_json_that_breaks_is_placed_and_not_shown(filesystem: Filesystem, tmp_path: Path) -> None:
    broken = {
        b'{\n"token": "hunter2", }': "line 2 column 21",
        b"": "line 1 column 1",
        b'{"token": "hunter2\xff"}': "not UTF-8",
        b"[" * 100_000: "nested",
        b"1" * 5000: "number",
    }
    for number, (content, where) in enumerate(broken.items()):
        file = tmp_path / f"{number}.json"
        file.write_bytes(content)
        with pytest.raises(WrongKind, match=where) as told:
            filesystem.json(str(file))
        assert "hunter2" not in str(told.value)
        assert told.value.__context__ is None
    (tmp_path / "good").write_text('{"a": [1]}')
    assert filesystem.json(str(tmp_path / "good")) == {"a": [1]}
    assert filesystem.text(str(tmp_path / "2.json")).endswith('\\xff"}')


def test_a_walk_stays_in_the_tree(filesystem: Filesystem, tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "a/b/up").symlink_to(tmp_path)
    (tmp_path / "a/file").write_text("x")
    names = [os.path.relpath(one.path, tmp_path) for one in filesystem.walk(str(tmp_path))]
    assert names == ["a", "a/b", "a/file", "a/b/c", "a/b/up"]
    assert len(filesystem.walk(str(tmp_path), depth=2)) == 3
    with pytest.raises(TooBig, match="3 entries"):
        filesystem.walk(str(tmp_path), limit=3)
    with pytest.raises(TooBig, match="1 entries"):
        filesystem.folder(str(tmp_path / "a/b"), limit=1)


def test_du_counts_as_du_does(filesystem: Filesystem, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below/file").write_bytes(b"x" * 100_000)
    os.link(tmp_path / "below/file", tmp_path / "again")
    said = subprocess.run(["du", "-s", "-B1", tmp_path], capture_output=True, check=True).stdout
    assert filesystem.du(str(tmp_path)) == int(said.split()[0])


def test_room_is_what_df_says(filesystem: Filesystem, tmp_path: Path) -> None:
    columns = "--output=target,source,fstype,size,avail,pcent,itotal"
    said = subprocess.run(["df", "-B1", columns, tmp_path], capture_output=True, check=True)
    target, source, kind, size, _, percent, inodes = said.stdout.decode().splitlines()[1].split()
    room = filesystem.room(str(tmp_path / "not/yet/there"))
    assert room.path == os.path.realpath(tmp_path)
    # A root that is no mount, as in a chroot, has no device and no kind; df draws a dash.
    shown = (room.mount, room.device or "-", room.kind or "-", room.total)
    assert shown == (target, source, kind, int(size))
    assert room.inodes_total == int(inodes)
    assert 0 <= int(percent.rstrip("%")) - room.used_percent < 1.01


def test_who_may_is_told_by_modes(filesystem: Filesystem, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    file = tmp_path / "file"
    file.touch()
    file.chmod(0o640)
    owner, group = file.stat().st_uid, file.stat().st_gid
    real = os.path.dirname(os.path.realpath(file))
    file = Path(real) / "file"
    assert filesystem.may(str(file), owner, [], "rw")
    assert not filesystem.may(str(file), owner, [], "x")
    assert not filesystem.may(str(file), 12345, [54321], "r")
    (Path(real)).chmod(0o700)
    assert not Filesystem(Host()).may(str(file), 12345, [group], "r")


def test_a_closed_folder_is_no_empty_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "inside").touch()
    closed.chmod(0)
    if as_root:
        closed.chmod(0o700)
        code = _in_child_as_nobody(tmp_path, closed)
        assert code == 0
        return
    with pytest.raises(NoPermission):
        Filesystem(Host()).folder(str(closed))


def _in_child_as_nobody(top: Path, closed: Path) -> int:
    open_the_way(top)
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    refused = 0
    try:
        os.setgroups([])
        os.setuid(65534)
        looks = Filesystem(Host())
        path = str(closed)
        asks = (
            lambda: looks.folder(path),
            lambda: looks.walk(str(top)),
            lambda: looks.du(str(top)),
            lambda: looks.look(f"{path}/inside"),
            lambda: looks.read(f"{path}/inside"),
        )
        for ask in asks:
            try:
                ask()
            except NoPermission:
                refused += 1
        lenient = [one.name for one in looks.walk(str(top), lenient=True)]
        os._exit(0 if refused == len(asks) and lenient == ["closed"] else 1)
    finally:
        os._exit(2)


def test_the_same_question_is_answered_once(filesystem: Filesystem, tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    assert not filesystem.exists(path)
    Path(path).touch()
    assert not filesystem.exists(path)
    assert Filesystem(Host()).exists(path)


def test_a_name_with_nul_is_no_file(filesystem: Filesystem) -> None:
    with pytest.raises(WrongKind, match="null"):
        filesystem.look("/a\0b")


def test_names_that_are_no_files_are_counted_too(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.jsonl").symlink_to("/etc/passwd")
    assert len(Filesystem(Host()).below(str(tmp_path), ".jsonl", limit=6).odd) == 6
    with pytest.raises(TooBig):
        Filesystem(Host()).below(str(tmp_path), ".jsonl", limit=5)
