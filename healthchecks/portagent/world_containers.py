"""The container of a world, on a real engine: a busybox program in the place of the server."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import TYPE_CHECKING, Any

from healthchecks.portagent.world_names import NameServer, loopback
from healthchecks.portagent.world_server import KEY, SECRET
from plugins.worlds.dockerd import Dockerd, borrowed
from plugins.worlds.running import blocked, end

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from healthchecks.portagent.world import World

IMAGE = "deepracticexs/portagent:0.1.9"
INSIDE = "/home/node/.agentx"
NEEDS = ("root", "dockerd", "docker", "busybox")
BANNER = """
  AgentX Portal - Your AI Agent Gateway (Multi-User Mode)

Configuration:
  Port: 5200
  API Key: {key}...
  User DB: /home/node/.agentx/data/portagent.db

Server running at http://localhost:5200
"""
# A program of busybox that answers as the server's /health does, at a port of the host.
_ANSWER = r"""#!/bin/sh
while read -r line && [ "${#line}" -gt 1 ]; do :; done
printf 'HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n'
printf '{"status":"ok","timestamp":%s000}' "$(date +%s)"
"""
_SERVE = """
if [ -e /data/broken ]; then echo 'Error: EACCES: permission denied' >&2; exit 1; fi
cat > /answer <<'END'
{answer}END
chmod 755 /answer
exec nc -ll -p {port} -e /answer
"""
_FILL = "mkdir /full && mount -t tmpfs full /full && head -c 28m /dev/zero > /full/file"
_GREEDY = 'text=x; while :; do text="$text$text"; done'


def _listens(port: int) -> bool:
    with socket.socket() as trial:
        return not trial.connect_ex(("127.0.0.1", port))


class Containers:
    """The container of a world.

    Args:
        world: that it belongs to.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._engine: Dockerd | None = None
        self._names: NameServer | None = None
        self._spinning = 0
        self.name = "portagent"

    def build(self) -> None:
        """Make the healthy state: an engine is started only where one is asked for."""

    @property
    def engine(self) -> Dockerd:
        """The engine, started when it is first asked for."""
        if self._engine is None:
            self._engine = borrowed()
            self._engine.tag(IMAGE)
            self._world.change(docker_url=self._engine.url)
        return self._engine

    def run(
        self,
        *add: str,
        leave: tuple[str, ...] = (),
        script: str = "",
        key: str = KEY,
        secret: str = SECRET,
        user: str = "",
    ) -> str:
        """Run it as its documents say, without or with options; return its id.

        Args:
            add: more options of `docker run`.
            leave: options to leave out, by their first word.
            script: what its shell does instead of going on for an hour.
            key: LLM_PROVIDER_KEY, "" for none.
            secret: JWT_SECRET, "" for none.
            user: as --user takes it, "" for root.
        """
        options: list[tuple[str, ...]] = [
            ("--restart", "unless-stopped"),
            ("--memory", "64m", "--memory-swap", "64m"),
            ("--cpus", "2"),
            ("--log-opt", "max-size=10m", "--log-opt", "max-file=3"),
            ("--network", "host"),
            ("--volume", f"{self._world.data_dir}:{INSIDE}"),
            ("--env", "NODE_ENV=production", "--env", f"AGENTX_DIR={INSIDE}"),
        ]
        options += [("--env", f"LLM_PROVIDER_KEY={key}")] if key else []
        options += [("--env", f"JWT_SECRET={secret}")] if secret else []
        options += [("--user", user)] if user else []
        kept = [word for option in options if option[0] not in leave for word in option]
        words = ("sh", "-c", script or "exec /bin/busybox sleep 3600")
        named = ("run", "--detach", "--name", self.name, *kept, *add)
        return self.engine.docker(*named, IMAGE, "/bin/busybox", *words).strip()

    def serve(self, *add: str, leave: tuple[str, ...] = (), secret: str = SECRET) -> str:
        """Run one that answers as it should until /data/broken is there; return its id."""
        port = self._world.server.port
        self._world.change(port=port)
        script = self.with_shell(_SERVE.format(answer=_ANSWER, port=port))
        # The first program of a container does not end by SIGTERM unless it says so.
        add = ("--stop-signal", "KILL", *add)
        made = self.run(*add, leave=leave, script=script, secret=secret)
        self.wait(lambda: _listens(port))
        return made

    def ended(self, script: str, *add: str, key: str = KEY) -> str:
        """Leave one whose program ended, and nothing starts it again; return its id."""
        add = ("--restart", "no", *add)
        made = self.run(*add, leave=("--restart",), script=script, key=key)
        self.engine.docker("wait", made)
        return made

    def never_begun(self) -> None:
        """Leave one that was made and never started."""
        mount = ("--volume", f"{self._world.data_dir}:{INSIDE}")
        self.engine.docker("create", "--name", self.name, "--network", "none", *mount, IMAGE, "x")

    def paused(self) -> None:
        """Run it and pause it."""
        self.engine.docker("pause", self.run())

    def restarting(self) -> None:
        """Run one that ends at once and is started again and again."""
        made = self.run(script="echo 'Error: LLM_PROVIDER_KEY is required' >&2; exit 1", key="")
        self.until(made, "{{ge .RestartCount 1}}", "true")

    def sick(self) -> None:
        """Run one whose health check fails, in words that hold a secret."""
        probing = ("--health-interval", "1s", "--health-retries", "1")
        says = f"echo 'no answer, api_key={KEY}'; exit 1"
        made = self.run(*probing, "--health-cmd", says, script=self.with_shell())
        self.until(made, "{{.State.Health.Status}}", "unhealthy")

    def killed(self) -> None:
        """Leave one that the kernel really killed for its memory limit."""
        self.ended(_GREEDY)

    def dead(self) -> None:
        """Leave one that the engine could not remove, as its own record tells."""
        made = self.ended("exit 0")

        def die(record: dict[str, Any]) -> None:
            record["State"]["Dead"] = True

        self.engine.edit(made, die)

    def nearly_full(self) -> None:
        """Run one that uses nearly all of its memory, none of it as cache."""
        limit = ("--memory", "30m", "--memory-swap", "30m", "--cap-add", "SYS_ADMIN")
        script = self.with_shell(f"{_FILL} && echo full; exec sleep 3600")
        made = self.run(*limit, leave=("--memory",), script=script)
        self.wait(lambda: "full" in self.engine.docker("logs", made))

    def on_networks(self, *names: str, leaves: bool = False) -> str:
        """Run it on networks of its own, and return its id.

        Args:
            names: of the networks; the first is the one that it is made with.
            leaves: whether it is taken off all of them afterwards.
        """
        for name in names:
            self.engine.docker("network", "create", name)
        first, *others = names
        own = ("--network", first, "--network-alias", "agents")
        made = self.run(*own, leave=("--network",))
        for name in others:
            self.engine.docker("network", "connect", name, made)
        for name in names if leaves else ():
            self.engine.docker("network", "disconnect", name, made)
        return made

    def asks_names(self, known: Mapping[str, str] | None, *add: str) -> None:
        """Run it with a name server that knows some names; with None it has one that is gone."""
        if known is not None:
            self._names = NameServer(known)
        server = self._names.address if self._names else loopback()
        made = self.run("--dns", server, *add, script=self.with_shell("echo ready; sleep 3600"))
        self.wait(lambda: "ready" in self.engine.docker("logs", made))

    def with_shell(self, script: str = "exec sleep 3600") -> str:
        """Return a script that first gives the container all the programs of busybox by name."""
        return f"/bin/busybox --install -s /bin; {script}"

    def says_key(self, key: str) -> str:
        """Return a script that prints the program's banner, with the beginning of a key."""
        return f"echo '{BANNER.format(key=key[:15])}'; exec /bin/busybox sleep 3600"

    def open_socket(self) -> None:
        """Let everybody ask the engine, until it is given back."""
        os.chmod(self.engine.socket, 0o666)  # noqa: S103 - the fault that is shown

    def looked_at_before(self, *mib: float, container: str = "") -> None:
        """Let earlier runs have seen how much memory the server, or a container, took."""
        from plugins.endpoints.processes import Processes
        from plugins.hosts import Host
        from plugins.worlds.looks import remembered

        here = Host()
        life: list[object] = []
        if container:
            started = self.engine.docker("inspect", "--format", "{{.State.StartedAt}}", container)
            life = [container, started.strip()]
        else:
            pid = self._world.server.pid
            life = [pid, next(one.started_ticks for one in Processes(here).all() if one.pid == pid)]
        question = (here.spec, "portagent's memory", str(self._world.data_dir))
        remembered(self._world.folder.with_name("state"), question, life, mib)

    def spin(self, name: str) -> None:
        """Start a program of this name that is always busy, with the world's data folder."""
        program = self._world.folder / "bin" / name
        program.write_text("#!/bin/sh\nwhile :; do :; done\n", "utf-8")
        program.chmod(0o755)
        argv = (str(program), "--data-dir", str(self._world.data_dir))
        self._spinning = blocked(argv)

    def own(self, uid: int, mode: int = 0) -> None:
        """Give the data folder, and all in it, to a user, and let that user reach it.

        Args:
            uid: the user, and the group.
            mode: of the files, and with x where there is r of the folders; 0 leaves them.
        """
        top = self._world.data_dir
        for above in (self._world.folder, self._world.folder.parent):
            above.chmod(0o755)
        for path in (top, *top.rglob("*")):
            os.chown(path, uid, uid, follow_symlinks=False)
            if mode and not path.is_symlink():
                path.chmod(mode | (mode & 0o444) >> 2 if path.is_dir() else mode)

    def own_one(self, name: str, uid: int) -> None:
        """Give one file of the data folder to a user, for that user alone."""
        os.chown(self._world.data_dir / name, uid, uid)

    def logs(self, rotated: int, *more: str, size: int = 100) -> None:
        """Write a log with so many rotated ones and others, each of a size."""
        names = ["portagent.log", *(f"portagent.log.{n}" for n in range(1, rotated + 1)), *more]
        for name in names:
            (self._world.data_dir / "logs" / name).write_bytes(b"x" * (size - 1) + b"\n")

    def until(self, container: str, what: str, value: str) -> None:
        """Wait until an inspection tells a value."""
        inspect = ("inspect", "--format", what, container)
        self.wait(lambda: self.engine.docker(*inspect).strip() == value)

    def wait(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        until = time.monotonic() + 20
        while not is_so():
            assert time.monotonic() < until, "a container did not become what it should"
            time.sleep(0.05)

    def close(self) -> None:
        """Give the engine back, emptied."""
        if self._spinning:
            end(self._spinning)
            self._spinning = 0
        if self._names is not None:
            self._names.close()
            self._names = None
        if self._engine is not None:
            with contextlib.suppress(OSError):
                os.chmod(self._engine.socket, 0o660)
            self._engine.release()
            self._engine = None
