"""Where the conversations of Claude Code and their copies live on a host."""

from __future__ import annotations

from dataclasses import dataclass

from healthchecks.crash_protection.engine import has_volume
from plugins.eyes import files
from plugins.hosts import Host
from plugins.outcomes import Absent
from plugins.systems import UnderHome, Uses

# Written beside the copies when some are taken out of the volume: it is missed when it is gone.
VOLUME_MARK = "volume.name"
# That, and what only the scripts leave behind that copy from the volume.
VOLUME_SIGNS = (
    VOLUME_MARK,
    "metadata",
    "README.md",
    "monitor.log",
    "monitor.pid",
    "periodic_backup.log",
    "periodic_backup.pid",
    "simple_monitor.log",
    "simple_monitor.pid",
)


@dataclass(frozen=True)
class Settings(UnderHome):
    """The keys of [crash_protection] in systems.toml, which says what each of them is."""

    home: str
    on: str
    enabled: str
    folder: str
    origins: tuple[str, ...]
    volume: str
    volume_folder: str
    volumes_folder: str
    docker_url: str
    interval: float
    crash_copies: int
    crash_spacing: float
    start_command: tuple[str, ...]
    unit_folders: tuple[str, ...]
    agent_folders: tuple[str, ...]
    cron_places: tuple[str, ...]
    crontab: str
    container_file: str
    helper_image: str
    helper_image_mib: int
    starting_seconds: int
    monitor_hours: float
    monitor_hours_left: float
    log_mib: float
    log_lines_per_second: int
    log_hours: float
    residue_seconds: int
    clock_tolerance: int
    keep_days: int
    recover_days: float
    budget_mb: int
    budget_conversations: int
    budget_copies: float
    exports_to: str


@dataclass(frozen=True)
class CrashProtection:
    """What was found: absolute paths, there or not.

    Args:
        settings: the keys in force, with the limits that the checks judge by.
        folder: the folder of copies.
        realtime, crash_recovery, conversations, exports, metadata: the folders in it.
        origins: the folders of origin on the host.
        uses: what it uses of its host.
    """

    settings: Settings
    folder: str
    realtime: str
    crash_recovery: str
    conversations: str
    exports: str
    metadata: str
    origins: tuple[str, ...]
    uses: Uses


def find(settings: Settings, host: Host) -> CrashProtection:
    """Look for the folder of copies; with `enabled` yes, for conversations to protect as well,
    on the host and in the volume.

    Raises:
        Absent: nothing of it stands here.
    """

    def there(path: str) -> bool:
        return bool(path) and host.call(files.look, path) is not None

    folder, origins = settings.path(settings.folder), settings.paths(settings.origins)
    volume = settings.path(settings.volume_folder)
    wanted = settings.enabled == "yes" and any(map(there, (*origins, volume)))
    wanted = wanted or (settings.enabled == "yes" and not volume and has_volume(settings, host))
    if not there(folder) and not there(volume) and not wanted:
        more = (*origins, settings.volume) if settings.enabled == "yes" else ()
        raise Absent("crash protection", (folder, *more))
    return CrashProtection(
        settings=settings,
        folder=folder,
        realtime=f"{folder}/realtime",
        crash_recovery=f"{folder}/crash-recovery",
        conversations=f"{folder}/conversations",
        exports=f"{folder}/exports",
        metadata=f"{folder}/metadata",
        origins=origins,
        uses=Uses(
            folders=tuple(filter(there, (folder, *origins))),
            docker=bool(settings.volume and not volume)
            and any(there(f"{folder}/{name}") for name in VOLUME_SIGNS),
            roots=(folder,),
            recovery=(*origins, *((f"{volume}/projects",) if volume else ())),
        ),
    )
