"""The real things around a small host: mounts, processes, network name spaces."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Literal

Seen = Literal["", "read-only", "sealed"]
MIB = 1 << 20

PARENT = """\
import os, resource, sys, time
zombies, files, soft = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, soft))
kept = [open(os.devnull) for _ in range(files)]
children = []
for _ in range(zombies):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
print("ready", flush=True)
time.sleep(3600)
"""

LISTENER = """\
import socket, sys, time
server = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
time.sleep(3600)
"""


class Surroundings:
    """Mounts, processes and network name spaces of one world.

    Args:
        folder: where mount points are made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._children: list[subprocess.Popen[bytes]] = []
        self._mounts: list[str] = []
        self._spaces: list[str] = []
        self._servers: list[int] = []

    def small_disk(self, used_percent: int, files: int, seen: Seen = "") -> str:
        """Mount a file system of 4 MiB and 100 inodes, fill it so far, and return its folder."""
        folder = self.folder / "mounts" / str(len(self._mounts))
        folder.mkdir(parents=True)
        options = "size=4m,nr_inodes=100,mode=700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "world", folder], check=True)
        self._mounts.append(str(folder))
        (folder / "data").write_bytes(bytes(4 * MIB * used_percent // 100))
        for number in range(files - 2):
            (folder / f"{number}").touch()
        if seen:
            how = "remount,ro" if seen == "sealed" else "remount,ro,bind"
            subprocess.run(["mount", "-o", how, folder], check=True)
        return str(folder)

    def dead_mount(self, *, gone: bool = False) -> str:
        """Mount a file system whose server (we) never answers, and return its folder."""
        folder = self.folder / "dead"
        folder.mkdir()
        server = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        self._servers.append(server)
        options = f"fd={server},rootmode=40000,user_id=0,group_id=0".encode()
        library = ctypes.CDLL(None, use_errno=True)
        if library.mount(b"world", os.fsencode(folder), b"fuse", 0, options) != 0:
            raise OSError(ctypes.get_errno(), "mount of a dead file system")
        self._mounts.append(str(folder))
        if gone:
            self._servers.remove(server)
            os.close(server)
        return str(folder)

    def parent(self, script: Path, zombies: int, open_files: int, soft_limit: int) -> None:
        """Start a program that leaves so many children dead, and files open."""
        script.write_text(PARENT)
        numbers = map(str, (zombies, open_files, soft_limit))
        self._start([sys.executable, "-I", str(script), *numbers])

    def network(self, port: int) -> tuple[list[str], int]:
        """Make a network name space where a port listens; return a command's prefix, and a pid."""
        space = f"hc-{os.getpid()}-{id(self):x}-{len(self._spaces)}"
        subprocess.run(["ip", "netns", "add", space], check=True)
        self._spaces.append(space)
        inside = ["ip", "netns", "exec", space]
        pid = self._start([*inside, sys.executable, "-I", "-c", LISTENER, str(port)])
        return inside, pid

    def _start(self, argv: list[str]) -> int:
        child = subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True)
        self._children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n", argv
        return child.pid

    def close(self) -> None:
        """End and take away all of it, also after a start that failed half way."""
        for child in self._children:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
            child.wait(10)
            if child.stdout:
                child.stdout.close()
        # Without its server the dead mount answers at once, with an error.
        for server in self._servers:
            os.close(server)
        for mount in reversed(self._mounts):
            subprocess.run(["umount", "--lazy", mount], check=True)
        for space in self._spaces:
            subprocess.run(["ip", "netns", "delete", space], check=True)
        self._children, self._mounts, self._spaces, self._servers = [], [], [], []
