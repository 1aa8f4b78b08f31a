"""Every step: taken, typed in a shell and taken back, byte for byte."""

from __future__ import annotations

import gzip
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from plugins.journal import Journal
from plugins.steps import (
    Chmod,
    Chown,
    Copy,
    DropLines,
    Gunzip,
    Gzip,
    Link,
    Mkdir,
    Move,
    Refusal,
    Run,
    Start,
    Step,
    Write,
)
from plugins.tests.toy import tree
from plugins.tests.worksite import CONTENT, back, hands_on, journal, make, root

__all__ = ["journal", "root"]

NAMES = [
    "plain.log",
    "new\nline",
    'it\'s "quoted"',
    "$(touch pwned) `id` ${HOME}",
    os.fsdecode(b"not-utf8-\xff\xfe"),
    "-rf",
    "tab\t\x1b[31m\\ back\\012",
    "*?[a]~ ;&|#",
    "ü" * 120,
]
STEPS: dict[str, Callable[[str], Step]] = {
    "chmod": lambda path: Chmod(path, 0o4711),
    "chown": lambda path: Chown(path, 5, 6),
    "mkdir": lambda path: Mkdir(path + ".d", 0o751),
    "move": lambda path: Move(path, path + ".moved"),
    "write": lambda path: Write(path, b"new\0 %s \\n 'x'\r\n\xff", 0o604),
    "write_text": lambda path: Write(path, b'it\'s "new" $(id)\n', 0o600),
    "write_new": lambda path: Write(path + ".n", b"", 0o640),
    "drop": lambda path: DropLines(path, (3, 1, 2)),
    "drop_last": lambda path: DropLines(path, (5,)),
    "link": lambda path: Link(path + ".l", "some where/else"),
    "gzip": Gzip,
    "copy": lambda path: Copy(path + ".l", source=path),
}


def plain(path: Path) -> dict[str, tuple[object, ...]]:
    """The tree without times and with packed content unpacked: what a shell does, too."""
    found: dict[str, tuple[object, ...]] = {}
    for name, (mode, owner, _, content) in tree(path).items():
        packed = name.endswith(".gz") and isinstance(content, bytes)
        assert isinstance(content, (bytes, str, bool))
        found[name.removeprefix(str(path))] = (
            mode,
            owner,
            gzip.decompress(content) if packed and isinstance(content, bytes) else content,
        )
    return found


@pytest.mark.parametrize("kind", STEPS)
def test_it_is_taken_as_typed_and_taken_back_byte_for_byte(
    kind: str, root: Path, tmp_path: Path, journal: Journal
) -> None:
    typed = tmp_path / "typed"
    typed.mkdir()
    names = NAMES[:-1] if kind not in {"chmod", "chown"} else NAMES
    names = [*names, "ü" * 110]
    for name in names:
        make(root, name)
        make(typed, name)
    before = tree(root)
    for name in names:
        journal.take("x.y", STEPS[kind](str(root / name)), (str(root),))
    lines = [str(STEPS[kind](str(typed / name))) for name in names]
    assert all(line.isprintable() for line in lines)
    ran = subprocess.run(
        ["bash", "-euc", "\n".join(lines)], check=False, capture_output=True, cwd=tmp_path
    )
    assert ran.returncode == 0, ran.stderr
    taken = plain(root)
    assert taken != {n.removeprefix(str(root)): (m, o, c) for n, (m, o, _, c) in before.items()}
    if kind in {"write_new", "link", "mkdir", "copy"}:
        # What is new belongs to the folder's owner, who is also the one that types here.
        assert {n: (m, c) for n, (m, _, c) in taken.items()} == {
            n: (m, c) for n, (m, _, c) in plain(typed).items()
        }
    else:
        assert taken == plain(typed)
    assert not (tmp_path / "pwned").exists()
    back(journal)
    assert tree(root) == before


def test_every_other_byte_stays_when_lines_are_dropped(root: Path, journal: Journal) -> None:
    long = b"x" * (3 << 20)
    cases = {
        b"a\r\nb\r\nc\r\n": ((2,), b"a\r\nc\r\n"),
        b"a\nb": ((2,), b"a\n"),
        b"a\nb\0\0\nc": ((1,), b"b\0\0\nc"),
        b"a\n" + long + b"\nb\n": ((1, 3), long + b"\n"),
        b"a\n" + long + b"\nb": ((2,), b"a\nb"),
        b"": ((1,), b""),
        b"a\n": ((7,), b"a\n"),
    }
    for number, (content, (lines, left)) in enumerate(cases.items()):
        path = root / str(number)
        path.write_bytes(content)
        journal.take("x.y", DropLines(str(path), lines), (str(root),))
        assert path.read_bytes() == left


