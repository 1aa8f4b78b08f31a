"""Steps that make a container anew, as another was made, and see that it stays up."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from plugins.endpoints.docker import Docker
from plugins.endpoints.recreation import Change, attached, body, networks
from plugins.outcomes import NoFact
from plugins.shell import line, quoted
from plugins.steps.programs import OnProgram
from plugins.steps.step import Hands, Refusal, Step
from plugins.steps.stillness import Passed

if TYPE_CHECKING:
    from docker import APIClient

_ANONYMOUS = "^[0-9a-f]{64}$"
_STATE = "{{.State.Status}} {{.RestartCount}}{{with .State.Health}} {{.Status}} {{len .Log}}{{end}}"
_PAUSE = 0.25


@dataclass(frozen=True)
class CreateLike(OnProgram):
    """Make a container as another was made, and do not start it.

    Its variables are asked of the engine while it is made: they stand in no plan and no journal.

    Args:
        url: where its engine is asked.
        former: the id of the other, whole.
        name: of the new one.
        memory, nano_cpus, log_size, log_files, fresh: what is to differ; see `Change`.
    """

    url: str
    former: str
    name: str
    memory: int = 0
    nano_cpus: int = 0
    log_size: str = ""
    log_files: int = 0
    fresh: tuple[str, ...] = ()

    @property
    def change(self) -> Change:
        """What is to differ."""
        limits = (self.memory, self.nano_cpus, self.log_size, self.log_files)
        return Change(*limits, fresh=self.fresh)

    def take(self, hands: Hands) -> None:
        """Make it; refused when the engine does not, and nothing is left then."""
        try:
            Docker(hands.host, self.url).do(self._make, deadline=60.0)
        except (NoFact, KeyError) as why:
            raise Refusal(f"the container {self.name} cannot be made: {why}") from None

    def _make(self, api: APIClient) -> None:
        import docker

        told = api.inspect_container(self.former)
        image = told["Config"]["Image"]
        try:
            # Another image may have the name by now, and the same settings are wanted.
            same = api.inspect_image(image)["Id"] == told["Image"]  # type: ignore[no-untyped-call]
        except docker.errors.ImageNotFound:
            same = False
        request = body(told, image if same else told["Image"], self.change)
        made = api.create_container_from_config(request, self.name)["Id"]  # type: ignore[no-untyped-call]
        try:
            for name, how in networks(told)[1:]:
                api.connect_container_to_network(made, name, **attached(how))
        except docker.errors.APIError:
            api.remove_container(made)
            raise

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return the step that removes it; its volumes stay, as the other has them too."""
        del hands
        return (RemoveMade(self.url, self.name, self.former),)

    def __str__(self) -> str:
        asked = line("docker", "--host", self.url, "inspect", "--type", "container", self.former)
        where, reach = "http://localhost", ["--unix-socket", self.url.removeprefix("unix://")]
        if not self.url.startswith("unix://"):
            where, reach = self.url.replace("tcp://", "http://", 1), []
        # curl takes the request from a pipe: no variable is on a command line.
        sends = line(
            *("curl", "--fail-with-body", "--silent", "--show-error", *reach),
            *("--header", "Content-Type: application/json", "--data-binary", "@-"),
            f"{where}/containers/create?name={self.name}",
        )
        made = "".join(f'made_{n}="$(openssl rand -base64 32)" ' for n, _ in enumerate(self.fresh))
        return f"{asked} | {made}jq {quoted(' | '.join(self._program()))} | {sends}"

    def _program(self) -> Iterator[str]:
        """Yield the parts of the jq program that makes a request of an inspection."""
        yield ".[0] as $old | $old.Config + {HostConfig: $old.HostConfig}"
        yield "if .Hostname == $old.Id[:12] then del(.Hostname) else . end"
        volumes = f'select(.Type == "volume" and (.Name | test("{_ANONYMOUS}")))'
        yield f'.HostConfig.Binds += [$old.Mounts[] | {volumes} | .Name + ":" + .Destination]'
        if self.memory:
            yield f".HostConfig.Memory = {self.memory} | .HostConfig.MemorySwap = {self.memory}"
        if self.nano_cpus:
            yield f".HostConfig.NanoCpus = {self.nano_cpus}"
        for name, value in (("max-size", self.log_size), ("max-file", str(self.log_files or ""))):
            if value:
                yield f'.HostConfig.LogConfig.Config["{name}"] = {json.dumps(value)}'
        for number, name in enumerate(self.fresh):
            others = f'[(.Env // [])[] | select(test("^{name}\\\\W") | not)]'
            yield f'.Env = {others} + ["{name}" + "=" + env.made_{number}]'


