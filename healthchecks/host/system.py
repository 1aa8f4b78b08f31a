"""The host itself: which places, ports, names and programs of it are watched, and by what limits.

Most of what is watched is told by the other systems that are present; the keys `watch_*` add more.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from plugins.hosts import Host
from plugins.systems import Uses, under_home

GIB = 1 << 30


@dataclass(frozen=True)
class Settings:
    """The keys of the table [host]; what each one means stands in systems.toml."""

    home: str
    on: str
    enabled: str
    watch_folders: tuple[str, ...]
    watch_ports: tuple[int, ...]
    watch_names: tuple[str, ...]
    watch_tools: tuple[str, ...]
    watch_programs: tuple[str, ...]
    watch_backups: tuple[str, ...]
    watch_docker: bool
    proc: str
    sys: str
    kernel_log: str
    disk_full_percent: float
    disk_tight_percent: float
    disk_free_gib: float
    inodes_full_percent: float
    disk_fills_days: float
    mount_answer_s: float
    files_looked_at: int
    memory_available_percent: float
    memory_pressure_percent: float
    oom_days: float
    localhost_names: tuple[str, ...]
    name_answer_s: float
    clock_error_s: float
    clock_ahead_s: float
    zone_file: str
    docker_url: str
    docker_sockets: tuple[str, ...]
    docker_program: str
    docker_start: tuple[str, ...]
    docker_answer_s: float
    docker_waste_gib: float
    docker_unused_gib: float
    zombies_stay_s: float
    descriptors_percent: float
    load_per_cpu: float
    cpu_pressure_percent: float
    io_pressure_percent: float
    tool_folders: tuple[str, ...]
    firewall_command: tuple[str, ...]
    network_tables: str
    schedule_timer: str
    schedule_hours: float
    schedule_words: tuple[str, ...]
    crontabs: tuple[str, ...]
    crontab_command: tuple[str, ...]
    launch_agents: tuple[str, ...]
    schedule_marks: str
    last_run_files: tuple[str, ...]
    systemctl: str


@dataclass(frozen=True)
class WatchedHost:
    """A host, which is always there; paths are resolved.

    Args:
        folders: places whose file systems are looked at when no system tells of its own.
        launch_agents: folders of launchd's property lists.
        schedule_marks: the folder of what scheduled runs leave, "" for the checks' own.
        last_run_files: files that a run of the checks leaves behind.
    """

    settings: Settings
    uses: Uses
    home: str
    folders: tuple[str, ...]
    docker_sockets: tuple[str, ...]
    tool_folders: tuple[str, ...]
    launch_agents: tuple[str, ...]
    schedule_marks: str
    last_run_files: tuple[str, ...]


def find(settings: Settings, host: Host) -> WatchedHost:
    """Return the host with its paths resolved; it is never absent."""
    home = under_home(settings.home, "~")

    def placed(paths: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(under_home(settings.home, path) for path in paths)

    marks = settings.schedule_marks
    reports = Path(__file__).resolve().parents[2] / "reports" / "health.json"
    return WatchedHost(
        settings=settings,
        uses=Uses(
            folders=placed(settings.watch_folders),
            ports=tuple(settings.watch_ports),
            names=settings.watch_names,
            tools=settings.watch_tools,
            programs=settings.watch_programs,
            docker=settings.watch_docker,
            backups=placed(settings.watch_backups),
            roots=(),
        ),
        home=home,
        folders=(home, "/"),
        docker_sockets=placed(settings.docker_sockets),
        tool_folders=placed(settings.tool_folders),
        launch_agents=placed(settings.launch_agents),
        schedule_marks="".join(placed((marks,) if marks else ())),
        last_run_files=placed(settings.last_run_files) or (str(reports),),
    )


def every(field: str, system: WatchedHost, watched: tuple[Uses, ...]) -> tuple[str, ...]:
    """Return what the host and the present systems use of one kind, each once, in their order.

    Args:
        field: folders, names, tools, programs or backups.
    """
    found: list[str] = []
    for uses in (system.uses, *watched):
        found += getattr(uses, field)
    return tuple(name for name in dict.fromkeys(found) if name)
