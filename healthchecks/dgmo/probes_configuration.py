"""What the configuration of DGMO is, and which MCP servers it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from healthchecks.dgmo.configuration import McpEntry, Missing, documents, mcp_entries, missing
from healthchecks.dgmo.system import Dgmo
from plugins import (
    Absent,
    Blocked,
    CannotTell,
    NotThere,
    Refused,
    TimedOut,
    WrongKind,
    printable,
    probe,
)
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.http import Http
from plugins.endpoints.mcp import Mcp
from plugins.hosts import Host
from plugins.mcp_servers import LOOK, BadServer, Stdio, demand_leave, lost, mute, why_not
from plugins.run import Run

_FOUND = "dgmo.every_mcp_command_is_found"
_GATEWAY = {502, 503, 504}


@dataclass(frozen=True)
class BrokenConfiguration:
    """A configuration file that the program cannot read, and why, without what stands in it."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.why}"


@probe
def missing_configuration(system: Dgmo, filesystem: Filesystem) -> tuple[Missing, ...]:
    """The configuration files that should be there and are not."""
    return tuple(missing(system, filesystem))


@probe
def broken_configuration(system: Dgmo, filesystem: Filesystem) -> tuple[BrokenConfiguration, ...]:
    """The configuration files that are there and cannot be read as an object."""
    seen = tuple(documents(system, filesystem))
    if not seen:
        raise Absent("a configuration of DGMO", system.config_files)
    return tuple(BrokenConfiguration(one.path, one.trouble) for one in seen if one.trouble)


def _local(entry: McpEntry, system: Dgmo) -> Stdio:
    """Return an entry as a server that is started; its trouble where it is none."""
    value = entry.value if isinstance(entry.value, dict) else {}
    command, env = value.get("command"), value.get("environment", {})
    if not isinstance(entry.value, dict):
        return Stdio(entry.label, "what stands there is no object")
    if value.get("type") != "local":
        return Stdio(entry.label, 'its "type" is neither "local" nor "remote"')
    if not isinstance(command, list) or not command or not _texts(command) or not command[0]:
        return Stdio(entry.label, "its command is no list of texts")
    if not isinstance(env, dict) or not _texts(env.values()) or any("=" in name for name in env):
        return Stdio(entry.label, "its environment is no object of texts")
    if any("\0" in word for word in (*command, *env, *env.values())):
        return Stdio(entry.label, "its command or environment holds what no program can be given")
    return Stdio(entry.label, "", tuple(command), dict(env), system.home, uid=entry.uid)


def _texts(words: object) -> bool:
    return all(isinstance(word, str) for word in words)  # type: ignore[attr-defined]


def _is_remote(entry: McpEntry) -> bool:
    return isinstance(entry.value, dict) and entry.value.get("type") == "remote"


def _started(system: Dgmo, filesystem: Filesystem, commands: Host) -> tuple[tuple[Stdio, str], ...]:
    """Give each server that is started as a command, with why it cannot be ("" where it can)."""
    entries = [one for one in mcp_entries(system, filesystem) if not _is_remote(one)]
    if not entries:
        raise Absent("an MCP server that is a command", system.config_files)
    servers = (_local(entry, system) for entry in entries)
    return tuple((server, why_not(server, commands)) for server in servers)


@probe(deadline=20.0)
def lost_commands(system: Dgmo, filesystem: Filesystem, commands: Host) -> tuple[BadServer, ...]:
    """Each MCP server whose configuration is none, or whose command is not found."""
    return lost(_started(system, filesystem, commands))


@probe(deadline=LOOK, every=3600.0)
def mute_servers(
    system: Dgmo, filesystem: Filesystem, commands: Host, mcp: Mcp, run: Run
) -> tuple[BadServer, ...]:
    """Each MCP server that was started and did not answer."""
    seen = _started(system, filesystem, commands)
    demand_leave(system.settings.run_mcp_servers or run.deep)
    ready = [server for server, why in seen if not why]
    if not ready:
        raise Blocked(_FOUND, "none of the commands can be started")
    home = filesystem.look(filesystem.resolve(system.home))
    owner = home.uid if home is not None else ready[0].uid
    return mute(ready, mcp, commands, system.settings.mcp_seconds, owner)


@probe(deadline=60.0)
def silent_remotes(system: Dgmo, filesystem: Filesystem, http: Http) -> tuple[BadServer, ...]:
    """Each remote MCP server at whose address nothing answers."""
    entries = [one for one in mcp_entries(system, filesystem) if _is_remote(one)]
    if not entries:
        raise Absent("a remote MCP server", system.config_files)
    return tuple(_silent(entries, http))


def _silent(entries: list[McpEntry], http: Http) -> Iterator[BadServer]:
    for entry in entries:
        url = entry.value.get("url")
        place = _place(url)
        if not place:
            yield BadServer(entry.label, "its url is none of http or https")
            continue
        try:
            # No body is asked for: a stream of events would have no end.
            answer = http.request("HEAD", str(url), deadline=8.0)
        except (NotThere, Refused, TimedOut, WrongKind) as why:
            yield BadServer(entry.label, f"{place}: {_reason(why)}")
        except CannotTell as why:
            raise CannotTell(f"{entry.label}: {place}: {_reason(why)}") from None
        else:
            if answer.status in _GATEWAY:
                yield BadServer(entry.label, f"{place} answers HTTP {answer.status}")


_REASONS = {
    NotThere: "its name does not resolve",
    Refused: "the connection is refused",
    WrongKind: "what answers there is no server of HTTP that can be understood",
}


def _reason(why: CannotTell) -> str:
    """Return what kept an answer from us; the message of the endpoint holds a path of the URL."""
    if isinstance(why, TimedOut):
        return f"no answer in time (our limit of {why.limit:g} s)"
    return _REASONS.get(type(why), "it cannot be asked")


def _place(url: object) -> str:
    """Return scheme, host and port of a URL; "" where it is none. The rest may be a secret."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    good = parts.scheme in {"http", "https"} and parts.hostname
    return printable(f"{parts.scheme}://{parts.hostname}{port}", 200) if good else ""
