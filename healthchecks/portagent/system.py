"""Where Portagent lives on a host: its process or container, its data, its port.

The order of truth: the systems file, the running process's command line and environment, the
container's, the unit's, then the places of the real program (~/.agentx) and of its guide
(/var/lib/portagent).
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from plugins.eyes import files
from plugins.hosts import Host
from plugins.outcomes import Absent
from plugins.systems import Uses, under_home


@dataclass(frozen=True)
class Settings:
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

    def path(self, path: str) -> str:
        """Give a path of the settings as an absolute one; "" stays ""."""
        return under_home(self.home, path) if path else ""

    def paths(self, paths: tuple[str, ...]) -> tuple[str, ...]:
        """Give paths of the settings as absolute ones."""
        return tuple(self.path(path) for path in paths)


@dataclass(frozen=True)
class Portagent:
    """What was found: absolute paths; "", () or 0 where nothing is known.

    Args:
        settings: the keys in force, with the limits that the checks judge by.
        home: the home folder.
        data_dir: its data folder, which holds data/, logs/ and containers/.
        port: the TCP port that it should listen on.
        pid: its process on this host, 0 where none runs.
        container: the name of its container, "" where it runs in none.
        environment: what it was started with, values of secrets left out.
        uses: what it uses of its host.
    """

    settings: Settings
    home: str
    data_dir: str
    port: int
    pid: int
    container: str
    environment: tuple[tuple[str, str], ...]
    uses: Uses

    @property
    def url(self) -> str:
        """Where it answers to HTTP."""
        return f"http://{self.settings.address}:{self.port}"

    def database(self, name: str) -> str:
        """Give the path of a database, of "portagent", "agentx" or "queue"."""
        return os.path.join(self.data_dir, "data", f"{name}.db")


def find(settings: Settings, host: Host) -> Portagent:
    """Look for Portagent.

    Raises:
        Absent: no data folder of it stands here.
    """
    asked = (settings.data_dir,) if settings.data_dir else settings.default_data
    places = settings.paths(asked)
    data = next((path for path in places if host.call(files.look, path) is not None), "")
    if not data and settings.enabled != "yes":
        raise Absent("Portagent", places)
    port = settings.port or settings.default_port
    return Portagent(
        settings=settings,
        home=settings.path("~"),
        data_dir=data or places[0],
        port=port,
        pid=0,
        container=settings.container,
        environment=(),
        uses=Uses(
            folders=(data,) if data else (),
            ports=(port,),
            programs=settings.programs,
            backups=settings.paths(settings.backups),
            roots=(data or places[0],),
        ),
    )
