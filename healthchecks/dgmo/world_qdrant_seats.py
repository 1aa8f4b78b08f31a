"""What a world's Qdrant runs as: a process of its own, a systemd unit, or a container."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from plugins.worlds import running
from plugins.worlds.running import free_port

if TYPE_CHECKING:
    from healthchecks.dgmo.world import World
    from plugins.worlds.dockerd import Dockerd

_ROOT = Path(__file__).resolve().parents[2]
_START = """#!/bin/sh
# Starts this world's Qdrant and waits until it listens.
rm -f '{ready}'
export PYTHONPATH='{path}'
setsid nohup '{program}' -m plugins.worlds.qdrant '{store}' \\
  --port {port} --ready '{ready}' >> '{log}' 2>&1 < /dev/null &
echo $! > '{pid}'
for turn in $(seq 300); do
  [ -e '{ready}' ] && exit 0
  sleep 0.05
done
exit 1
"""
# What systemctl would say and do of one unit.
_SYSTEMCTL = """#!/bin/sh
case "$1" in
  restart)
    kill -KILL "$(cat '{pid}')" 2> /dev/null
    exec '{start}' ;;
  *) printf 'Id=%s\\nLoadState={load}\\nActiveState={active}\\nSubState={sub}\\n' qdrant.service ;;
esac
"""
_IMAGE = "qdrant/qdrant:v1.19.0"


class Processes:
    """The server as a process of its own, which is called `qdrant`.

    Args:
        folder: of the world.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder / "qdrant"
        self._folder.mkdir(exist_ok=True)
        self.program = self._folder / "bin" / "qdrant"
        self.program.parent.mkdir()
        # The kernel calls a process by the name of the file that it was started from.
        self.program.symlink_to(os.path.realpath(sys.executable))
        path = f"{_ROOT}:{sysconfig.get_path('purelib')}"
        self._script = self._written(
            "start",
            _START.format(
                ready=self._folder / "ready",
                path=path,
                program=self.program,
                store=self._folder / "store",
                port=self.port,
                log=self._folder / "log",
                pid=self._folder / "pid",
            ),
        )

    def start(self) -> None:
        """Start it, and wait until it listens."""
        started = subprocess.run([str(self._script)], check=False)
        assert started.returncode == 0, (self._folder / "log").read_text()[-2000:]

    def suspend(self) -> None:
        """Stop its clock: its port accepts, and it answers nothing."""
        for pid in running.running_from(self.program.parent):
            running.suspend(pid)

    def kill(self) -> None:
        """End it as the kernel does when memory runs out."""
        for pid in running.running_from(self.program.parent):
            running.end(pid)

    def unit(self, active: str = "failed", sub: str = "failed", load: str = "loaded") -> str:
        """Write a program that stands in for systemctl, and return its path."""
        words = _SYSTEMCTL.format(
            pid=self._folder / "pid", start=self._script, load=load, active=active, sub=sub
        )
        return str(self._written("systemctl", words))

    def _written(self, name: str, words: str) -> Path:
        path = self._folder / name
        path.write_text(words)
        path.chmod(0o755)
        return path

    def close(self) -> None:
        """End it, by whomever it was started."""
        self.kill()


class Container:
    """A container on a real engine, in which a small web server says what Qdrant says.

    Args:
        world: that it belongs to.
    """

    def __init__(self, world: World) -> None:
        from plugins.worlds.dockerd import borrowed

        self._engine: Dockerd = borrowed()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._pages = world.folder / "qdrant" / "pages"
        self._pages.mkdir(parents=True)
        (self._pages / "healthz").write_text("healthz check passed")
        names = '{"result": {"collections": []}, "status": "ok", "time": 0.0}'
        (self._pages / "collections").write_text(names)
        self._engine.tag(_IMAGE)
        world.change(docker_url=self._engine.url)

    def run(self, name: str = "qdrant", image: str = _IMAGE, published: str = "") -> None:
        """Run it.

        Args:
            name: of the container.
            image: with its tag.
            published: the address at which the engine is told to publish its port, "" for none; on
                the host's own network, which these worlds have alone, it is told and not done.
        """
        self._engine.tag(image)
        serve = ("httpd", "-f", "-p", f"127.0.0.1:{self.port}", "-h", "/pages")
        mount = ["-v", f"{self._pages}:/pages:ro"]
        mount += ["-p", f"{published}:{self.port}:6333"] if published else []
        how = ("run", "--detach", "--network", "host", "--name", name, *mount)
        self._engine.docker(*how, image, "/bin/busybox", *serve)

    def stop(self, name: str = "qdrant") -> None:
        """Stop it; it stays."""
        self._engine.docker("stop", "--time", "0", name)

    def close(self) -> None:
        """Give the engine back, emptied."""
        self._engine.release()
