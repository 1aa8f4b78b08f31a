"""The server of a world: real HTTP and WebSocket in a process of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthchecks.portagent import world_server_page as page
from plugins.worlds import running
from plugins.worlds.units import unit_that_shows

if TYPE_CHECKING:
    from healthchecks.portagent.world import World

KEY = "sk-ant-api03-w0rldOfTests-0123456789abcdefABCDEF_-0123456789abcdefABCDEF-tests000AA"
SECRET = "dGhpcyBpcyBhIHNlY3JldCBvZiBhIHdvcmxkLCB0aGF0J3M="  # noqa: S105 - a world's own

_PROGRAM = """import sys

sys.path.insert(0, {repository!r})
from healthchecks.portagent.world_server_program import main

sys.exit(main(sys.argv[1:]))
"""
_ANOTHER = (
    "import socket,sys\n"
    "s=socket.create_server(('127.0.0.1',int(sys.argv[1])))\n"
    "print('.',flush=True)\n"
    "while True: s.accept()[0].close()\n"
)
_WELL = """import socket, sys, time
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(".", flush=True)
while True:
    wire = s.accept()[0]
    kind = "200 OK" if b"/health" in wire.recv(4096) else "404 Not Found"
    told = '{"status":"ok","timestamp":%d}' % (time.time() * 1000)
    head = f"HTTP/1.1 {kind}\\r\\nContent-Type: application/json\\r\\nConnection: close"
    wire.sendall(f"{head}\\r\\n\\r\\n{told}".encode())
    wire.close()
