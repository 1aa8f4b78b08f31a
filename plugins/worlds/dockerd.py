"""A Docker engine of a world's own: a real dockerd on a scratch socket, with scratch images."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from io import BytesIO
from pathlib import Path

from plugins.outcomes import ToolMissing

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
        self._docker("import", "-", *([name] if name else []), stdin=tar.getvalue())

    def container_killed_for_memory(self, image: str, hours_ago: float) -> None:
        """Have a stopped container that the engine remembers as killed for lack of memory.

        A real kill would count in this machine's own counter, so the engine's own record is edited.
        """
        name = self._docker("create", "--name", "greedy", image, "/bin/busybox", "true").strip()
        self._end()
        path = self.folder / "data/containers" / name / "config.v2.json"
        record = json.loads(path.read_text())
        ended = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - hours_ago * 3600))
        record["State"].update(
            {"OOMKilled": True, "ExitCode": 137, "StartedAt": ended, "FinishedAt": ended}
        )
        path.write_text(json.dumps(record))
        self.start()

    def _docker(self, *words: str, stdin: bytes = b"") -> str:
        argv = ["docker", "--host", self.url, *words]
        done = subprocess.run(argv, input=stdin, capture_output=True, check=True)
        return done.stdout.decode()

    def _end(self) -> None:
        try:
            pid = int(Path(f"{self._short}/pid").read_text())
            os.kill(pid, signal.SIGTERM)
        except (OSError, ValueError):
            return
        end = time.monotonic() + 15
        while _runs(pid) and time.monotonic() < end:
            time.sleep(0.05)

    def close(self) -> None:
        """End it, with everything that it started."""
        if self._hung:
            self._hung.close()
            self._hung = None
        if self._short:
            self._end()
            shutil.rmtree(self._short, ignore_errors=True)
            self._short = ""


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def _busybox() -> bytes:
    path = shutil.which("busybox")
    assert path, "busybox-static is needed for images"
    return Path(path).read_bytes()
