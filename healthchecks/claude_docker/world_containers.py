"""The Docker engine of a world and its containers: real ones, of busybox alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from plugins.worlds.dockerd import Dockerd, borrowed, moment

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from healthchecks.claude_docker.world import World

IMAGE = "claude-code-tools:latest"
_FILL = """
mkdir /full && mount -t tmpfs full /full && head -c 30m /dev/zero > /full/file && echo full
sleep 3600
"""
_GREEDY = 'text=x; while :; do text="$text$text"; done'


class Containers:
    """The Docker engine of a world and its containers.

    Args:
        world: that it belongs to.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._engine: Dockerd | None = None

    def build(self) -> None:
        """Make the healthy state: an engine is started only where one is asked for."""

    @property
    def engine(self) -> Dockerd:
        """The engine, started when it is first asked for."""
        if self._engine is None:
            self._engine = borrowed()
        return self._engine

    def use(self, **settings: object) -> None:
        """Have an engine with the image of sessions, and lay these keys over the settings."""
        self.engine.tag(IMAGE)
        self._world.change(docker_url=self.engine.url, **settings)

    @property
    def below(self) -> tuple[str, ...]:
        """The option that mounts a project into a folder of the workspace, as the kit may."""
        return ("-v", f"{self._world.tmp}:/workspace/project")

    def session(
        self,
        name: str = "claude-session-me-1763600000-0badcafe",
        *,
        leave: tuple[str, ...] = (),
        add: tuple[str, ...] = (),
        command: tuple[str, ...] = ("sleep", "3600"),
    ) -> str:
        """Run a session as the plan's launcher does, without or with options; return its id."""
        state, project = self._world.state_dir, self._world.tmp
        options = (
            ("--rm",),
            ("--memory", "64m", "--memory-swap", "64m"),
            ("--cpus", "2.0"),
            ("--pids-limit", "100"),
            ("-v", f"{state}:/root/.claude-config"),
            ("-v", f"{project}:/workspace"),
        )
        kept = (
            word
            for option in options
            if not any(option[-1].endswith(end) or option[0] == end for end in leave)
            for word in option
        )
        return self.engine.run(name, *kept, *add, command=command, image=IMAGE)

    def ended(self, name: str, hours_ago: float = 0.0) -> str:
        """Leave the container of a session that ended, and return its id."""
        made = self.engine.run(name, command=("true",))
        self.engine.docker("wait", made)
        if hours_ago:
            ended = moment(hours_ago)

            def age(record: dict[str, Any]) -> None:
                record["State"].update({"StartedAt": ended, "FinishedAt": ended})

            self.engine.edit(made, age)
        return made

    def never_begun(self, name: str) -> str:
        """Leave a container that was made and never started, and return its id."""
        return self.engine.run(name, create=True)

    def paused(self, name: str) -> None:
        """Run a session and pause it."""
        self.engine.docker("pause", self.session(name))

    def restarting(self, name: str) -> None:
        """Run a session that ends at once and is started again and again."""
        again = ("--restart", "always")
        made = self.session(name, leave=("--rm",), add=again, command=("false",))
        self._until(made, "{{ge .RestartCount 1}}", "true")

    def sick(self) -> None:
        """Run a session whose health check fails."""
        probing = ("--health-interval", "1s", "--health-retries", "1", "--health-cmd", "false")
        self._until(self.session(add=probing), "{{.State.Health.Status}}", "unhealthy")

    def killed(self) -> None:
        """Leave a session that the kernel really killed for its memory limit."""
        made = self.session(leave=("--rm",), command=("sh", "-c", _GREEDY))
        self.engine.docker("wait", made)

    def nearly_full(self) -> None:
        """Run a session that uses nearly all of its memory, none of it as cache."""
        limit = ("--memory", "32m", "--memory-swap", "32m", "--cap-add", "SYS_ADMIN")
        made = self.session(leave=("--memory",), add=limit, command=("sh", "-c", _FILL))
        self._wait(lambda: "full" in self.engine.docker("logs", made))

    def busy(self, cpus: str) -> None:
        """Run a session that always wants more than its share of the processors."""
        share = ("--cpus", cpus)
        loop = ("sh", "-c", "while :; do :; done")
        self.session(leave=("--cpus",), add=share, command=loop)
        time.sleep(1.5)  # it must have been busy for a while

    def _until(self, container: str, what: str, value: str) -> None:
        """Wait until an inspection tells a value."""
        inspect = ("inspect", "--format", what, container)
        self._wait(lambda: self.engine.docker(*inspect).strip() == value)

    def _wait(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + 15
        while not is_so():
            assert time.monotonic() < end, "a container did not become what it should"
            time.sleep(0.05)

    def close(self) -> None:
        """Give the engine back, emptied."""
        if self._engine is not None:
            self._engine.release()
            self._engine = None
