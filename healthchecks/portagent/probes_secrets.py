"""The provider's key, and where secrets lie about: variables, command lines, files, output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.portagent.generations import is_second
from healthchecks.portagent.probes_container import SECRET, container
from healthchecks.portagent.provider import KEY
from healthchecks.portagent.seat import UP
from healthchecks.portagent.system import Portagent
from healthchecks.portagent.variables import SECRETS
from plugins import Absent, Blocked, CannotTell, NotThere, ToolMissing, printable, probe
from plugins.endpoints.commands import variables_in
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.systemd import Systemd
from plugins.eyes import sharing
from plugins.hosts import Host

_PLACEHOLDER = re.compile(
    r"(?i)(?:^|[-_.])x{3,}(?:$|[-_.])|x{5,}|your[-_ ]|placeholder|change[-_ ]?me|replace[-_ ]?me"
    r"|^<.*>$|\.{3}|…|\*{3,}|^\$\{?\w+\}?$|^(?:todo|none|null|secret|key|test|dummy|example)$"
)
# What every key of its kind begins with is no secret.
_KNOWN = re.compile(r"sk-(?:ant-(?:[a-z]{2,8}\d\d-)?|proj-|svcacct-|or-v1-)?")
_BANNER = re.compile(rb"API Key: ([^\s\x1b]{1,40})\.\.\.")
_ENOUGH = 4  # characters of a key that nobody should see
_LARGEST = 256 << 10
_WEEK = 7 * 86_400.0


@dataclass(frozen=True)
class ServerKey:
    """Whether the server was given a key of the provider.

    Args:
        source: what gives it, "" where nothing does.
        flaw: why it can be none, "" where it may be one.
        looked_in: where it was looked for.
    """

    source: str
    flaw: str
    looked_in: tuple[str, ...]


@dataclass(frozen=True)
class OpenFile:
    """A file with secrets that anybody on the machine may read.

    Args:
        path: of it, links followed.
        seen: its identity.
        mode: what its mode should be.
        names: of the secrets in it.
        needed: whether the server may read it only as anybody may.
    """

    path: str
    seen: str
    mode: int
    names: tuple[str, ...]
    needed: bool

    def __str__(self) -> str:
        return f"{printable(self.path)}: {', '.join(self.names)}"


@dataclass(frozen=True)
class Exposed:
    """Secrets that more people see than should: their names, where, and who."""

    names: tuple[str, ...]
    where: str
    readers: str

    def __str__(self) -> str:
        return f"{', '.join(self.names)}: {self.where}, which {self.readers} may read"


@probe
def server_key(system: Portagent, filesystem: Filesystem) -> ServerKey:
    """Whether the server was given a key of the provider, and what gives it."""
    if is_second(system, filesystem):
        raise Absent(f"{KEY}: the second generation keeps its key in its database")
    found = system.variable(KEY)
    if found is not None:
        return ServerKey(found.source, flaw(found.value.reveal()), ())
    if system.hidden:
        raise CannotTell(f"the key may be in {' or '.join(map(printable, system.hidden))}")
    if not (system.pid or system.container or system.unit or system.environment):
        raise Blocked(UP, "nothing tells how it is started")
    process = (f"process {system.pid}",) if system.pid and not system.container else ()
    box = (f"the container {system.container}",) if system.container else ()
    unit = (system.unit_file,) if system.unit and not system.pid else ()
    return ServerKey("", "", (*process, *box, *unit, *system.variable_files))


def flaw(key: str) -> str:
    """Return why a text can be no key of a provider, "" where it may be one."""
    bare = key.strip()
    if not bare:
        return "is empty"
    if bare[0] in "\"'`" or bare[-1] in "\"'`":
        return "stands in quotes, which belong to it where Docker reads it"
    if bare != key:
        return "has a blank or a line break before or behind it"
    if any(character.isspace() for character in key):
        return "has a blank or a line break in it"
    if not (key.isascii() and key.isprintable()):
        return "has characters in it that no key has"
    if _PLACEHOLDER.search(key):
        return "is the placeholder of an example"
    return ""


@probe
def open_variable_files(
    system: Portagent, filesystem: Filesystem, commands: Host
) -> tuple[OpenFile, ...]:
    """The files that hold secrets for the server, and that anybody may read."""
    found = [file for path in system.variable_files if (file := _standing(path, filesystem))]
    if not found:
        raise Absent("a file with variables for it", system.variable_files)
    bad = (_opened(file, system, filesystem, commands) for file in found if file.mode & 0o004)
    return tuple(one for one in bad if one is not None)


def _standing(path: str, filesystem: Filesystem) -> Entry | None:
    entry = filesystem.look(path)
    if entry is not None and entry.kind == "link":
        entry = filesystem.look(filesystem.resolve(path))
    return entry if entry is not None and entry.kind == "file" else None


def _opened(
    file: Entry, system: Portagent, filesystem: Filesystem, commands: Host
) -> OpenFile | None:
    told = variables_in(filesystem.text(file.path, limit=_LARGEST))
    names = tuple(sorted(name for name, value in told.items() if value and SECRET.search(name)))
    if not names:
        return None
    # Those of its unit are read by systemd, as root.
    itself = file.path not in system.settings.paths(system.settings.env_files)
    uid = system.uid
    may = uid in {-1, 0, file.uid} or (
        file.mode & 0o040 and file.gid in commands.call(sharing.groups, uid, uid)
    )
    return OpenFile(file.path, file.identity, file.mode & ~0o007, names, itself and not may)


@probe
def inspected_secrets(system: Portagent, commands: Host) -> tuple[Exposed, ...]:
    """The secrets in what `docker inspect` shows, where several people may ask the engine."""
    docker, one = container(system, commands)
    told = one.settings
    names = tuple(name for name, value in told.environment if value and name in SECRETS)
    options = tuple(
        word.partition("=")[0]
        for word in (word.reveal() for word in told.words)
        if word.startswith("--") and SECRET.search(word.partition("=")[0])
    )
    if not names + options:
        return ()
    readers = _users_of(docker.base_url, commands)
    where = f"`docker inspect {one.name}`"
    return (Exposed(names + options, where, readers),) if readers else ()


def _users_of(url: str, commands: Host) -> str:
    """Return who may ask an engine, in words; "" where that is root and one person at most."""
    if not url.startswith("unix://"):
        private = url.startswith(("ssh://", "https://", "npipe://"))
        return "" if private else f"whoever reaches {printable(url)}"
    return _shared(url.removeprefix("unix://"), commands)


def _shared(path: str, commands: Host) -> str:
    """Return who may read what stands at a path; "" where that is one person at most."""
    try:
        told = commands.call(sharing.readers, path)
    except FileNotFoundError:
        return ""
    people = [printable(name, 40) for name in told["people"]]
    if told["everyone"]:
        return "anybody on this machine"
    if len(people) < 2:
        return ""
    return f"{', '.join(people[:8])} (group {printable(told['group'], 40)})"


@probe
def spoken_secrets(system: Portagent) -> tuple[str, ...]:
    """The secrets on the server's command line, each with its option."""
    if not system.pid and not system.container and not system.unit:
        raise Blocked(UP, "nothing tells how it is started")
    said = (system.variable(name) for name in sorted(SECRETS))
    return tuple(str(one) for one in said if one is not None and one.source.startswith("--"))


