"""Where the conversations of Claude Code and their copies live on a host."""

from __future__ import annotations

from dataclasses import dataclass

from plugins.eyes import files
from plugins.hosts import Host
from plugins.outcomes import Absent
from plugins.systems import Uses, under_home


@dataclass(frozen=True)
class Settings:
    """The keys of [crash_protection] in systems.toml, which says what each of them is."""

    home: str
    on: str
    enabled: str
    folder: str
    origins: tuple[str, ...]
    volume: str
    volume_folder: str
    docker_url: str
    interval: float

    def path(self, path: str) -> str:
        """Give a path of the settings as an absolute one; "" stays ""."""
        return under_home(self.home, path) if path else ""

    def paths(self, paths: tuple[str, ...]) -> tuple[str, ...]:
        """Give paths of the settings as absolute ones."""
        return tuple(self.path(path) for path in paths)


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
    """Look for the folder of copies; with `enabled` yes, for conversations to protect as well.

    Raises:
        Absent: nothing of it stands here.
    """

    def there(path: str) -> bool:
        return bool(path) and host.call(files.look, path) is not None

    folder, origins = settings.path(settings.folder), settings.paths(settings.origins)
    volume = settings.path(settings.volume_folder)
    wanted = settings.enabled == "yes" and any(map(there, (*origins, volume)))
    if not there(folder) and not there(volume) and not wanted:
        raise Absent("crash protection", (folder,))
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
            folders=tuple(filter(there, (folder, *origins))), roots=(folder,), recovery=origins
        ),
    )
