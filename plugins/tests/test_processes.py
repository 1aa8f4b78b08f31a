"""Processes and sockets: known by what they are, not by text that looks like them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.endpoints.machine import Machine
from plugins.endpoints.processes import Process, Processes
from plugins.endpoints.sockets import Listener, Sockets
from plugins.endpoints.systemd import Systemd
from plugins.hosts import Host
from plugins.outcomes import CannotTell, NotThere


def fresh() -> Processes:
    return Processes(Host())


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    script = tmp_path / "night watch\udcff.py"
    script.write_text("import time\nheld = open(__file__ + '.log', 'w')\ntime.sleep(60)\n")
    environment = {"WANTED": "é=1", "SECRET": "hunter2"}
    child = subprocess.Popen([sys.executable, "-X", "utf8", script], env=environment, cwd=tmp_path)
    while not script.with_name(f"{script.name}.log").exists():
        time.sleep(0.01)
    yield child
    child.kill()
    child.wait()


def test_a_process_is_what_it_is(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    seen = fresh().one(sleeper.pid)
    assert seen is not None
    assert (seen.ppid, seen.uid, seen.cwd) == (os.getpid(), os.geteuid(), str(tmp_path))
    assert seen.exe == os.path.realpath(sys.executable)
    assert seen.argv[-1].endswith("night watch\udcff.py")
    assert abs(seen.started - time.time()) < 10
    assert seen.rss > 1 << 20
    assert not seen.zombie


def test_programs_are_found_by_their_whole_name(sleeper: subprocess.Popen[bytes]) -> None:
    def found(*names: str) -> bool:
        return sleeper.pid in {one.pid for one in fresh().by_program(names)}

    assert found("night watch\udcff.py")
    assert found("other", os.path.basename(os.path.realpath(sys.executable)))
    assert not found("night watch")
    assert not found("watch\udcff.py")
    assert os.getpid() not in {one.pid for one in fresh().by_program([Path(sys.executable).name])}


@pytest.mark.parametrize(
    ("line", "script"),
    [
        ("/usr/bin/python3.11 -u -W error /opt/a/serve.py --port 1", "serve.py"),
        ("python3 -m pocket.server --x", "pocket.server"),
        ("node --max-old-space-size=100 -r ./hook.js /srv/index.js", "index.js"),
        ("bun run start.ts", "start.ts"),
        ("bash -eu -o pipefail ./monitor.sh", "monitor.sh"),
        ("bash -ec serve.py", None),
        ("python3 -c serve.py", None),
        ("vim serve.py", None),
    ],
)
def test_an_interpreter_goes_by_its_script(line: str, script: str | None) -> None:
    argv = tuple(line.split())
    one = Process(
        pid=1, ppid=0, pgid=1, name="", argv=argv, exe="", exe_deleted=False, uid=0, owner="",
        state="S", started=0, started_ticks=0, rss=0, cpu_seconds=0, threads=1, cwd="", cgroup="",
    )  # fmt: skip
    assert one.programs - {os.path.basename(argv[0])} == ({script} if script else set())


def test_only_the_asked_variables_are_read(sleeper: subprocess.Popen[bytes]) -> None:
    assert fresh().environment(sleeper.pid, ["WANTED", "GONE"]) == {"WANTED": "é=1"}


def test_a_zombie_is_seen_and_runs_nothing() -> None:
    pid = os.fork()
    if not pid:
        os._exit(0)
    time.sleep(0.1)
    try:
        seen = fresh().one(pid)
        assert seen is not None
        assert seen.zombie
        assert pid in {one.pid for one in fresh().children(os.getpid())}
        assert pid not in {one.pid for one in fresh().by_program([seen.name])}
    finally:
        os.waitpid(pid, 0)
    assert fresh().one(pid) is None
    with pytest.raises(NotThere):
        fresh().descriptors(pid)


def test_descriptors_are_counted_against_the_process_s_own_limit() -> None:
    shell = ["sh", "-c", "ulimit -Sn 77; ulimit -Hn 99; exec sleep 60 9</dev/null"]
    with subprocess.Popen(shell) as child:
        time.sleep(0.2)
        seen = fresh().descriptors(child.pid)
        child.send_signal(signal.SIGKILL)
    assert (seen.soft_limit, seen.hard_limit) == (77, 99)
    assert seen.open >= 4


def test_holders_say_who_writes(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    log = next(tmp_path.glob("*.log"))
    with log.open("rb"):
        found = dict(fresh().holders(str(log)))
    assert found == {sleeper.pid: True, os.getpid(): False}
    with pytest.raises(NotThere):
        fresh().holders(str(tmp_path / "gone"))


def test_a_host_without_proc_cannot_tell(tmp_path: Path) -> None:
    with pytest.raises(CannotTell, match="no /proc"):
        Processes(Host(), proc=str(tmp_path)).all()
    with pytest.raises(CannotTell):
        Sockets(Host(), proc=str(tmp_path)).listeners()
    with pytest.raises(CannotTell, match="meminfo"):
        Machine(Host(), proc=str(tmp_path)).memory()


@pytest.mark.parametrize(
    ("family", "address", "beyond"),
    [
        (socket.AF_INET, "127.0.0.1", False),
        (socket.AF_INET, "127.9.9.9", False),
        (socket.AF_INET, "0.0.0.0", True),
        (socket.AF_INET6, "::1", False),
        (socket.AF_INET6, "::", True),
        (socket.AF_INET6, "::ffff:127.0.0.1", False),
    ],
)
def test_a_listener_is_found_where_it_listens(
    family: socket.AddressFamily, address: str, beyond: bool
) -> None:
    with socket.socket(family) as server:
        try:
            server.bind((address, 0))
        except OSError:
            assert family == socket.AF_INET6, "every host has IPv4"
            return
        server.listen()
        port = server.getsockname()[1]
        (seen,) = Sockets(Host()).on(port)
    shown = address.removeprefix("::ffff:")
    assert (seen.address, seen.pid, seen.beyond_loopback) == (shown, os.getpid(), beyond)
    assert seen.program
    assert Sockets(Host()).on(port) == ()


def test_a_listener_on_an_address_of_the_machine_is_beyond_loopback() -> None:
    assert Listener("192.0.2.7", 1, "ipv4", 0, "", 0).beyond_loopback
    assert Listener("::ffff:192.0.2.7", 1, "ipv6", 0, "", 0).beyond_loopback


def test_connections_of_a_port_are_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            (seen,) = Sockets(Host()).connections(port)
            assert (seen.state, seen.remote_port) == ("established", client.getsockname()[1])


def test_memory_honours_a_limit(tmp_path: Path) -> None:
    proc, group = tmp_path / "proc", tmp_path / "sys/fs/cgroup"
    (proc / "self").mkdir(parents=True)
    (group / "box").mkdir(parents=True)
    (proc / "meminfo").write_text("MemTotal: 1000 kB\nMemFree: 10 kB\nMemAvailable: 900 kB\n")
    (proc / "self/cgroup").write_text("0::/box\n")
    (group / "box/memory.max").write_text("512000\n")
    (group / "box/memory.current").write_text("500000\n")
    (group / "box/memory.stat").write_text("anon 1\ninactive_file 100000\n")
    seen = Machine(Host(), str(proc), str(tmp_path / "sys")).memory()
    assert (seen.total, seen.available, seen.limit) == (512000, 112000, 512000)
    (group / "box/memory.max").write_text("max\n")
    seen = Machine(Host(), str(proc), str(tmp_path / "sys")).memory()
    assert (seen.total, seen.available, seen.limit) == (1024000, 921600, None)


def test_this_machine_answers() -> None:
    machine = Machine(Host())
    memory = machine.memory()
    assert 0 < memory.available <= memory.total
    assert 0 < machine.cpus() <= (os.cpu_count() or 1)
    assert machine.booted() < machine.now()
    assert machine.clock_synchronised() in {True, False, None}
    assert machine.oom_kills() >= 0
    assert all(value >= 0 for value in machine.load())
    assert isinstance(machine.zone(), str)


def test_systemd_tells_or_says_why_not() -> None:
    systemd = Systemd(Host())
    with pytest.raises(CannotTell) as told:
        systemd.unit("no-such-unit-anywhere.service")
    runs = Path("/run/systemd/system").is_dir()
    assert isinstance(told.value, NotThere) == runs
    assert ("knows no unit" if runs else "does not run") in str(told.value)
