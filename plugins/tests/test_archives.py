"""Archives are whole when they count, and nothing of a stranger's gets out of its folder."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plugins.far import errand
from plugins.hands import archives, outages, unpacking
from plugins.hosts import Host
from plugins.steps import Archive, Hands, Refusal, Unpack

Change = Callable[[Path], Any]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the tree `data` to work on, and an empty quarantine."""
    projects = tmp_path / "data/projects"
    projects.joinpath("one").mkdir(parents=True)
    projects.joinpath("one/metadata.json").write_bytes(b"old")
    (tmp_path / "slots").mkdir()
    (tmp_path / "kept").mkdir()
    return tmp_path


def hands(place: Path, host: Host | None = None) -> Hands:
    roots = (str(place / "data"), str(place / "kept"))
    return Hands(host or Host(), roots, str(place / "slots/0"))


def member(name: str, **more: Any) -> tarfile.TarInfo:
    """Return a member of an archive with these fields, whatever they lead to."""
    made = tarfile.TarInfo(name)
    for key, value in more.items():
        setattr(made, key, value)
    return made


def write(path: Path, *members: tarfile.TarInfo) -> Path:
    """Write an archive that holds projects/one/metadata.json and these members after it."""
    with tarfile.open(path, "w:gz") as tar:
        for name in ("projects", "projects/one"):
            tar.addfile(member(name, type=tarfile.DIRTYPE, mode=0o750))
        tar.addfile(member("projects/one/metadata.json", size=3, mode=0o4666), io.BytesIO(b"new"))
        for each in members:
            tar.addfile(each, io.BytesIO(b"x" * each.size))
    return path


def standing(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*"))


def link(name: str, target: str) -> tarfile.TarInfo:
    return member(name, type=tarfile.SYMTYPE, linkname=target)


@pytest.mark.parametrize(
    "bad",
    [
        [member("../evil", size=1)],
        [member("projects/../../evil", size=1)],
        [member("/evil", size=1)],
        [link("projects/evil", "/etc")],
        [link("projects/evil", "../../data")],
        [link("projects/one/evil", "../../..")],
        [link("projects/one/in", ".."), link("projects/evil", "one/in/../..")],
        [link("projects/evil", "one"), member("projects/evil/file", size=1)],
        [member("projects/evil", type=tarfile.LNKTYPE, linkname="/etc/passwd")],
        [member("projects/evil", type=tarfile.LNKTYPE, linkname="../data/projects")],
        [member("projects/evil", type=tarfile.CHRTYPE, devmajor=1, devminor=3)],
        [member("projects/evil", type=tarfile.BLKTYPE, devmajor=8)],
        [member("projects/evil", type=tarfile.FIFOTYPE)],
        [member("projects/one/metadata.json", size=1)],
        [member("projects/one/metadata.json/below", size=1)],
        [member("projects/odd", size=1, type=b"Z")],
    ],
)
def test_a_malicious_archive_is_refused(place: Path, bad: list[tarfile.TarInfo]) -> None:
    archive = write(place / "kept/a.tar.gz", *bad)
    before = standing(place)
    step = Unpack(str(place / "data/projects"), str(archive), "projects")
    with pytest.raises(Refusal):
        step.take(hands(place))
    assert standing(place) == before
    assert (place / "data/projects/one/metadata.json").read_bytes() == b"old"


def _as_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "broken",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"rubbish" * 100),
        lambda path: path.write_bytes(_flipped(path.read_bytes())),
        lambda path: path.write_bytes(_with_a_broken_header(path.read_bytes())),
        _as_a_pipe,
        lambda path: path.unlink(),
    ],
)
def test_a_broken_archive_is_refused(place: Path, broken: Change) -> None:
    archive = write(place / "kept/a.tar.gz", member("projects/two", size=70_000))
    broken(archive)
    with pytest.raises(Refusal):
        Unpack(str(place / "data/projects"), str(archive), "projects").take(hands(place))
    assert (place / "data/projects/one/metadata.json").read_bytes() == b"old"
    try:
        assert "refused" in archives.survey(str(archive), "projects")
    except FileNotFoundError:
        assert not archive.exists()


def _flipped(packed: bytes) -> bytes:
    return packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:]


def _with_a_broken_header(packed: bytes) -> bytes:
    plain = bytearray(gzip.decompress(packed))
    at = plain.index(b"projects/two")
    plain[at : at + 4] = b"XXXX"
    return gzip.compress(bytes(plain))


