"""Hosts: commands end at their deadline with all they started, and say clearly what was wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plugins import far
from plugins.eyes import files
from plugins.hosts import Host
from plugins.outcomes import CannotTell, NotThere, TimedOut, ToolMissing, WrongKind

HOST = Host()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_command_says_what_it_said() -> None:
    ran = HOST.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (ran.status, ran.out, ran.err, ran.truncated) == (3, b"out\n", b"err\n", False)
    assert ran.complaint == "err"


def test_no_shell_reads_the_words() -> None:
    words = ["$(touch /x)", "a\nb", "'\"`", "\udcff", "*"]
    ran = HOST.run([sys.executable, "-c", "import sys; print(sys.argv[1:])", *words])
    assert ran.text.strip() == str(words)


def test_the_locale_is_known_unless_it_is_given() -> None:
    assert HOST.run(["sh", "-c", "echo $LC_ALL"]).text == "C.UTF-8\n"
    assert HOST.run(["sh", "-c", "echo $LC_ALL"], env={"LC_ALL": "C"}).text == "C\n"


def test_a_stubborn_family_is_killed_at_the_deadline(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "for _ in range(2): os.fork()\n"
        f"open({str(tmp_path)!r} + f'/{{os.getpid()}}', 'w').close()\n"
        "time.sleep(60)\n"
    )
    begun = time.monotonic()
    with pytest.raises(TimedOut, match="our limit of 1 s"):
        HOST.run([sys.executable, "-c", script], deadline=1.0)
    assert time.monotonic() - begun < 20
    pids = [int(name) for name in os.listdir(tmp_path)]
    time.sleep(0.1)
    assert len(pids) == 4
    assert not [pid for pid in pids if alive(pid)]


def test_a_grandchild_that_holds_the_pipe_does_not_hold_us() -> None:
    begun = time.monotonic()
    with pytest.raises(TimedOut):
        HOST.run(["sh", "-c", "sleep 60 & exit 0"], deadline=0.3)
    with pytest.raises(TimedOut):
        HOST.run(["setsid", "-f", "sleep", "40"], deadline=0.3)
    assert time.monotonic() - begun < 20


def test_endless_output_is_bounded() -> None:
    with pytest.raises(TimedOut):
        HOST.run(["yes"], deadline=0.3, limit=1000)
    ran = HOST.run(["head", "-c", "9000000", "/dev/zero"], limit=1000)
    assert len(ran.out) == 1000
    assert ran.truncated


def test_much_is_fed_and_what_is_not_wanted_is_no_error() -> None:
    assert len(HOST.run(["cat"], stdin=b"x" * 3_000_000).out) == 3_000_000
    assert HOST.run(["true"], stdin=b"x" * 3_000_000).status == 0
    assert HOST.run(["cat"]).out == b""


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="no-such-tool"):
        HOST.run(["no-such-tool"])
    with pytest.raises(NotThere, match="folder"):
        HOST.run(["true"], cwd=str(tmp_path / "gone"))
    with pytest.raises(CannotTell, match="null byte"):
        HOST.run(["true", "a\0b"])


def test_testinfra_has_deadlines_and_the_same_answers() -> None:
    assert HOST.testinfra.file("/etc/passwd").exists
    assert HOST.testinfra.run("echo %s", "a b").stdout == "a b\n"


def test_importing_is_cheap() -> None:
    code = (
        "import sys, plugins.hosts; print([n for n in ('testinfra', 'docker') if n in sys.modules])"
    )
    ran = subprocess.run(  # noqa: PLW1510
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert ran.stdout == "[]\n"


def by_hand(line: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(line, shell=True, capture_output=True, check=False)


def test_the_line_for_a_far_shell_is_ascii_and_keeps_every_byte(tmp_path: Path) -> None:
    words = ("printf", r"%s|", "é", "\udcff", "a'b\n\\n%d", "$(id)", "")
    line = far.script(words, 5.0, b"", {"LC_ALL": "C.UTF-8", "WORD": "ü"}, str(tmp_path))
    ran = by_hand(line)
    assert line.isascii()
    assert ran.stdout == b"\xc3\xa9|\xff|a'b\n\\n%d|$(id)||"
    assert far.unmarked(ran.stderr, ran.returncode, "printf", "here") == b""


def test_a_far_command_is_fed() -> None:
    ran = by_hand(far.script(("cat",), 5.0, b"a\0b\xff", {}, None))
    assert ran.stdout == b"a\0b\xff"


def test_a_far_command_that_is_missing_is_told_from_one_that_fails() -> None:
    missing = by_hand(far.script(("no-such-tool",), 5.0, b"", {}, None))
    with pytest.raises(ToolMissing, match="no-such-tool"):
        far.unmarked(missing.stderr, missing.returncode, "no-such-tool", "there")
    failing = by_hand(far.script(("sh", "-c", "exit 127"), 5.0, b"", {}, None))
    assert far.unmarked(failing.stderr, failing.returncode, "sh", "there") == b""
    with pytest.raises(NotThere, match="cannot be reached: no route"):
        far.unmarked(b"no route\n", 255, "sh", "there")


def test_an_eye_travels(tmp_path: Path) -> None:
    name = str(tmp_path / "a\udcffb\n")
    Path(name).write_bytes(b"12345")
    ran = HOST.run(far.errand(files.look, (name,)))
    told = far.answer(ran.status, ran.out, ran.complaint, "look")
    assert told == json.loads(json.dumps(files.look(name)))


def test_an_error_of_a_travelling_eye_is_the_same_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("gone", "pipe"):
        path = str(tmp_path / name)
        with pytest.raises(OSError, match=name) as here:
            files.read(path, 10, False)
        ran = HOST.run(far.errand(files.read, (path, 10, False)))
        with pytest.raises(type(here.value)) as there:
            far.answer(ran.status, ran.out, ran.complaint, "read")
        assert there.value.args == here.value.args
        assert there.value.filename == path


def test_rubbish_from_a_far_eye_is_said_to_be_so() -> None:
    with pytest.raises(WrongKind, match="not JSON"):
        far.answer(0, b"Welcome!\n", "", "look")


def test_a_host_that_is_none_says_so() -> None:
    with pytest.raises(NotThere, match="cannot be reached"):
        Host("docker://no-such-container-here").run(["true"])


@pytest.fixture
def far_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Return a host behind a `docker` that runs here what `docker exec` would run there."""
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\n[ "$2" = hung ] && sleep 60\nshift 2\nexec "$@"\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return Host("docker://there")


