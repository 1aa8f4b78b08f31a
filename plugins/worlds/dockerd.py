"""A Docker engine of a world's own: a real dockerd on a scratch socket, with scratch images.

`DockerWorld` is one engine of one world. `borrowed` lends one engine to all worlds of this process,
as its start, its end and its first image cost more than most worlds.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from plugins.outcomes import ToolMissing

BASE = "of-these-worlds/base:latest"

START = """\
#!/bin/sh
# Starts this world's own dockerd and waits until it answers.
rm -f '{socket}'
setsid nohup dockerd --data-root '{folder}/data' --exec-root '{short}/exec' \\
  --pidfile '{short}/pid' --host 'unix://{socket}' \\
  --iptables=false --ip6tables=false --bridge=none \\
  >> '{folder}/log' 2>&1 < /dev/null &
for turn in $(seq 100); do
  docker --host 'unix://{socket}' version > /dev/null 2>&1 && exit 0
  sleep 0.1
done
exit 1
"""

# Its input is a pipe that only the borrowing process holds: it ends when that process does, even
# by SIGKILL.
GUARD = """\
trap '' INT TERM HUP
read -r _
export DOCKER_HOST="unix://$2/docker.sock"
timeout 10 docker ps --all --quiet --no-trunc | xargs -r timeout 20 docker rm --force --volumes
pid=$(cat "$2/pid") && kill "$pid" && for turn in $(seq 150); do
  grep -qs '^State:[[:space:]]*[^Z]' "/proc/$pid/status" || break
  sleep 0.1
done
rm -rf "$1" "$2"
"""


class DockerWorld:
    """A dockerd that is started when it is asked for.

    Args:
        folder: its images and its log; its socket lies in a shorter place, as sockets must.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._short = ""
        self._hung: socket.socket | None = None

    @property
    def socket(self) -> str:
        """The path of its socket, whether or not anything is there."""
        if not self._short:
            self._short = tempfile.mkdtemp(prefix="hc-")
        return f"{self._short}/docker.sock"

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"unix://{self.socket}"

    def script(self) -> str:
        """Write the program that starts it, and return its path."""
        self.folder.mkdir(exist_ok=True)
        path = self.folder / "start"
        text = START.format(socket=self.socket, short=self._short, folder=self.folder)
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ToolMissing: no dockerd can run on this machine; says what its log says last.
        """
        if subprocess.run([self.script()], check=False).returncode:
            log = self.folder / "log"
            last = log.read_text("utf-8", "replace").splitlines()[-1:] if log.exists() else []
            raise ToolMissing(f"a dockerd that can run here ({' '.join(last)[-200:]})")

    def hang(self) -> None:
        """Let its socket take connections and never answer."""
        self._hung = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._hung.bind(self.socket)
        self._hung.listen(50)

    def leave_dead_socket(self) -> None:
        """Leave a socket behind that nobody listens on, as a killed engine does."""
        left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        left.bind(self.socket)
        left.close()

    def image(self, name: str, mib: int) -> None:
        """Import an image of so many MiB; without a name it is dangling."""
        tar = BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as archive:
            for path, content in (("bin/busybox", _busybox()), ("ballast", os.urandom(mib << 20))):
                entry = tarfile.TarInfo(path)
                entry.size, entry.mode = len(content), 0o755
                archive.addfile(entry, BytesIO(content))
        self.docker("import", "-", *([name] if name else []), stdin=tar.getvalue())

    def container_killed_for_memory(self, image: str, hours_ago: float) -> None:
        """Have a stopped container that the engine remembers as killed for lack of memory.

        A real kill would count in this machine's own counter, so the engine's own record is edited.
        """
        name = self.docker("create", "--name", "greedy", image, "/bin/busybox", "true").strip()
        ended = moment(hours_ago)

        def kill(record: dict[str, Any]) -> None:
            record["State"].update(
                {"OOMKilled": True, "ExitCode": 137, "StartedAt": ended, "FinishedAt": ended}
            )

        self.edit(name, kill)

    def edit(self, container: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the engine's own record of a container, by its whole id, while the engine is down.

        What runs is stopped by it.
        """
        self.end()
        path = self.folder / "data/containers" / container / "config.v2.json"
        record = json.loads(path.read_text())
        change(record)
        path.write_text(json.dumps(record))
        self.start()

    def docker(self, *words: str, stdin: bytes = b"") -> str:
        """Run the docker program against this engine and return what it printed."""
        argv = ["docker", "--host", self.url, *words]
        done = subprocess.run(argv, input=stdin, capture_output=True, check=False)
        # Its own words say more than a status.
        assert done.returncode == 0, f"{argv} {done.returncode}: {done.stderr.decode()}"
        return done.stdout.decode()

    def end(self) -> None:
        """End the engine; what it holds stays, and `start` brings it back."""
        try:
            pid = int(Path(f"{self._short}/pid").read_text())
            os.kill(pid, signal.SIGTERM)
        except (OSError, ValueError):
            return
        end = time.monotonic() + 15
        while _runs(pid) and time.monotonic() < end:
            time.sleep(0.02)

    def close(self) -> None:
        """End it, with everything that it started."""
        if self._hung:
            self._hung.close()
            self._hung = None
        if self._short:
            self.end()
            shutil.rmtree(self._short, ignore_errors=True)
            self._short = ""


