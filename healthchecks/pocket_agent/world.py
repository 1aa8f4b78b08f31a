"""Pocket Agent in small: a real server with real files in a folder, on a free loopback port."""

from __future__ import annotations

import getpass
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from healthchecks.pocket_agent import world_files, world_processes
from healthchecks.pocket_agent.world_tree import Layout, Tree
from plugins.worlds import running
from plugins.worlds.running import free_port
from plugins.worlds.units import unit_that_shows

_LISTEN = (
    "import socket,sys\n"
    "s=socket.create_server(('127.0.0.1',int(sys.argv[1])))\n"
    "print('.',flush=True)\n"
    "while True: s.accept()[0].close()\n"
)


class World(Tree):
    """A healthy Pocket Agent in `folder`; nothing runs before `start`.

    `environment` holds variables that the server is started with, such as POCKET_AGENT_PORT.

    Args:
        folder: an existing folder, or one to make.
        layout: "real" (JSON, one root folder) or "guide" (YAML, ./data and ./certs).
    """

    volatile: tuple[str, ...] = ("*server.log", "*.pyc", "*__pycache__*")

    def __init__(self, folder: Path, layout: Layout = "real") -> None:
        self._over: dict[str, object] = {}
        self._switches: dict[str, object] = {}
        self._server: subprocess.Popen[bytes] | None = None
        self._others: list[int] = []
        self.environment: dict[str, str] = {}
        super().__init__(folder, layout)
        self._unused = (free_port(), free_port())

    def lay_out(self, layout: Layout) -> None:
        """End what runs and build the healthy files anew, in one of the two layouts."""
        self.close()
        self._build(layout)

    def plain(self) -> None:
        """Turn TLS off in the configuration, so that the server speaks ws."""
        if self.guide:
            self.configure(
                server={"host": "127.0.0.1", "port": self.port, "tls": {"enabled": False}}
            )
        else:
            self.configure(tls_enabled=False)
        self.change(tls="no")

    # ---- what the systems file says of it

    def settings(self) -> dict[str, object]:
        """Return the keys of [pocket_agent] in systems.toml by which this world is found."""
        metrics, debug = self._unused
        return {
            "home": str(self.folder),
            "on": "local://",
            "enabled": "yes",
            "binary": str(self.program),
            "default_binaries": [],
            "unit": "",
            "unit_folders": [],
            "start_command": self.command(),
            "start_folder": str(self.root),
            "start_log": str(self.log),
            "user": getpass.getuser(),
            "config": str(self.config),
            "default_configs": [],
            "root_dir": str(self.root),
            "data_dir": str(self.data),
            "default_data": [],
            "logs": [str(self.log)],
            "default_logs": [],
            "backups": [str(self.folder / "backups")],
            "claude": str(self.claude),
            "proxy_configs": [str(self.folder / "nginx.conf")],
            "port": self.port,
            "address": "127.0.0.1",
            "tls": "yes",
            "certificate": str(self.crt),
            "key": str(self.key),
            "metrics_port": metrics,
            "debug_port": debug,
            "needed_tools": [],  # what this machine lacks is none of the world's faults
            # Lines that are recorded, and dated long ago, count too.
            "log_hours": 240_000,
        } | self._over

    def change(self, **settings: object) -> None:
        """Lay more keys over those of `settings`."""
        self._over |= settings

    def unit(self, **shown: str) -> None:
        """Let a unit look after the server; a stand-in for systemctl tells what systemd would show.

        Args:
            shown: properties that are not those of a unit that runs well, such as SubState.
        """
        words = "[Service]\nExecStart=" + shlex.join(self.command()) + "\n"
        name, folder = "pocket-agent-server.service", self.folder / "units"
        self._over |= unit_that_shows(folder, name, words, shown)

    # ---- the server

    def command(self, **switches: object) -> list[str]:
        """Return the words that start the server, with switches of world_server added.

        A switch is written with underscores: `idle=2` is `--idle 2`, `silent=True` is `--silent`, a
        list repeats its switch.
        """
        told: dict[str, object] = {"config": str(self.config), "loopback": True}
        if not self.guide:
            told["root_dir"] = str(self.root)
        told |= {"dialect": self.layout} if self.guide else {}
        words = [str(self.program)]
        for name, value in (told | {"spawn": str(self._request)} | switches).items():
            flag = "--" + name.replace("_", "-")
            for each in value if isinstance(value, list | tuple) else [value]:
                words += (
                    [flag]
                    if each is True
                    else [flag, str(each)]
                    if each not in (False, None)
                    else []
                )
        return words

    @property
    def _request(self) -> Path:
        return self.folder / "libexec/spawn.json"

    @property
    def pid(self) -> int:
        """The server's process, whoever started it; 0 when it does not run."""
        if self._server is not None and self._server.poll() is None:
            return self._server.pid
        found = running.running_from(self.folder / "libexec")
        return found[0] if found else 0

    def _variables(self) -> dict[str, str]:
        """Return the server's environment: ours without what would steer it, then its own."""
        steering = ("POCKET_AGENT_", "PA_", "PYTHON")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
        return kept | self.environment

    def _launch(self, switches: dict[str, object]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.command(**switches),
                cwd=self.root,
                env=self._variables(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start(self, **switches: object) -> int:
        """Start the server, wait until its port accepts, and return its pid.

        Raises:
            RuntimeError: it refused to start; the message is the end of its log.
            TimeoutError: the port did not accept within 5 s.
        """
        self._switches = switches
        before = self.log.stat().st_size if self.log.exists() else 0
        server = self._server = self._launch(switches)

        def listening() -> bool:
            if server.poll() is not None:
                raise RuntimeError(self.log.read_text("utf-8", "replace")[-2000:])
            # The log, not the port: a trial connection would leave a line there.
            return b"Starting WebSocket server" in self.log.read_bytes()[before:]

        running.until(listening, "the server listens")
        return server.pid

    def start_refused(self, **switches: object) -> int:
        """Start a server that is to refuse, wait until it ends, and return its exit status."""
        return self._launch(switches).wait(5)

    def stop(self, grace: float = 3.0) -> None:
        """End the server: SIGTERM, then SIGKILL after `grace` seconds; 0 kills it at once."""
        if pid := self.pid:
            running.end(pid, grace)
        self._server = None

    def suspend(self) -> None:
        """Stop the server's clock: it runs, its port accepts, and it answers nothing."""
        running.suspend(self.pid)

    def restart(self, **switches: object) -> int:
        """Stop and start the server, with the switches it had and those given here."""
        self.stop()
        return self.start(**(self._switches | switches))

    # ---- other processes

    def spawn_child(
        self,
        name: str = "claude",
        age: float = 0.0,
        orphan: bool = False,
        zombie: bool = False,
        own_group: bool = True,
    ) -> int:
        """Start a process that looks like a run of the CLI and return its pid.

        Args:
            name: its program's name.
            age: how old it is, in seconds, when this returns: it is waited for.
            orphan: its parent has ended, and init has it; else the server, which is started if need
                be, is its parent.
            zombie: it has ended, and the server has not reaped it.
            own_group: it leads a process group; else it is in the server's.
        """
        program = self.folder / "bin" / name
        if not program.exists():
            world_files.script(program, world_files.CLAUDE)
        argv = [str(program), "--end" if zombie else "-p", "hello"]
        if orphan:
            pid = running.orphaned(argv)
        else:
            server = self.pid or self.start(**self._switches)
            pid = world_processes.ask(server, self._request, argv, own_group)
        if zombie:
            running.until(lambda: running.state(pid) == "Z", "the child ends")
        self._others.append(pid)
        running.wait(age)
        return pid

    def looked_at_before(self, *mib: float) -> None:
        """Let earlier runs, hours apart, have seen so much memory of the server that runs."""
        port = str(self.settings()["port"])
        world_processes.remember(self.folder.with_name("state"), port, self.pid, mib)

    def hold(self, path: Path) -> int:
        """Start a process that holds a file open for writing, and return its pid."""
        pid = running.blocked(["/bin/sh", "-c", f"exec 3>>{shlex.quote(str(path))}; read -r _"])
        self._others.append(pid)
        links = Path(f"/proc/{pid}/fd")
        running.until((links / "3").exists, "the file is held")
        return pid

    def listen_instead(self) -> int:
        """Start another program that listens on the server's port, and return its pid."""
        argv: Sequence[str] = [sys.executable, "-S", "-c", _LISTEN, str(self.port)]
        other = subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True)
        assert other.stdout is not None
        other.stdout.readline()
        other.stdout.close()
        self._others.append(other.pid)
        return other.pid

    def close(self) -> None:
        """End every process of this world, by whomever it was started."""
        if self._server is not None and self._server.poll() is None:
            running.end(self._server.pid)
        self._server = None
        for pid in self._others:
            running.end(pid)
        self._others = []
        for place in ("libexec", "bin"):
            for pid in running.running_from(self.folder / place):
                if pid != os.getpid():
                    running.end(pid)
