"""The search for Portagent: each thing from the first place that tells of it."""

from __future__ import annotations

import os.path
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from healthchecks.portagent.search_containers import (
    Containers,
    containers_of,
    data_inside,
    outside,
)
from healthchecks.portagent.search_processes import (
    Seen,
    number,
    processes_named,
    servers_holding,
)
from healthchecks.portagent.variables import OPTIONS, Variable, first_of, variables_of
from plugins.endpoints.commands import Command, unit_command, variables_in
from plugins.endpoints.container_settings import Port
from plugins.endpoints.containers import Container
from plugins.eyes import reading
from plugins.hosts import Host

if TYPE_CHECKING:
    from healthchecks.portagent.system import Settings

_LIMIT = 256 << 10
_EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - as the engine tells it


class Search:
    """One search on one host; what was asked of it is looked at once."""

    def __init__(self, settings: Settings, host: Host) -> None:
        self.settings = settings
        self.host = host
        self._hidden: list[str] = []

    def kind(self, path: str) -> str:
        """Give what stands at a path: "file", "folder", "missing", "denied" and so on."""
        return str(self.host.call(reading.at, [path], 0)[path]["kind"]) if path else "missing"

    # ---- its processes and its container

    @cached_property
    def containers(self) -> Containers:
        """The containers of the host."""
        inside = any(row.container for row in self._processes)
        return containers_of(self.settings, self.host, needed=inside)

    @cached_property
    def _processes(self) -> tuple[Seen, ...]:
        return processes_named(self.settings.programs, self.host)

    @cached_property
    def seen(self) -> tuple[Seen, ...]:
        """Its processes: those that the systems file means, one that listens first."""
        settings = self.settings
        mine = tuple(row for row in self._processes if self._is_meant(row))
        if not mine and self.containers.named(settings) is None:
            # Under a name such as `node dist/cli.js` it is known by what it holds open.
            folders = (settings.data_dir,) if settings.data_dir else settings.default_data
            mine = tuple(
                row
                for folder in settings.paths(folders)
                for row in servers_holding(folder, self.host)
                if self._is_meant(row)
            )
        # A wrapper is a process of it too, and not the one that listens.
        return tuple(sorted(mine, key=lambda row: (not row.command.ports, row.command.pid)))

    def _is_meant(self, row: Seen) -> bool:
        """Whether the systems file means this process: its port, data folder and home agree."""
        settings, own = self.settings, row.data_dir
        if settings.data_dir and own:
            mounted = outside(own, self.containers.of(row.container)) if row.container else ""
            return settings.path(settings.data_dir) in {own, mounted}
        if settings.port and row.ports and settings.port not in row.ports and not row.container:
            return False
        if settings.home == "~" or row.container or not own:
            return True
        home = settings.path("~")
        return f"{own}/".startswith(f"{home}/") or own in settings.paths(settings.default_data)

    @property
    def process(self) -> Seen | None:
        """The process that is looked at; None where none runs."""
        return self.seen[0] if self.seen else None

    @cached_property
    def container(self) -> Container | None:
        """Its container: that of its process, else that of its name or image."""
        if self.process is not None and not self.settings.container:
            # What runs on the machine itself has none, whatever else stands here.
            return self.containers.of(self.process.container) if self.process.container else None
        return self.containers.named(self.settings)

    @property
    def pids(self) -> tuple[int, ...]:
        """The ids of its processes, as this machine counts them."""
        inside = self.container.settings.pid if self.container is not None else 0
        return tuple(row.command.pid for row in self.seen) or ((inside,) if inside else ())

    # ---- its unit and its command

    @cached_property
    def unit_file(self) -> str:
        """The file of its systemd unit; "" when there is none."""
        settings = self.settings
        folders = settings.paths(settings.unit_folders) if settings.unit else ()
        paths = (os.path.join(folder, settings.unit) for folder in folders)
        return next((path for path in paths if self.kind(path) != "missing"), "")

    @cached_property
    def command(self) -> Command:
        """Its running command, else its container's, else its unit's, else an empty one."""
        if self.process is not None:
            return self.process.command
        if self.container is not None:
            words = tuple(word.reveal() for word in self.container.settings.words)
            return Command(words, folder=self.container.settings.folder)
        if not self.unit_file:
            return Command()
        row = self.host.call(reading.at, [self.unit_file], _LIMIT)[self.unit_file]
        return unit_command(str(row["text"]), Command)

    # ---- its variables

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """What it is started with: options, its environment, then files; the first one wins."""
        options: dict[str, Variable] = {}
        for name, flags in OPTIONS.items():
            if said := self.command.flag(*flags):
                options |= variables_of({name: said}, f"--{flags[0]}")
        return first_of((options, *self._environments(), *self._folder_files()))

    @property
    def hidden(self) -> tuple[str, ...]:
        """What may set a variable and could not be read."""
        assert self.variables is not None  # looking for them tells it
        return tuple(dict.fromkeys(self._hidden))

    def _environments(self) -> Iterator[dict[str, Variable]]:
        process, container = self.process, self.container
        if process is not None and not process.hidden:
            source = f"process {process.command.pid}"
            yield variables_of(process.command.environment, source)
        elif container is not None:
            yield variables_of(dict(container.settings.environment), f"container {container.name}")
        else:
            if process is not None:
                self._hidden.append(process.hidden)
            # Of a unit, its files go before its own lines.
            named = self.command.environment_files
            for path in dict.fromkeys((*named, *self.settings.paths(self.settings.env_files))):
                yield self._file(path)
            yield variables_of(self.command.environment, self.unit_file)

    def _folder_files(self) -> Iterator[dict[str, Variable]]:
        """Yield what the files of its working folder set, or the one that it was given."""
        command, process = self.command, self.process
        root = process.root if process is not None else ""
        if self.container is not None and not root:
            return
        named = command.flag("env-file", "e")
        files = (named,) if named else (".env", ".env.local") if command.folder else ()
        for file in files:
            yield self._file(f"{root}{command.absolute(file)}", follow=not root)

    def _file(self, path: str, follow: bool = True) -> dict[str, Variable]:
        row = self.host.call(reading.at, [path], _LIMIT, follow)[path]
        if row["kind"] in {"denied", "silent"}:
            self._hidden.append(f"{path}, which we may not read")
        return variables_of(variables_in(str(row["text"])), path)

    @property
    def variable_files(self) -> tuple[str, ...]:
        """The files on this machine that may set variables of it, there or not."""
        command = self.command
        named = command.flag("env-file", "e")
        own = (named,) if named else (".env", ".env.local") if command.folder else ()
        # Those of a container lie inside of it.
        mine = () if self.container is not None else tuple(map(command.absolute, own))
        others = self.settings.paths(self.settings.env_files)
        return tuple(dict.fromkeys((*mine, *command.environment_files, *others)))

    # ---- its places

    @cached_property
    def data_dir(self) -> str:
        """Its data folder, there or not; "" where it lies inside of a container that stands."""
        settings = self.settings
        if settings.data_dir:
            return settings.path(settings.data_dir)
        if self.container is not None:
            own = self.process.data_dir if self.process is not None else ""
            inside = own or data_inside(self.container)
            root = f"/proc/{self.pids[0]}/root{inside}" if self.pids else ""
            return outside(inside, self.container) or root
        told = {one.name: one.value.reveal() for one in self.variables}
        said = self.command.absolute(told.get("AGENTX_DIR", ""))
        if said or self.process is not None:
            return said or self._folder_at(told.get("HOME", ""))
        places = settings.paths(settings.default_data)
        return next((path for path in places if self._is_its_own(path)), (*places, "")[0])

    def _folder_at(self, home: str) -> str:
        user = self.command.user
        if not home and user:
            row = self.host.call(reading.accounts, [user]).get(user, [])
            home = str(row[2]) if row else ""
        return os.path.join(home or self.settings.path("~"), ".agentx")

    def _is_its_own(self, path: str) -> bool:
        """Whether a folder is Portagent's: other programs of its makers have one of that name."""
        signs = (f"{path}/data/portagent.db", f"{path}/logs/portagent.log")
        return bool(path) and any(self.kind(sign) != "missing" for sign in signs)

    @cached_property
    def port(self) -> int:
        """The port that it should listen on, as the machine sees it."""
        settings, command = self.settings, self.command
        told = number(command.flag("port", "p"))
        if settings.port:
            return settings.port
        if self.container is not None:
            return next((one.outer for one in self._ways_in), 0) or told or settings.default_port
        second = number(command.environment.get("WS_PORT", ""))
        wanted = (told, second, settings.default_port)
        listened = next((port for port in wanted if port in command.ports), 0)
        return listened or (*command.ports, 0)[0] or told or second or settings.default_port

    @cached_property
    def _ways_in(self) -> tuple[Port, ...]:
        """The ports of the machine at which the engine publishes its port."""
        inner = f"{number(self.command.flag('port', 'p')) or 5200}/tcp"
        ports = self.container.settings.ports if self.container is not None else ()
        return tuple(one for one in ports if one.inner == inner and one.outer)

    @property
    def published(self) -> bool:
        """Whether the engine lets this machine reach its port in the container."""
        host = self.container is not None and self.container.settings.network_mode == "host"
        return bool(self._ways_in) or host

    @property
    def address(self) -> str:
        """The address at which it is asked: where it is published at one alone, that one."""
        told = self.settings.address
        only = {one.address for one in self._ways_in if one.outer == self.port}
        return told if told in only or only & _EVERYWHERE else min(only, default=told)

    @cached_property
    def traces(self) -> tuple[str, ...]:
        """What was found of it; () when it is not on this host."""
        found = [f"process {pid}" for pid in self.pids]
        found += [f"container {self.container.name}"] if self.container is not None else []
        found += [self.unit_file] if self.unit_file else []
        explicit = bool(self.settings.data_dir) and self.kind(self.data_dir) != "missing"
        return (*found, *((self.data_dir,) if explicit or self._is_its_own(self.data_dir) else ()))

    @property
    def looked_in(self) -> tuple[str, ...]:
        """The places that were looked at, in the order of looking."""
        settings, trouble = self.settings, self.containers.trouble
        units = settings.paths(settings.unit_folders) if settings.unit else ()
        return (
            f"processes named {', '.join(settings.programs)}",
            f"containers: {trouble}" if trouble else "",
            *(os.path.join(folder, settings.unit) for folder in units),
            *settings.paths((settings.data_dir,) if settings.data_dir else settings.default_data),
        )
