"""What a container was made with: environment, command, ports, logs, user, as the engine tells.

Values of variables, and the words of the command, may be secrets: they are carried as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.redaction import Secret


@dataclass(frozen=True)
class Port:
    """A port of a container, such as "5200/tcp"; where it is published, else "" and 0."""

    inner: str
    address: str
    outer: int


@dataclass(frozen=True)
class ContainerSettings:
    """What a container was made with.

    Attributes:
        restart: "no", "always", "unless-stopped" or "on-failure", which may end in ":" and a count.
        environment: name and value of each variable, those of the image too, sorted by name.
        words: the entrypoint and its arguments.
        folder: the working folder inside, "" for the image's root.
        user: as --user or the image says it: name or number, with or without group; "" for root.
        log_driver: such as "json-file".
        log_options: pairs, sorted.
        ports: those that are published or exposed.
        network_mode: "host", "none", "default" or the name of a network.
        hostname: inside.
        pid: of its first process on the engine's own machine, 0 when it does not run.
        complaint: the last words of its health check, whoever wrote them.
        error: why the engine could not start it, "" when it could.
    """

    restart: str
    environment: tuple[tuple[str, Secret], ...]
    words: tuple[Secret, ...]
    folder: str
    user: str
    log_driver: str
    log_options: tuple[tuple[str, str], ...]
    ports: tuple[Port, ...]
    network_mode: str
    hostname: str
    pid: int
    complaint: str
    error: str

    def variable(self, name: str) -> Secret | None:
        """Return a variable's value, None where it is not set."""
        return dict(self.environment).get(name)


def container_settings(told: Mapping[str, Any]) -> ContainerSettings:
    """Read what an inspection tells."""
    config, host, state = told["Config"], told["HostConfig"], told["State"]
    logs = host.get("LogConfig") or {}
    pairs = (str(one).partition("=") for one in config.get("Env") or ())
    words = [told.get("Path") or "", *(told.get("Args") or ())]
    checks = (state.get("Health") or {}).get("Log") or ()
    return ContainerSettings(
        restart=_policy(host.get("RestartPolicy") or {}),
        environment=tuple(sorted(((n, Secret(v)) for n, _, v in pairs), key=lambda one: one[0])),
        words=tuple(Secret(str(word)) for word in words if word),
        folder=config.get("WorkingDir") or "",
        user=config.get("User") or "",
        log_driver=logs.get("Type") or "",
        log_options=tuple(sorted((logs.get("Config") or {}).items())),
        ports=tuple(_ports((told.get("NetworkSettings") or {}).get("Ports") or {}, host)),
        network_mode=host.get("NetworkMode") or "",
        hostname=config.get("Hostname") or "",
        pid=state.get("Pid") or 0,
        complaint=str(checks[-1].get("Output") or "")[:2000] if checks else "",
        error=str(state.get("Error") or "")[:2000],
    )


def _policy(told: Mapping[str, Any]) -> str:
    name, most = told.get("Name") or "no", told.get("MaximumRetryCount") or 0
    return f"{name}:{most}" if name == "on-failure" and most else name


def _ports(open_now: Mapping[str, Any], host: Mapping[str, Any]) -> list[Port]:
    # Of one that does not run, the engine tells only what was asked for.
    asked = open_now or host.get("PortBindings") or {}
    found = []
    for inner, bindings in sorted(asked.items()):
        rows = [(str(one.get("HostIp", "")), one.get("HostPort") or 0) for one in bindings or ()]
        found += [Port(inner, address, int(outer)) for address, outer in rows or [("", 0)]]
    return found
