"""Where Claude Code and its Docker kit live on a host.

Two layouts stand on real hosts, alone or together: Claude Code's own (CLAUDE_CONFIG_DIR, or
~/.claude and ~/.claude.json), and the kit of the guide (staging, backups, event logs, launcher).
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
    """The keys of [claude_docker] in systems.toml, which says what each of them is."""

    home: str
    on: str
    enabled: str
    config_dir: str
    config_file: str
    state_dir: str
    claude: str
    backup_root: str
    last_backup: str
    sync_lock: str
    recovery_folder: str
    docker_url: str
    container_prefixes: tuple[str, ...]
    launcher: str
    default_launchers: tuple[str, ...]
    events_log: str
    metrics_log: str
    errors_log: str
    text_logs: tuple[str, ...]

    def path(self, path: str) -> str:
        """Give a path of the settings as an absolute one; "" stays ""."""
        return under_home(self.home, path) if path else ""

    def paths(self, paths: tuple[str, ...]) -> tuple[str, ...]:
        """Give paths of the settings as absolute ones."""
        return tuple(self.path(path) for path in paths)


@dataclass(frozen=True)
class ClaudeDocker:
    """What was found: absolute paths, there or not; "" where nothing is known.

    Args:
        settings: the keys in force, with the limits that the checks judge by.
        home: the home folder.
        config_dir: Claude's folder.
        config_file: Claude's configuration file.
        state_dir: the staging folder.
        backup_root: the folder of backups.
        launcher: the launcher script, "" where there is none.
        kit: whether anything of the guide's kit stands here: staging, backups, a log, a launcher.
        uses: what it uses of its host.
    """

    settings: Settings
    home: str
    config_dir: str
    config_file: str
    state_dir: str
    backup_root: str
    launcher: str
    kit: bool
    uses: Uses


def find(settings: Settings, host: Host) -> ClaudeDocker:
    """Look for Claude Code and its kit.

    Raises:
        Absent: neither of the two layouts stands here.
    """

    def there(path: str) -> bool:
        return bool(path) and host.call(files.look, path) is not None

    moved = os.environ.get("CLAUDE_CONFIG_DIR", "") if host.is_local else ""
    config_dir = settings.path(settings.config_dir or moved or "~/.claude")
    file = settings.config_file or (os.path.join(moved, ".claude.json") if moved else "")
    config_file = settings.path(file or "~/.claude.json")
    state_dir, backup_root = settings.path(settings.state_dir), settings.path(settings.backup_root)
    launchers = settings.paths(
        (settings.launcher,) if settings.launcher else settings.default_launchers
    )
    launcher = next((path for path in launchers if there(path)), "")
    logs = settings.paths((settings.events_log, settings.metrics_log, settings.errors_log))
    kit = bool(launcher) or any(map(there, (state_dir, backup_root, *logs)))
    if not kit and not there(config_dir) and not there(config_file):
        raise Absent("Claude Code", (config_file, config_dir, state_dir, backup_root))
    home = settings.path("~")
    return ClaudeDocker(
        settings=settings,
        home=home,
        config_dir=config_dir,
        config_file=config_file,
        state_dir=state_dir,
        backup_root=backup_root,
        launcher=launcher,
        kit=kit,
        uses=Uses(
            folders=tuple(path for path in (config_dir, state_dir) if there(path)),
            docker=bool(launcher) or there(state_dir),
            backups=(backup_root,) if there(backup_root) else (),
            roots=(config_dir, config_file, state_dir, backup_root),
        ),
    )