@dataclass(frozen=True)
class RemoveMade(OnProgram):
    """Remove a container that was made as another was; where it was not made, nothing is done.

    Args:
        url: where its engine is asked.
        name: of the one that was made.
        former: the id of the other, which is never removed.
    """

    url: str
    name: str
    former: str
    sure: ClassVar[bool] = True  # right too where nobody knows whether the other step was taken

    def take(self, hands: Hands) -> None:
        """Remove it; refused when the name is the former one's."""
        told = self._docker(hands, "ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}}")
        rows = (row.partition(" ") for row in told.splitlines())
        made = next((id_ for id_, _, names in rows if self.name in names.split(",")), "")
        if made == self.former:
            raise Refusal(f"the container {self.name} is the former one, and stays")
        if made:
            self._docker(hands, "rm", "--force", "--", made)

    def _docker(self, hands: Hands, *words: str) -> str:
        try:
            ran = hands.host.run(("docker", "--host", self.url, *words), deadline=30.0)
        except NoFact as why:
            raise Refusal(str(why)) from None
        if ran.status:
            raise Refusal(f"the container {self.name} stays: {ran.complaint}")
        return ran.text

    def __str__(self) -> str:
        return line("docker", "--host", self.url, "rm", "--force", "--", self.name)


@dataclass(frozen=True)
class StaysUp(OnProgram):
    """See that a container runs, goes on for some seconds, and is not found unhealthy.

    Args:
        url: where its engine is asked.
        name: of the container.
        seconds: for which it must run without a restart.
        patience: seconds in which a check of its health may turn well; one that comes more rarely
            is not waited for.
    """

    url: str
    name: str
    seconds: float = 5.0
    patience: float = 60.0

    def take(self, hands: Hands) -> None:
        """Look at it for that long; refused when it ends, starts again or is unhealthy."""
        began = time.monotonic()
        while True:
            told = self._state(hands).split()
            state, restarts, health, checks = (*told, "", "", "", "")[:4]
            if state != "running" or restarts != "0" or health == "unhealthy":
                said = f"{state}, started again {restarts or 0} times {health}".strip()
                raise Refusal(f"the container {self.name} does not stay up: {said}")
            age = time.monotonic() - began
            if age >= self.seconds and health != "starting":
                return
            if age >= self.patience:
                if checks == "0":
                    return  # its check comes more rarely than that: nothing speaks against it
                raise Refusal(f"the container {self.name} is not healthy after {age:.0f} s")
            time.sleep(_PAUSE)

    def inverse(self, hands: Hands) -> tuple[Step, ...]:
        """Return what does nothing, as nothing was done."""
        del hands
        return (Passed(self.name),)

    def _state(self, hands: Hands) -> str:
        argv = ("docker", "--host", self.url, "inspect", "--format", _STATE, "--", self.name)
        try:
            ran = hands.host.run(argv, deadline=15.0)
        except NoFact as why:
            raise Refusal(str(why)) from None
        if ran.status:
            raise Refusal(f"the container {self.name} cannot be seen: {ran.complaint}")
        return ran.text

    def __str__(self) -> str:
        format_ = "{{.State.Status}} {{.RestartCount}}"
        asks = line("docker", "--host", self.url, "inspect", "--format", format_, "--", self.name)
        return f"sleep {self.seconds:g} && [ \"$({asks})\" = 'running 0' ]"
