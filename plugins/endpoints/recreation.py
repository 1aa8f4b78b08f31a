"""What a container is made of anew: all that the former one was made with, and what is to differ.

The engine's own description of the former one is given back to it whole, so that nothing is left
out; its variables are in no file, on no command line and in no plan.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
_SHORT = 12  # characters of its id, which a container is named by where it is given no name
_OF_NO_NETWORK = ("host", "none")
_KEPT = ("IPAMConfig", "Links", "DriverOpts", "GwPriority")


@dataclass(frozen=True)
class Change:
    """What is to differ; what is "" or 0 stays as it was.

    Args:
        memory: bytes, for the memory and for memory and swap together.
        nano_cpus: billionths of a processor.
        log_size: of one file of its output, as --log-opt max-size takes it.
        log_files: how many of them.
        fresh: variables that get a secret made up here, which nobody is told.
    """

    memory: int = 0
    nano_cpus: int = 0
    log_size: str = ""
    log_files: int = 0
    fresh: tuple[str, ...] = ()


def body(told: Mapping[str, Any], image: str, change: Change) -> dict[str, Any]:
    """Return the request that makes a container as another was made.

    Args:
        told: what an inspection tells of the former one.
        image: its name or id.
        change: what is to differ.
    """
    config = {**told["Config"], "Image": image}
    host = {**told["HostConfig"]}
    mode = host.get("NetworkMode") or "default"
    lent = mode.startswith("container:") or host.get("UTSMode") == "host"
    if lent or config.get("Hostname") == told["Id"][:_SHORT]:
        config.pop("Hostname", None)
    if not config.get("MacAddress"):
        config.pop("MacAddress", None)
    host |= _mounts(told, host) | _limits(change) | _logs(host, change)
    config["Env"] = _environment(config.get("Env") or (), change)
    first = networks(told)[:1]
    return {
        **config,
        "HostConfig": host,
        "NetworkingConfig": {"EndpointsConfig": dict(first)},
    }


def networks(told: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the networks of a container, each with how it is attached; the one of its mode first.

    None of one that has the host's, none at all, or another container's.
    """
    mode = told["HostConfig"].get("NetworkMode") or "default"
    if mode in _OF_NO_NETWORK or mode.startswith("container:"):
        return []
    rows = (told.get("NetworkSettings") or {}).get("Networks") or {}
    own = "bridge" if mode == "default" else mode
    names = sorted(rows, key=lambda name: (name != own, name))
    return [(name, _attachment(rows[name], told["Id"])) for name in names]


def _attachment(row: Mapping[str, Any], former: str) -> dict[str, Any]:
    kept = {key: row[key] for key in _KEPT if row.get(key)}
    aliases = [alias for alias in row.get("Aliases") or () if alias != former[:_SHORT]]
    return {**kept, "Aliases": aliases} if aliases else kept


def attached(how: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a container is attached to a network, in the words of the docker package."""
    addresses = how.get("IPAMConfig") or {}
    pairs = (str(link).partition(":") for link in how.get("Links") or ())
    return {
        "aliases": how.get("Aliases"),
        "ipv4_address": addresses.get("IPv4Address"),
        "ipv6_address": addresses.get("IPv6Address"),
        "link_local_ips": addresses.get("LinkLocalIPs"),
        "links": [(name, alias) for name, _, alias in pairs] or None,
        "driver_opt": how.get("DriverOpts"),
    }


def _mounts(told: Mapping[str, Any], host: Mapping[str, Any]) -> dict[str, Any]:
    """Return the mounts; a volume without a name is mounted by that which the engine gave it."""
    listed = [dict(one) for one in host.get("Mounts") or ()]
    given = {one.get("Target"): one for one in listed if not one.get("Source")}
    more = []
    for one in told.get("Mounts") or ():
        name, target = one.get("Name") or "", one.get("Destination")
        if one.get("Type") != "volume" or not _ANONYMOUS.fullmatch(name):
            continue
        if target in given:
            given[target]["Source"] = name
        elif not any(str(bind).startswith(f"{name}:") for bind in host.get("Binds") or ()):
            more.append(f"{name}:{target}" if one.get("RW", True) else f"{name}:{target}:ro")
    binds = [*(host.get("Binds") or ()), *more]
    return {"Binds": binds or None, **({"Mounts": listed} if listed else {})}


def _limits(change: Change) -> dict[str, int]:
    memory = {"Memory": change.memory, "MemorySwap": change.memory} if change.memory else {}
    # A quota and a number of processors exclude each other.
    quota = {"NanoCpus": change.nano_cpus, "CpuQuota": 0, "CpuPeriod": 0}
    return memory | (quota if change.nano_cpus else {})


def _logs(host: Mapping[str, Any], change: Change) -> dict[str, Any]:
    if not change.log_size and not change.log_files:
        return {}
    now = host.get("LogConfig") or {}
    options = dict(now.get("Config") or {})
    options |= {"max-size": change.log_size} if change.log_size else {}
    options |= {"max-file": str(change.log_files)} if change.log_files else {}
    return {"LogConfig": {"Type": now.get("Type") or "json-file", "Config": options}}


def _environment(now: Any, change: Change) -> list[str]:
    kept = [one for one in now if str(one).partition("=")[0] not in change.fresh]
    made = (base64.b64encode(secrets.token_bytes(32)).decode() for _ in change.fresh)
    return [*kept, *(f"{name}={value}" for name, value in zip(change.fresh, made, strict=True))]
