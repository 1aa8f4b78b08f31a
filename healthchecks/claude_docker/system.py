"""Where Claude Code and its Docker kit live on a host.

Two layouts stand on real hosts, alone or together: Claude Code's own (CLAUDE_CONFIG_DIR, or
~/.claude and ~/.claude.json), and the kit of the guide (staging, backups, event logs, launcher).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from plugins.eyes import files
from plugins.hosts import Host
from plugins.outcomes import Absent
from plugins.queries import Query
from plugins.systems import UnderHome, Uses

# What stands behind the name of a log that was rotated, in the order of trying.
ROTATIONS = range(1, 10)


@dataclass(frozen=True)
class Settings(UnderHome):
    """The keys of [claude_docker] in systems.toml, which says what each of them is."""

    home: str
    on: str
    enabled: str
    config_dir: str
    config_file: str
    state_dir: str
    claude: str
    security: str
    keychain_services: tuple[str, ...]
    token_variables: tuple[str, ...]
    cloud_variables: tuple[str, ...]
    managed_settings: tuple[str, ...]
    login_hours: float
    workspace: str
    shell_profiles: tuple[str, ...]
    debug_variables: tuple[str, ...]
    staging_leftovers: tuple[str, ...]
    backup_root: str
    last_backup: str
    sync_lock: str
    sync_lock_seconds: float
    sync_leaves: tuple[str, ...]
    sync_rewrites: tuple[str, ...]
    recovery_folder: str
    backup_hours: float
    backup_days: float
    backup_minutes: float
    external_backups: str
    rclone: str
    rclone_remote: str
    rclone_answer_s: float
    off_site_days: float
    drill_folder: str
    backups_gib: float
    staging_gib: float
    logs_gib: float
    log_mib: float
    log_patterns: tuple[str, ...]
    docker_url: str
    container_prefixes: tuple[str, ...]
    ended_session_hours: float
    running_session_days: float
    container_config_dirs: tuple[str, ...]
    session_memory_percent: float
    session_throttled_percent: float
    session_busy_seconds: float
    images: tuple[str, ...]
    image: str
    launcher: str
    default_launchers: tuple[str, ...]
    sync_library: str
    events_log: str
    metrics_log: str
    errors_log: str
    text_logs: tuple[str, ...]
    log_hours: float
    query_seconds: float
    cli_seconds: float
    run_mcp_servers: bool
    mcp_seconds: float
    queries: tuple[Query, ...]

    @property
    def logs(self) -> tuple[str, ...]:
        """Every log that is configured, once."""
        named = (self.events_log, self.metrics_log, self.errors_log, *self.text_logs)
        return tuple(dict.fromkeys(filter(None, named)))


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
    folders = tuple(path for path in (config_dir, state_dir) if there(path))
    return ClaudeDocker(
        settings=settings,
        home=settings.path("~"),
        config_dir=config_dir,
        config_file=config_file,
        state_dir=state_dir,
        backup_root=backup_root,
        launcher=launcher,
        kit=kit,
        uses=Uses(
            folders=folders,
            docker=bool(launcher) or state_dir in folders,
            backups=(backup_root,) if there(backup_root) else (),
            roots=_roots(settings, config_dir, config_file),
            recovery=(settings.path(settings.recovery_folder),),
        ),
    )


def _roots(settings: Settings, config_dir: str, config_file: str) -> tuple[str, ...]:
    """Return the trees and files in which a fix may write."""
    staging = _staging(settings.path(settings.state_dir), settings.path("~"))
    backup_root = settings.path(settings.backup_root)
    return (config_dir, config_file, *staging, backup_root, *_files(settings))


def _staging(state_dir: str, home: str) -> tuple[str, ...]:
    """Return the trees of staging folders: what was one once stands beside that of today.

    Where that is home itself, what stands there is left to a person.
    """
    beside = os.path.dirname(state_dir)
    return (state_dir,) if beside in {home, "/", ""} else (state_dir, beside)


def _files(settings: Settings) -> Iterator[str]:
    """Yield the lock, and the logs with the names that they may be moved to."""
    if settings.sync_lock:
        yield settings.path(settings.sync_lock)
    for path in settings.paths(settings.logs):
        yield path
        yield from (f"{path}.{number}" for number in ROTATIONS)