class Dockerd(DockerWorld):
    """The engine that the worlds of this process share, one after the other or a few at once."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.borrowers = 0
        self._owner = os.getpid()
        argv = ("/bin/sh", "-c", GUARD, "guard", str(folder), os.path.dirname(self.socket))
        nothing = subprocess.DEVNULL
        self._guard = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=nothing, stderr=nothing, start_new_session=True
        )

    def answers(self) -> bool:
        """Tell whether the engine runs."""
        argv = ["docker", "--host", self.url, "version"]
        return not subprocess.run(argv, capture_output=True, check=False).returncode

    def release(self) -> None:
        """Give it back; the last borrower leaves it empty."""
        self.borrowers = max(0, self.borrowers - 1)
        if not self.borrowers:
            self.clear()

    def clear(self) -> None:
        """Take away all containers, volumes and networks, and names of images but the base's."""
        if not self.answers():
            return
        found = self.docker("ps", "--all", "--quiet", "--no-trunc").split()
        if found:
            self.docker("rm", "--force", "--volumes", *found)
            self.docker("network", "prune", "--force")
        volumes = self.docker("volume", "ls", "--quiet").split()
        if volumes:
            self.docker("volume", "rm", "--force", *volumes)
        shown = self.docker("images", "--format", "{{.Repository}}:{{.Tag}}")
        names = [name for name in shown.split() if name != BASE and not name.endswith(":<none>")]
        if names:
            self.docker("image", "rm", "--force", *names)
        self.docker("image", "prune", "--force")

    def tag(self, name: str) -> None:
        """Give the base image, which holds busybox alone, one more name."""
        self.docker("tag", BASE, name)

    def run(
        self,
        name: str,
        *options: str,
        command: tuple[str, ...] = ("sleep", "3600"),
        image: str = BASE,
        create: bool = False,
    ) -> str:
        """Run a busybox command in a container without a network, detached, and return its id."""
        verb = ("create",) if create else ("run", "--detach")
        named = ("--network", "none", "--name", name, *options)
        return self.docker(*verb, *named, image, "/bin/busybox", *command).strip()

    def close(self) -> None:
        """End it, with everything that it started; done by itself when the process ends."""
        if os.getpid() != self._owner:  # a fork of the borrower is none
            return
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._guard.wait(40)


def borrowed() -> Dockerd:
    """Return the engine of this process, empty but for the base image where nobody else has it.

    It is started by the first call, and ends with the process, however that ends. A world that
    borrowed it gives it back by `release` when it is closed.

    Raises:
        ToolMissing: no dockerd can run on this machine.
    """
    if missing := [name for name in ("dockerd", "docker", "busybox") if not shutil.which(name)]:
        raise ToolMissing(" and ".join(missing))
    if os.geteuid():
        raise ToolMissing("root, to run a dockerd")
    engine = _shared()
    if not engine.answers():
        engine.start()
    if not engine.borrowers:
        engine.clear()
    if not engine.docker("images", "--quiet", BASE).strip():
        engine.image(BASE, 0)
    engine.borrowers += 1
    return engine


@functools.cache
def _shared() -> Dockerd:
    engine = Dockerd(Path(tempfile.mkdtemp(prefix="hc-docker-")))
    atexit.register(engine.close)
    return engine


def moment(hours_ago: float) -> str:
    """Return a time as the engine writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - hours_ago * 3600))


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def _busybox() -> bytes:
    path = shutil.which("busybox")
    assert path, "busybox-static is needed for images"
    return Path(path).read_bytes()