"""


class Server:
    """The server of a world: real HTTP and WebSocket in a process of its own.

    `environment` holds the variables that it is started with, and `port` its port: both may be
    changed before a start. `app` is its working folder with the page in dist/public, `console` the
    file that it prints to, `package` the folder of its package, `web_port` the page's port in the
    second generation.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._process: subprocess.Popen[bytes] | None = None
        self._others: list[subprocess.Popen[bytes]] = []
        self._started: tuple[tuple[str, ...], dict[str, str | None]] = ((), {})
        self._tokens: list[str] = []
        self.app = world.folder / "app"
        self.public = self.app / "dist/public"
        self.package = world.folder / "lib/node_modules/@agentxjs/portagent"
        self.program = world.folder / "bin/portagent"
        self.console = world.folder / "server.log"
        self.port = running.free_port()
        self.web_port = running.free_port()
        self.environment: dict[str, str] = {
            "HOME": str(world.folder),
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "LLM_PROVIDER_KEY": KEY,
            "JWT_SECRET": SECRET,
            "INVITE_CODE_REQUIRED": "true",
            "WORLD_HOST": "127.0.0.1",
        }

    def build(self) -> None:
        """Put its program and its page where they belong; nothing is started."""
        repository = str(Path(__file__).resolve().parents[2])
        script = self.package / "bin/portagent.js"
        script.parent.mkdir(parents=True)
        script.write_text(_PROGRAM.format(repository=repository), "utf-8")
        told = {"name": "@agentxjs/portagent", "version": "1.9.0"}
        (self.package / "package.json").write_text(json.dumps(told), "utf-8")
        self.program.parent.mkdir(exist_ok=True)
        self.program.symlink_to(os.path.relpath(script, self.program.parent))
        page.build(self.public)
        if self._world.generation == 2:
            ports = {"PORT": str(self.web_port), "WS_PORT": str(self.port)}
            self.environment |= ports | {"WORLD_GENERATION": "2"}
        self._world.change(default_port=self.port, web_port=self.web_port)

    @property
    def pid(self) -> int:
        """Its process, 0 where none runs."""
        alive = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process is not None and alive else 0

    @property
    def key(self) -> str:
        """A key of the provider that may be one."""
        return KEY

    @property
    def secret(self) -> str:
        """A secret that its tokens may be signed with."""
        return SECRET

    def env_file(self, name: str, *, mode: int = 0o600, **variables: str) -> Path:
        """Write a file of variables into its working folder, and take them from its environment."""
        path = self.app / name
        path.write_text("".join(f"{key}={value}\n" for key, value in variables.items()), "utf-8")
        path.chmod(mode)
        for key in variables:
            self.environment.pop(key, None)
        return path

    @property
    def url(self) -> str:
        """Where it answers to HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def command(self, **flags: str | None) -> list[str]:
        """Return the words that start it.

        Args:
            flags: options of the command line, with underscores; one that is None is left out.
        """
        told: dict[str, str | None] = {"port": str(self.port)}
        told |= {"data_dir": str(self._world.data_dir)}
        told = {} if self._world.generation == 2 else told | flags
        pairs = ((f"--{name.replace('_', '-')}", value) for name, value in told.items())
        words = [word for name, value in pairs if value is not None for word in (name, value)]
        return [sys.executable, str(self.program), *words]

    def _launch(self, faults: tuple[str, ...], flags: dict[str, str | None]) -> None:
        own = {"WORLD_FAULTS": ",".join(faults)} if faults else {}
        with self.console.open("ab") as console:
            self._process = subprocess.Popen(
                self.command(**flags),
                cwd=self.app,
                env=self.environment | own,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )

    def start(self, *faults: str, **flags: str | None) -> int:
        """Start it, wait until it listens, and return its pid.

        Args:
            faults: what it does wrong: "deaf" listens nowhere, "no_page" of the second generation
                has none. Of HTTP: "hung"; "slow=SECONDS"; "broken" (500 for all); "page_for_all";
                "page_for_health"; "sick" (status error); "clock=SECONDS" off; "cached";
                "registers_nobody"; "no_cors"; "types" (of the page's files). Of WebSockets:
                "no_socket"; "no_upgrade" (the page instead); "guarded" (a token is asked for,
                which the real one never does); "cuts=SECONDS".
            flags: options, with underscores: port="5300", data_dir=None, env_file="…".

        Raises:
            RuntimeError: it did not start; the message is the end of its console.
        """
        self._started = (faults, flags)
        before = self.console.stat().st_size if self.console.exists() else 0
        self._launch(faults, flags)
        assert self._process is not None
        process = self._process

        def listening() -> bool:
            said = self.console.read_bytes()[before:]
            if process.poll() is not None:
                raise RuntimeError(said.decode("utf-8", "replace")[-2000:])
            return b"Server running" in said or b"> Ready on" in said

        running.until(listening, "portagent listens", 30.0)
        return process.pid

    def start_refused(self, *faults: str, **flags: str | None) -> int:
        """Start one that is to refuse, wait until it ends, and return its exit status."""
        self._launch(faults, flags)
        assert self._process is not None
        return self._process.wait(30)

    def restart(self) -> int:
        """Stop it, and start it as it was."""
        self.stop()
        return self.start(*self._started[0], **self._started[1])

    def stop(self, grace: float = 5.0) -> None:
        """End it: SIGTERM, then SIGKILL after `grace` seconds; 0 kills it at once."""
        if pid := self.pid:
            running.end(pid, grace)
        self._process = None

    def suspend(self) -> None:
        """Stop its clock: its port accepts, and it answers nothing."""
        running.suspend(self.pid)

    def unit(self, journal: str = "", **shown: str) -> None:
        """Let a unit look after it, as a stand-in for systemctl shows it.

        Args:
            journal: what it printed.
            shown: properties that are not those of a unit that runs well, such as SubState.
        """
        lines = (f"Environment={name}={value}" for name, value in self.environment.items())
        command = f"ExecStart={shlex.join(self.command())}"
        text = "\n".join(("[Service]", f"WorkingDirectory={self.app}", *lines, command, ""))
        folder, name = self._world.folder / "units", "portagent.service"
        self._world.change(**unit_that_shows(folder, name, text, shown, journal))

    def another_program(self, *, well: bool = False) -> int:
        """Start another program that listens on its port, and return its pid.

        Args:
            well: whether it tells its health as the server does.
        """
        return self._helper(_WELL if well else _ANOTHER, str(self.port))

    def _helper(self, code: str, word: str) -> int:
        argv = [sys.executable, "-S", "-c", code, word]
        pipe = subprocess.PIPE
        helper = subprocess.Popen(argv, stdin=pipe, stdout=pipe, start_new_session=True)
        assert helper.stdout is not None
        helper.stdout.readline()
        helper.stdout.close()
        self._others.append(helper)
        return helper.pid

    # ---- users and tokens

    def register(self, username: str = "bobby", password: str = "correct horse") -> dict[str, Any]:  # noqa: S107 - a world's own
        """Register a user at the running server, and return its answer."""
        body: dict[str, str] = {"username": username, "password": password}
        if self.environment.get("INVITE_CODE_REQUIRED") == "true":
            body["inviteCode"] = str(self.code_of_today())
        said = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(said):
            said.request("POST", "/api/auth/register", json.dumps(body))
            told: dict[str, Any] = json.load(said.getresponse())
        return told

    def code_of_today(self) -> int:
        """Return today's invitation code, in the zone that the server is started with."""
        env = {"TZ": self.environment["TZ"]} if "TZ" in self.environment else {}
        argv = ["date", "-d", "today 00:00:01", "+%s"]
        return int(subprocess.run(argv, env=env, check=True, capture_output=True).stdout)

    def token(self, user_id: str, *, age: float = 0.0, secret: str = "") -> str:
        """Return a token of a user.

        Args:
            user_id: whose it is, there or not.
            age: how long ago it was given, in seconds; it holds a week.
            secret: what it is signed with; "" = the server's own.
        """
        from healthchecks.portagent.world_server_users import token_of

        own = secret or self.environment["JWT_SECRET"]
        return token_of(user_id, own, issued=time.time() - age)

    def offer(self, token: str) -> None:
        """Give the checks a test token, in a variable of their environment."""
        name = f"PORTAGENT_TEST_TOKEN_{self.port}"
        os.environ[name] = token
        self._tokens.append(name)
        self._world.change(token_env=name)

    def close(self) -> None:
        """End its processes, and take the test token out of our environment."""
        self.stop(grace=0.0)
        for helper in self._others:
            if helper.stdin is not None:
                helper.stdin.close()
            running.end(helper.pid)
            helper.wait(5)
        self._others = []
        for name in self._tokens:
            os.environ.pop(name, None)
        self._tokens = []