@probe(deadline=30.0)
def printed_keys(
    system: Portagent,
    commands: Host,
    filesystem: Filesystem,
) -> tuple[Exposed, ...]:
    """Where the beginning of the key that it prints at its start can be read by others."""
    sources = tuple(_outputs(system, commands, filesystem))
    if not sources:
        raise Absent("anything that it printed", ("its container", "its journal", "its console"))
    found = ((where, readers, _shown(text)) for where, readers, text in sources if readers)
    return tuple(
        Exposed((f"{count} characters of {KEY}",), where, readers)
        for where, readers, count in found
        if count >= _ENOUGH
    )


def _shown(text: bytes) -> int:
    """Return how many characters of a key a banner shows, beyond what all keys begin with."""
    shown = (found[1].decode("utf-8", "replace") for found in _BANNER.finditer(text))
    return max((len(_KNOWN.sub("", one, count=1)) for one in shown), default=0)


def _outputs(
    system: Portagent, commands: Host, filesystem: Filesystem
) -> Iterator[tuple[str, str, bytes]]:
    """Yield (where it is, who may read it, what it printed) for each place that keeps it."""
    if system.container:
        docker, one = container(system, commands)
        readers = _users_of(docker.base_url, commands)
        yield f"`docker logs {one.name}`", readers, docker.printed(one.id, limit=_LARGEST)
        return
    if system.unit:
        systemd = Systemd(commands, systemctl=system.settings.systemctl)
        try:
            text = systemd.journal(system.unit, _WEEK, user=system.users_unit)
        except (ToolMissing, NotThere):
            text = b""
        except CannotTell as why:
            if type(why) is not CannotTell:
                raise
            text = b""  # no systemd runs here
        folders = ("/var/log/journal", "/run/log/journal")
        readers = next((said for path in folders if (said := _shared(path, commands))), "")
        yield f"the journal of {system.unit}", readers, text
    for path in _files(system, filesystem):
        entry = _standing(path, filesystem)
        if entry is not None:
            readers = "anybody on this machine" if entry.mode & 0o004 else ""
            yield printable(entry.path), readers, filesystem.tail(entry.path, 1 << 20)


def _files(system: Portagent, filesystem: Filesystem) -> tuple[str, ...]:
    """Return the files that keep what it prints: those of its outputs, and those that are named."""
    links = [f"/proc/{system.pid}/fd/{number}" for number in (1, 2)] if system.pid else []
    targets = (entry.target for path in links if (entry := filesystem.look(path)))
    named = system.settings.paths(system.settings.log_files)
    return tuple(dict.fromkeys((*(path for path in targets if path.startswith("/")), *named)))
