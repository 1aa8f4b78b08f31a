"""Where Portagent lives on a host: its process or container, its data, its port.

The order of truth: the systems file, the running process's command line and environment, the
container's, the unit's, then the places of the real program (~/.agentx) and of its guide
(/var/lib/portagent).
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from healthchecks.portagent.search import Search
from healthchecks.portagent.search_processes import number
from healthchecks.portagent.variables import SECRETS, Variable
from plugins.hosts import Host
from plugins.outcomes import Absent, CannotTell
from plugins.systems import UnderHome, Uses


@dataclass(frozen=True)
class Settings(UnderHome):
    """The keys of [portagent] in systems.toml, which says what each of them is."""

    home: str
    on: str
    enabled: str
    # the server
    programs: tuple[str, ...]
    data_dir: str
    default_data: tuple[str, ...]
    address: str
    port: int
    default_port: int
    unit: str
    unit_folders: tuple[str, ...]
    systemctl: str
    env_files: tuple[str, ...]
    user: str
    web_port: int
    connect_deadline: float
    clock_tolerance: float
    token_env: str
    idle_timeout: float
    idle_slack: float
    exposed_on_purpose: bool
    # databases
    check_seconds: float
    quick_check_mib: float
    lock_seconds: float
    wal_mib: float
    backups: tuple[str, ...]
    backup_hours: float
    message_days: int
    messages_mib: float
    # container
    docker_url: str
    container: str
    container_names: tuple[str, ...]
    container_images: tuple[str, ...]
    memory_percent: float
    memory_growth_mib: float
    memory_look_seconds: float
    cpu_percent: float
    # proxy, page and provider
    proxy_configs: tuple[str, ...]
    proxy_url: str
    proxy_timeout: int
    origin: str
    chromium: str
    browser_seconds: float
    provider_url: str
    provider_ask: bool
    provider_ms: float
    provider_deadline: float
    # logs
    log_files: tuple[str, ...]
    log_count: int
    log_mib: float
    log_hours: float


@dataclass(frozen=True)
class Portagent:
    """What was found: absolute paths; "", () or 0 where nothing is known.

    Args:
        settings: the keys in force, with the limits that the checks judge by.
        home: the home folder.
        data_dir: its data folder, which holds data/, logs/ and containers/.
        address: the address at which it is asked.
        port: the TCP port that it should listen on, as the machine sees it.
        asked_port: the port that --port asks for, 0 where none does.
        pid: its process on this host, 0 where none runs.
        pids: all of its processes, that one first: several may share the data.
        uid: the number of the user that it runs as; -1 where that is not known.
        folder: its working folder.
        outputs: the regular files that it prints to.
        container: the name of its container, "" where it runs in none.
        container_id: the id of that container.
        published: whether the engine lets this machine reach its port in the container.
        unit: its systemd unit's name, where the unit's file is there.
        unit_file: that file.
        environment: what it was started with: options, variables, files; the first one wins.
        hidden: what may set a variable and could not be read.
        variable_files: the files on this machine that may set variables of it, there or not.
        engine_trouble: why the Docker engine of the host did not tell of its containers.
        uses: what it uses of its host.
    """

    settings: Settings
    home: str
    data_dir: str
    address: str
    port: int
    asked_port: int
    pid: int
    pids: tuple[int, ...]
    uid: int
    folder: str
    outputs: tuple[str, ...]
    container: str
    container_id: str
    published: bool
    unit: str
    unit_file: str
    environment: tuple[Variable, ...]
    hidden: tuple[str, ...]
    variable_files: tuple[str, ...]
    engine_trouble: str
    uses: Uses

    @property
    def users_unit(self) -> bool:
        """Whether its unit is one of a user's own systemd."""
        return "/systemd/user/" in self.unit_file

    @property
    def url(self) -> str:
        """Where it answers to HTTP."""
        address = self.address
        return f"http://{f'[{address}]' if ':' in address else address}:{self.port}"

    def variable(self, name: str) -> Variable | None:
        """Give a variable that it was started with, None where nothing that we saw sets it."""
        return next((one for one in self.environment if one.name == name), None)

    def text(self, name: str) -> str:
        """Give the value of a variable that is no secret; "" where it is not set.

        Raises:
            KeyError: it is a secret, and shown to nobody.
        """
        if name in SECRETS:
            raise KeyError(name)
        found = self.variable(name)
        return found.value.reveal() if found is not None else ""

    def database(self, name: str) -> str:
        """Give the path of a database, of "portagent", "agentx" or "queue".

        Raises:
            CannotTell: its data lies inside of a container that does not run.
        """
        if not self.data_dir:
            raise CannotTell(f"its data lies inside of the container {self.container}")
        return os.path.join(self.data_dir, "data", f"{name}.db")


def find(settings: Settings, host: Host) -> Portagent:
    """Look for Portagent.

    Raises:
        Absent: no process, container, unit or data folder of it is here.
        CannotTell: the host itself cannot be looked at.
    """
    search = Search(settings, host)
    if not search.traces:
        raise Absent("Portagent", search.looked_in)
    container, command = search.container, search.command
    return Portagent(
        settings=settings,
        home=settings.path("~"),
        data_dir=search.data_dir,
        address=search.address,
        port=search.port,
        asked_port=number(command.flag("port", "p")),
        pid=(*search.pids, 0)[0],
        pids=search.pids,
        uid=int(command.user) if command.user.isdigit() else -1,
        folder=command.folder,
        outputs=command.outputs,
        container=container.name if container is not None else "",
        container_id=container.id if container is not None else "",
        published=search.published,
        unit=settings.unit if search.unit_file else "",
        unit_file=search.unit_file,
        environment=search.variables,
        hidden=search.hidden,
        variable_files=search.variable_files,
        engine_trouble=search.containers.trouble,
        uses=_uses(search),
    )


def _uses(search: Search) -> Uses:
    """What it uses of its host."""
    settings, data = search.settings, search.data_dir
    return Uses(
        folders=(data,) if data and search.kind(data) == "folder" else (),
        ports=(search.port,),
        programs=settings.programs,
        docker=search.container is not None or bool(settings.container),
        backups=settings.paths(settings.backups),
        # Of a folder that is seen through a process nobody keeps the way open.
        roots=(
            *((data,) if data and not data.startswith("/proc/") else ()),
            *search.variable_files,
            *settings.paths(settings.backups),
        ),
    )