def test_a_far_host_answers_as_this_one_does(far_host: Host, tmp_path: Path) -> None:
    assert far_host.run(["printf", "%s", "é\udcff'"]).out == b"\xc3\xa9\xff'"
    assert far_host.run(["cat"], stdin=b"abc").out == b"abc"
    assert far_host.run(["sh", "-c", "echo no >&2; exit 7"]).complaint == "no"
    assert far_host.run(["pwd"], cwd="/").text == "/\n"
    ran = far_host.run(["head", "-c", "100000", "/dev/zero"], limit=1000)
    assert (len(ran.out), ran.truncated) == (1000, True)
    assert far_host.call(files.look, str(tmp_path)) == files.look(str(tmp_path))
    with pytest.raises(FileNotFoundError):
        far_host.call(files.read, str(tmp_path / "gone"), 10, False)


def test_a_far_host_says_what_it_lacks(far_host: Host, tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="no-such-tool is not installed on docker://there"):
        far_host.run(["no-such-tool"])
    with pytest.raises(NotThere, match="folder"):
        far_host.run(["true"], cwd=str(tmp_path / "gone"))
    for tool in ("sh", "timeout"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(ToolMissing, match="has no python3"):
            far_host.call(files.look, "/")


def test_a_hung_far_host_and_a_hung_command_end_at_the_deadline(far_host: Host) -> None:
    begun = time.monotonic()
    with pytest.raises(TimedOut, match=r"limit of 0\.5 s"):
        Host("docker://hung").run(["true"], deadline=0.5)
    with pytest.raises(TimedOut):
        far_host.run(["sleep", "61"], deadline=0.5)
    assert time.monotonic() - begun < 2.0
    time.sleep(1.0)  # the far `timeout` counts whole seconds
    running = HOST.run(["ps", "-eo", "args"]).text.splitlines()
    assert "sleep 61" not in running