def test_unpack_exchanges_the_folders_and_takes_it_back(place: Path) -> None:
    archive = write(place / "kept/a.tar.gz", link("projects/one/in", "../one"))
    step, ours = Unpack(str(place / "data/projects"), str(archive), "projects"), hands(place)
    back = step.inverse(ours)
    before = standing(place / "data")
    step.take(ours)
    new = place / "data/projects/one/metadata.json"
    assert new.read_bytes() == b"new"
    assert new.stat().st_mode & 0o7777 == 0o644
    assert os.readlink(place / "data/projects/one/in") == "../one"
    for each in back:
        each.take(ours)
    assert standing(place / "data") == before
    assert new.read_bytes() == b"old"


@pytest.mark.parametrize("inner", ["projects", "data/projects", "./data/projects"])
def test_the_folder_is_found_and_the_plan_does_the_same(place: Path, inner: str) -> None:
    whole = place / "whole" / os.path.dirname(inner)
    shutil.copytree(place / "data/projects", whole / "projects")
    (whole / "projects/one/metadata.json").write_bytes(b"new")
    archive = place / "kept/a.tar.gz"
    top = inner if inner == "projects" else os.path.dirname(inner)
    subprocess.run(["tar", "-czf", archive, "-C", place / "whole", top], check=True)
    assert archives.survey(str(archive), "projects") == {"inner": inner}
    step = Unpack(str(place / "data/projects"), str(archive), inner)
    subprocess.run(["bash", "-euc", str(step)], check=True)
    assert standing(place / "data") == ["projects", "projects/one", "projects/one/metadata.json"]
    assert (place / "data/projects/one/metadata.json").read_bytes() == b"new"


def test_two_folders_of_the_name_are_not_guessed_between(place: Path) -> None:
    folders = [member(f"{name}/projects", type=tarfile.DIRTYPE) for name in "ab"]
    archive = place / "kept/a.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for each in folders:
            tar.addfile(each)
    assert "two folders" in archives.survey(str(archive), "projects")["refused"]


def test_an_archive_holds_all_but_pipes_and_sockets(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = place / "data"
    odd = os.fsdecode(b"a \xff\n'$(x)")
    (data / odd).write_bytes(b"1" * 200_000)
    (data / ("n" * 200)).mkdir()
    (data / "dangling").symlink_to("/nowhere")
    os.mkfifo(data / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        # A socket's name is short: the folder's own path may be too long for it.
        monkeypatch.chdir(data)
        listening.bind("socket")
    archive = place / "kept/a.tar.gz"
    step = Archive(str(archive), str(data))
    back = step.inverse(hands(place))
    step.take(hands(place))
    with tarfile.open(archive, errors="surrogateescape") as tar:
        names = set(tar.getnames())
        assert tar.getmember("data/dangling").issym()
        assert tar.getmember(f"data/{odd}").size == 200_000
    assert names == {"data", *(f"data/{n}" for n in standing(data))} - {"data/pipe", "data/socket"}
    with pytest.raises(Refusal, match="is there already"):
        step.take(hands(place))
    for each in back:
        each.take(hands(place))
    assert not archive.exists()
    subprocess.run(["bash", "-euc", str(step)], check=True)
    assert archive.stat().st_mode & 0o777 == 0o600


def test_an_archive_never_lies_in_what_it_holds(place: Path) -> None:
    with pytest.raises(Refusal, match="would lie in"):
        Archive(str(place / "data/a.tar.gz"), str(place / "data")).take(hands(place))
    assert standing(place / "data") == ["projects", "projects/one", "projects/one/metadata.json"]


def test_the_hands_work_on_a_host_that_has_nothing_of_ours(place: Path) -> None:
    for hand, more in (
        (archives.pack, [str(place / "data"), str(place / "kept/a.tar.gz")]),
        (unpacking.unpack, [str(place / "data/new"), str(place / "kept/a.tar.gz"), "data", "x"]),
        (outages.stays, ["it", os.getpid(), str(place / "slots/note"), 0.1, "/dev/null"]),
    ):
        roots = [[str(place / "data"), str(place / "kept")]]
        words = (*more, *(roots if hand is not outages.stays else []))
        ran = subprocess.run(errand(hand, words), cwd="/", check=True, capture_output=True)
        assert json.loads(ran.stdout.splitlines()[-1]) == {"answer": {}}
    assert (place / "data/new/projects/one/metadata.json").read_bytes() == b"old"


def test_memory_does_not_grow_with_the_number_of_files(place: Path) -> None:
    import tracemalloc

    for number in range(3000):
        (place / f"data/projects/one/{number:0100}").touch()
    tracemalloc.start()
    archives.pack(str(place / "data"), str(place / "kept/a.tar.gz"), [str(place / "kept")])
    unpacked = str(place / "data/new")
    archive, slot = str(place / "kept/a.tar.gz"), str(place / "slots/0")
    roots = [str(place / "data")]
    assert unpacking.unpack(unpacked, archive, "data/projects", slot, roots) == {}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 << 20