def test_a_packed_file_keeps_its_time_and_a_link_its_own(root: Path, journal: Journal) -> None:
    path = Path(make(root, "log"))
    link = root / "link"
    link.symlink_to("nowhere")
    os.utime(link, ns=(5, 6), follow_symlinks=False)
    before = tree(root)
    journal.take("x.y", Gzip(str(path)), (str(root),))
    packed = root / "log.gz"
    assert packed.stat().st_mtime_ns == 10**18 + 123456789
    assert gzip.decompress(packed.read_bytes()) == CONTENT
    journal.take("x.y", Link(str(link), "elsewhere"), (str(root),))
    assert os.readlink(link) == "elsewhere"
    back(journal)
    assert tree(root) == before


def test_packing_that_was_cut_short_is_taken_back(root: Path, journal: Journal) -> None:
    path = Path(make(root, "log"))
    before = tree(root)
    journal.take("x.y", Gzip(str(path)), (str(root),))
    packed = (root / "log.gz").read_bytes()
    back(journal)
    (root / "log.gz").write_bytes(packed)  # both stand there, as after a crash between the two
    Gunzip(str(path)).take(hands_on(root))
    assert tree(root) == before
    (root / "log.gz").write_bytes(gzip.compress(b"another"))
    with pytest.raises(Refusal, match="exists already"):
        Gunzip(str(path)).take(hands_on(root))
    path.unlink()
    (root / "log.gz").write_bytes(packed[:-5])
    with pytest.raises(Refusal):
        Gunzip(str(path)).take(hands_on(root))


def test_commands_are_run_and_taken_back_and_their_failure_is_told(
    root: Path, journal: Journal
) -> None:
    mark = root / "mark"
    journal.take("x.y", Run(("touch", str(mark)), undo=("rm", str(mark))), ())
    assert mark.exists()
    back(journal)
    assert not mark.exists()
    for step, words in (
        (Run(("sh", "-c", "echo why >&2; exit 3")), "status 3: why"),
        (Run(("no-such-program",)), "not installed"),
        (Run(("sleep", "9"), deadline=0.2), "our limit of 0.2 s"),
        (Start(("no-such-program",), cwd=str(root)), "status 127"),
        (Start(("true",), cwd=str(root / "none")), "status 126"),
        (Start(("true",), log=str(root / "none" / "log")), "status 126"),
        (Start(("sh", "-c", "exit 4")), "status 4"),
    ):
        with pytest.raises(Refusal, match=words):
            journal.take("x.y", step, ())
    assert all(entry.undone for entry in journal.entries())


def test_a_program_is_started_in_its_folder_with_its_words(root: Path, journal: Journal) -> None:
    name = os.fsdecode(b"it's \xff\n")
    code = 'pwd; printf \'%s|\' "$A" "$@"; exec sleep 30'
    step = Start(
        ("sh", "-c", code, "sh", name), cwd=str(root), log=str(root / "log"), env=(("A", "x y"),)
    )
    journal.take("x.y", step, ())
    try:
        said = (root / "log").read_bytes()
        assert said == os.fsencode(f"{root}\nx y|{name}|")
    finally:
        _end(root)


def _end(folder: Path) -> None:
    for entry in Path("/proc").iterdir():
        try:
            mine = entry.name.isdigit() and os.readlink(entry / "cwd") == str(folder)
        except OSError:
            continue
        if mine:
            os.kill(int(entry.name), 9)


def test_a_plan_shows_the_first_of_the_lines_that_go(root: Path) -> None:
    path = root / "log"
    path.write_bytes(b"kept\n" + b"password = swordfish99\n" + b"gone \xff\n" * 30)
    shown = DropLines(str(path), tuple(range(2, 33))).difference(hands_on(root))
    assert shown[:3] == (f"--- {path}", f"+++ {path}", "@@ 2,32d @@")
    assert "-kept" not in shown
    assert "swordfish99" not in "".join(shown)
    assert shown[4] == "-gone \ufffd"
    assert shown[-1] == "and 11 lines more"
    assert DropLines(str(root / "none"), (1,)).difference(hands_on(root)) == ()
