"""What is seen of host names, the clock, the time zone and the tools."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from plugins import Absent, CannotTell, Measure, NotThere, TimedOut, ToolMissing, probe
from plugins.endpoints.errors import in_words
from plugins.eyes import kernel, naming
from plugins.hosts import Host
from plugins.systems import Uses

from .system import WatchedHost, every


@dataclass(frozen=True)
class Name:
    """A host name and what became of it: its addresses, or the resolver's words in `trouble`."""

    name: str
    addresses: tuple[str, ...]
    trouble: str

    def __str__(self) -> str:
        return f"{self.name}: {self.trouble or ', '.join(self.addresses)}"


@dataclass(frozen=True)
class Zone:
    """The file that tells the time zone, and why it does not ("" when it does)."""

    file: str
    trouble: str


@dataclass(frozen=True)
class MissingTool:
    """A program that a present system needs, and that is on no folder of the path."""

    name: str

    def __str__(self) -> str:
        return self.name


def _wrong(
    names: tuple[str, ...], wait: float, commands: Host, is_wrong: Callable[[Name], bool]
) -> tuple[Name, ...]:
    """Resolve the names and return the wrong ones, those that failed among them.

    Raises:
        TimedOut: some got no answer in time, and none of the others is wrong.
    """
    rows = commands.call(naming.resolved, list(names), wait, deadline=wait + 5)
    silent = [name for name, row in rows.items() if row["trouble"] == "silent"]
    found = []
    for name, row in rows.items():
        addresses = row["addresses"]
        told = tuple(map(str, addresses)) if isinstance(addresses, list) else ()
        one = Name(name, told, str(row["trouble"]))
        if name not in silent and (one.trouble or is_wrong(one)):
            found.append(one)
    if silent and not found:
        raise TimedOut(f"resolving {', '.join(silent)}", wait)
    return tuple(found)


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


@probe
def stray_localhost(system: WatchedHost, commands: Host) -> tuple[Name, ...]:
    """The names of this machine itself that do not lead to its loopback addresses alone."""
    settings = system.settings
    return _wrong(
        settings.localhost_names,
        settings.name_answer_s,
        commands,
        lambda name: not all(map(_is_loopback, name.addresses)),
    )


@probe(every=60.0)
def lost_names(system: WatchedHost, watched: tuple[Uses, ...], commands: Host) -> tuple[Name, ...]:
    """The host names of configured endpoints that do not resolve."""
    names = every("names", system, watched)
    if not names:
        raise Absent("no present system names another host")
    return _wrong(names, system.settings.name_answer_s, commands, lambda name: not name.addresses)


@probe(every=300.0)
def clock_error(system: WatchedHost, commands: Host) -> Measure:
    """The greatest error of the clock that the kernel reckons with."""
    try:
        with in_words("the kernel's clock"):
            seen = commands.call(kernel.clock)
    except (NotThere, TimedOut, ToolMissing):
        raise
    except CannotTell as why:
        raise CannotTell(
            f"whether the clock is synchronised can be told on Linux only: {why}"
        ) from None
    limit = system.settings.clock_error_s
    return Measure("the clock may be off by", seen, "s", limit)


@probe
def zone(system: WatchedHost, commands: Host) -> Zone:
    """Whether the file that tells the time zone can be read."""
    file = system.settings.zone_file
    with in_words(file):
        seen = commands.call(naming.zone, file)
    if seen == "missing":
        # The C library's rule: without the file the zone is UTC, as in most containers.
        return Zone(file, "")
    return Zone(file, seen)


@probe(every=60.0)
def missing_tools(
    system: WatchedHost, watched: tuple[Uses, ...], commands: Host
) -> tuple[MissingTool, ...]:
    """The programs that present systems need and that are not installed."""
    tools = every("tools", system, watched)
    if not tools:
        raise Absent("no present system needs a tool")
    found = commands.call(naming.programs, list(tools), list(system.tool_folders))
    return tuple(MissingTool(name) for name in tools if not found[name])
