"""Where Pocket Agent lives on a host.

The order of truth: the systems file, the running process's command line and environment (or its
unit's, when it does not run), its configuration file, and last the places of the real server
(~/.pocket_agent), of its packages and of its guide (./data and ./certs beside the process).
"""

from __future__ import annotations

import os.path
from dataclasses import dataclass

from healthchecks.pocket_agent.configuration import Configuration
from healthchecks.pocket_agent.search import Search
from plugins.hosts import Host
from plugins.outcomes import Absent
from plugins.systems import UnderHome, Uses


@dataclass(frozen=True)
class Settings(UnderHome):
    """The keys of [pocket_agent] in systems.toml, which says what each of them is."""

    home: str
    on: str
    enabled: str
    program: str
    binary: str
    default_binaries: tuple[str, ...]
    unit: str
    unit_folders: tuple[str, ...]
    systemctl: str
    start_command: tuple[str, ...]
    start_folder: str
    start_log: str
    user: str
    config: str
    default_configs: tuple[str, ...]
    root_dir: str
    default_root: str
    data_dir: str
    default_data: tuple[str, ...]
    logs: tuple[str, ...]
    default_logs: tuple[str, ...]
    backups: tuple[str, ...]
    rollback_to: str
    recovery_folder: str
    stop_grace: float
    claude: str
    proxy_configs: tuple[str, ...]
    port: int
    default_port: int
    address: str
    server_name: str
    tls: str
    certificate: str
    key: str
    token_env: str
    health_path: str
    socket_path: str
    metrics_path: str
    metrics_port: int
    debug_port: int
    exposed_on_purpose: bool
    data_mode: str
    key_mode: str
    certificate_mode: str
    certificate_days: int
    connections_limit: int
    connections_per_address: int
    connections_percent: int
    latency_ms: int
    latency_messages: int
    needed_tools: tuple[str, ...]
    cpu_percent: int
    cpu_seconds: int
    memory_mib: int
    memory_growth_mib: int
    memory_look_seconds: int
    projects_limit: int
    projects_percent: int
    execution_timeout: int
    idle_timeout: int
    proxy_timeout: int
    log_days: int
    archive_days: int
    log_mib: int
    line_kib: int
    metadata_kib: int
    residue_seconds: int
    clock_tolerance: int
    log_hours: int
    errors_per_hour: int
    health_deadline: float
    idle_slack: float
    connect_deadline: float


@dataclass(frozen=True)
class PocketAgent:
    """What was found of the server: absolute paths; "", () or None where nothing is known.

    Args:
        settings: the keys in force, with the limits that the checks judge by.
        root_dir: its root folder.
        config: its configuration file, there or not.
        configuration: what that file says.
        port: the TCP port that it should listen on.
        port_told: whether something tells it; else it is assumed, as we may not read what would.
        tls: "yes", "no" or "auto" (not said anywhere).
        certificate: the certificate's file.
        key: the private key's file.
        data_dir: the folder that holds projects/, there or not.
        logs: log files to read.
        claude: the Claude CLI's name or path.
        search_path: the server's own PATH, as colon-separated folders.
        binary: the server's executable.
        unit: the systemd unit's name, when its file is there.
        start_command: the words of the command that starts it.
        start_folder: the folder to start it in.
        start_log: the file that takes a started server's output.
        user: the name or number of the user that it runs, or should run, as.
        uid: that user's number.
        pids: its processes, oldest first.
        execution_timeout: seconds that an execution may take.
        idle_timeout: seconds that an idle connection should last.
        uses: what the host's checks watch for it.
    """

    settings: Settings
    root_dir: str
    config: str
    configuration: Configuration
    port: int
    port_told: bool
    tls: str
    certificate: str
    key: str
    data_dir: str
    logs: tuple[str, ...]
    claude: str
    search_path: str
    binary: str
    unit: str
    start_command: tuple[str, ...]
    start_folder: str
    start_log: str
    user: str
    uid: int | None
    pids: tuple[int, ...]
    execution_timeout: float
    idle_timeout: float
    uses: Uses

    @property
    def dialect(self) -> str:
        """The configuration's dialect: "json", "yaml" or "none"."""
        return self.configuration.dialect

    @property
    def projects(self) -> str:
        """The folder that holds a folder for each project."""
        return os.path.join(self.data_dir, "projects")


def find(settings: Settings, host: Host) -> PocketAgent:
    """Find the server on a host.

    Raises:
        Absent: no process, unit, configuration, data folder or executable of it is there.
        CannotTell: the host itself cannot be looked at.
    """
    search = Search(settings, host)
    if not search.traces:
        raise Absent("Pocket Agent", search.looked_in)
    certificate = search.pem(
        settings.certificate, "TLS_CERT_FILE", "PA_TLS_CERT", "tls_cert_file", "server.crt"
    )
    key = search.pem(settings.key, "TLS_KEY_FILE", "PA_TLS_KEY", "tls_key_file", "server.key")
    execution_timeout, idle_timeout = search.timeouts
    user, uid = search.account
    return PocketAgent(
        settings=settings,
        root_dir=search.root,
        config=search.config,
        configuration=search.configuration,
        port=search.port,
        port_told=search.port_told,
        tls=search.tls,
        certificate=certificate,
        key=key,
        data_dir=search.data_dir,
        logs=search.logs,
        claude=search.claude,
        search_path=search.command.environment.get("PATH", ""),
        binary=search.binary,
        unit=settings.unit if search.unit_file else "",
        start_command=search.start_command,
        start_folder=settings.path(settings.start_folder) or search.command.folder or search.root,
        start_log=search.start_log,
        user=user,
        uid=uid,
        pids=tuple(command.pid for command in search.running),
        execution_timeout=execution_timeout,
        idle_timeout=idle_timeout,
        uses=_uses(settings, search, certificate, key),
    )


def _uses(settings: Settings, search: Search, *pems: str) -> Uses:
    # Somebody who links the folder to a larger disk means that folder.
    own = (search.data_dir, search.root)
    trees = (*own, *search.led_to(*own), *(os.path.dirname(path) for path in pems if path))
    return Uses(
        folders=(search.data_dir,),
        ports=(search.port,),
        names=(settings.server_name,) if settings.server_name else (),
        tools=settings.needed_tools,
        programs=(settings.program,),
        docker=False,
        backups=settings.paths(settings.backups),
        roots=tuple(dict.fromkeys(tree for tree in trees if tree.count("/") > 1)),
        recovery=tuple(filter(None, (settings.path(settings.recovery_folder), search.binary))),
    )
