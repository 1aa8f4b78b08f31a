"""The command lines and environments that tell a server where its things are."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from dataclasses import dataclass

from plugins.endpoints import commands
from plugins.eyes import running
from plugins.hosts import Host

_PLACES = ("config", "root-dir", "data-dir")
VARIABLES = ("POCKET_AGENT_", "PA_", "PATH", "HOME")


@dataclass(frozen=True)
class Command(commands.Command):
    """The server's command, with what its own variables say."""

    def said(self, flag: str, variable: str) -> str:
        """Give what a flag says, else POCKET_AGENT_<variable>; "" when neither does."""
        return self.flag(flag) or self.environment.get(f"POCKET_AGENT_{variable}", "")

    @property
    def places(self) -> tuple[str, ...]:
        """What tells two servers apart: the folders and files that each is given."""
        said = (self.said(flag, flag.upper().replace("-", "_")) for flag in _PLACES)
        return (self.environment.get("HOME", ""), *(self.absolute(path) for path in said))

    def belongs_to(self, home: str) -> bool:
        """Whether it is of that home, or is kept in it; one that shows no place may be of any."""
        own, *said = self.places
        kept = (*said, self.executable, self.folder) if own else said
        shown = tuple(filter(None, (own, *kept)))
        return not shown or own == home or any(f"{path}/".startswith(f"{home}/") for path in shown)


def processes(program: str, host: Host) -> tuple[Command, ...]:
    """Give the running commands of a program, oldest first."""
    rows = host.call(running.by_name, [program], list(VARIABLES))
    return tuple(_running(row) for row in rows)


def ours(
    found: tuple[Command, ...], explicit: Mapping[str, str], home: str, *, named: bool
) -> tuple[Command, ...]:
    """Give those of several servers that the systems file means.

    `explicit` maps "port", "config", "root-dir" and "data-dir" to what the file says of them. A
    server that shows one of them otherwise is another one; where some show the same, only those.
    Where none shows any, those of that home; where there are none such, the oldest, with those that
    have its places. A home that the file itself names is believed: another's server is not ours.
    """
    answers = [(command, _same(command, explicit)) for command in found]
    certain = tuple(command for command, same in answers if same is True)
    if certain:
        return certain
    left = tuple(command for command, same in answers if same is None)
    near = tuple(command for command in left if command.belongs_to(home))
    strangers = () if named else left
    first = (near or strangers)[:1]
    return tuple(one for one in near or strangers if one.places == first[0].places)


def _running(row: Mapping[str, object]) -> Command:
    argv, environment = row["argv"], row["environment"]
    ports, outputs, pid, uid = row["ports"], row["outputs"], row["pid"], row["uid"]
    if not (isinstance(argv, list) and isinstance(environment, dict) and isinstance(pid, int)):
        raise TypeError(row)
    return Command(
        argv=tuple(argv),
        environment=environment,
        folder=str(row["cwd"]),
        executable=str(row["exe"]),
        user="" if uid == -1 else str(uid),
        pid=pid,
        ports=tuple(ports) if isinstance(ports, list) else (),
        outputs=tuple(outputs) if isinstance(outputs, list) else (),
    )


def _same(command: Command, explicit: Mapping[str, str]) -> bool | None:
    answer: bool | None = None
    if port := explicit.get("port"):
        if command.ports:
            return int(port) in command.ports
        if said := command.said("port", "PORT"):
            return said == port
    for flag in _PLACES:
        shown = command.said(flag, flag.upper().replace("-", "_"))
        if explicit.get(flag) and shown:
            if command.absolute(shown) != os.path.normpath(explicit[flag]):
                return False
            answer = True
    home = command.environment.get("HOME", "")
    root = explicit.get("root-dir") or os.path.dirname(explicit.get("config", ""))
    if answer is None and home and root:
        # One that is told nothing has its root folder in its home, or works where it stands.
        own = (os.path.join(home, ".pocket_agent"), command.folder, *command.places)
        return None if os.path.normpath(root) in own else False
    return answer
