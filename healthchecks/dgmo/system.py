"""Where DGMO lives on a host: its session stores, its configuration, its Qdrant.

Four roots stand on real hosts, by the program's age; a store is one project below one of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from urllib.parse import urlsplit

from plugins.eyes import files, reading
from plugins.hosts import Host
from plugins.outcomes import Absent
from plugins.systems import UnderHome, Uses

_MOST = 10_000  # projects


@dataclass(frozen=True)
class Settings(UnderHome):
    """The keys of [dgmo] in systems.toml, which says what each of them is."""

    home: str
    on: str
    enabled: str
    # the session store
    data_home: str
    stores: tuple[str, ...]
    stuck_hours: float
    load_sessions: int
    load_seconds: float
    file_mib: float
    # configuration, programs and backups
    config_home: str
    project_folders: tuple[str, ...]
    session_backups: tuple[str, ...]
    backup_hours: float
    backup_lock: str
    temporary_folders: tuple[str, ...]
    temporary_hours: float
    programs: tuple[str, ...]
    large_store_mib: float
    shell_profiles: tuple[str, ...]
    server_port: int
    run_mcp_servers: bool
    mcp_seconds: float
    # Qdrant
    qdrant_url: str
    usual_qdrant_url: str
    qdrant_key_env: str
    qdrant_api_key: str = field(repr=False)
    qdrant_container: str
    qdrant_unit: str
    systemctl: str
    qdrant_exposed_on_purpose: bool
    yellow_minutes: float
    memories_fall_hours: float
    collection: str
    vector_name: str
    vector_size: int
    vector_distance: str
    qdrant_answer_s: float
    query_ms: float
    qdrant_snapshots: tuple[str, ...]
    snapshot_hours: float
    docker_url: str
    # logs
    log_files: tuple[str, ...]
    log_hours: float


@dataclass(frozen=True)
class Store:
    """One project's store.

    Args:
        kind: "unified" (below dgmo/project), "project" (a folder of its own there), "opencode"
            (below opencode/project) or "workspace" (the guide's, below workspaceStorage).
        root: its folder, which holds `storage`.
    """

    kind: str
    root: str

    @property
    def name(self) -> str:
        """The name of its project, or of its workspace."""
        above = os.path.dirname(self.root) if self.kind == "workspace" else self.root
        return os.path.basename(above)

    @property
    def storage(self) -> str:
        """The folder of its JSON trees."""
        return os.path.join(self.root, "storage")

    @property
    def sessions(self) -> str:
        """The folder that holds info, message, sub-sessions and sub-session-index."""
        return os.path.join(self.storage, "session")


@dataclass(frozen=True)
class Dgmo:
    """What was found: absolute paths, there or not.

    Args:
        settings: the keys in force, with the limits that the checks judge by.
        home: the home folder.
        stores: every store, those that the newest program reads first.
        places: the folders that stores stand below, in the order of looking.
        unreadable: (folder, why) of those of them that may not be looked into.
        data_path: what OPENCODE_DATA_PATH says here, which no program reads.
        config_files: configuration files that the program reads, there or not; that of the user
            is the first.
        temporary: what is there of the temporary folders.
        log_folder: where the program writes its logs.
        uses: what it uses of its host.
    """

    settings: Settings
    home: str
    stores: tuple[Store, ...]
    places: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]
    data_path: str
    config_files: tuple[str, ...]
    temporary: tuple[str, ...]
    log_folder: str
    uses: Uses

    @property
    def in_use(self) -> tuple[Store, ...]:
        """The stores of the newest kind that is here: older programs alone read the others."""
        return tuple(one for one in self.stores if one.kind == self.stores[0].kind)


def find(settings: Settings, host: Host) -> Dgmo:
    """Look for DGMO.

    Raises:
        Absent: neither a store nor a configuration of it stands here.
    """
    data = settings.path(settings.data_home or _moved("XDG_DATA_HOME", host) or "~/.local/share")
    configuration = settings.path(
        settings.config_home or _moved("XDG_CONFIG_HOME", host) or "~/.config"
    )
    look = _Look(host)
    stores = tuple(_stores(settings, data, look))
    config_files = tuple(_config_files(settings, configuration))
    signs = (os.path.join(data, "dgmo"), os.path.join(configuration, "dgmo"))
    # A forbidden folder of OpenCode's own says nothing of DGMO.
    seen = bool(stores) or any(host.call(files.look, path) is not None for path in signs)
    places = settings.paths(settings.stores) or _places(data)
    if not seen and settings.enabled != "yes":
        raise Absent("DGMO", (*signs, *places))
    backups = settings.paths(settings.session_backups)
    temporary = tuple(_temporary(settings, _Look(host)))
    lock = settings.path(settings.backup_lock)
    own = (*(one.root for one in stores), *signs, *settings.paths(settings.project_folders))
    names, ports = _reached(settings.qdrant_url)
    return Dgmo(
        settings=settings,
        home=settings.path("~"),
        stores=stores,
        places=places,
        unreadable=tuple(look.unreadable),
        data_path=settings.path(_moved("OPENCODE_DATA_PATH", host)),
        config_files=config_files,
        temporary=temporary,
        log_folder=os.path.join(data, "dgmo", "log"),
        uses=Uses(
            folders=tuple(one.root for one in stores),
            names=names,
            ports=ports,
            backups=backups,
            roots=(*own, *temporary, *_written(settings, config_files[0], host), lock),
        ),
    )


def _reached(url: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Give the name of another host that a URL leads to, or the port of this one."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return (), ()  # that it is none is told by who asks there
    if name in {"", "localhost", "::1"} or name.startswith("127."):
        return (), (port,) if port else ()
    return (name,), ()


def _moved(variable: str, host: Host) -> str:
    """Give what our own environment says of a base folder; it says nothing of another host's."""
    return os.environ.get(variable, "") if host.is_local else ""


def _places(data: str) -> tuple[str, ...]:
    """Give the folders below which stores stand, in the order of looking."""
    return (
        os.path.join(data, "dgmo", "project"),
        os.path.join(data, "opencode", "project"),
        os.path.join(data, "opencode", "User", "workspaceStorage"),
    )


class _Look:
    """Looks into folders, and notes those that may not be looked into.

    Args:
        host: where they are.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self.unreadable: list[tuple[str, str]] = []

    def names(self, folder: str) -> list[str]:
        """Give the names in a folder, sorted; none where it is not there or may not be read."""
        try:
            return sorted(self.host.call(files.names_in, folder, _MOST))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.unreadable.append((folder, error.strerror or str(error)))
            return []

    def is_folder(self, path: str) -> bool:
        """Tell whether a folder stands there, or a link to one."""
        return self.host.call(reading.folders, [path]) == ["folder"]


def _stores(settings: Settings, data: str, look: _Look) -> Iterator[Store]:
    """Yield every store, those that newer programs read first."""
    if settings.stores:
        for path in settings.paths(settings.stores):
            if look.is_folder(path):
                yield Store("project", path)
        return
    dgmo, opencode, workspace = _places(data)
    for name in sorted(look.names(dgmo), key=lambda name: (name != "unified", name)):
        root = os.path.join(dgmo, name)
        if look.is_folder(root):
            yield Store("unified" if name == "unified" else "project", root)
    for name in look.names(opencode):
        store = Store("opencode", os.path.join(opencode, name))
        # OpenCode itself has such folders too; sub-sessions are DGMO's own.
        if {"sub-sessions", "sub-session-index"} & set(look.names(store.sessions)):
            yield store
    for name in look.names(workspace):
        root = os.path.join(workspace, name, "dgmo")
        if look.is_folder(root):
            yield Store("workspace", root)


def _written(settings: Settings, config_file: str, host: Host) -> Iterator[str]:
    """Yield the folders of backups and snapshots, and what must be made before they stand."""
    backups = settings.paths(settings.session_backups)
    snapshots = settings.paths(settings.qdrant_snapshots)
    yield from (*backups, *snapshots)
    for path in (*backups[:1], *snapshots[:1], config_file):
        yield _not_there(path, host)


def _not_there(path: str, host: Host) -> str:
    """Give the outermost folder that must be made before something stands at a path."""
    above = os.path.dirname(path)
    while host.call(files.look, above) is None:
        path, above = above, os.path.dirname(above)
    return path


def _temporary(settings: Settings, look: _Look) -> Iterator[str]:
    """Yield what is called as the temporary folders are."""
    for pattern in settings.paths(settings.temporary_folders):
        folder, name = os.path.split(pattern)
        yield from (os.path.join(folder, one) for one in look.names(folder) if fnmatch(one, name))


def _config_files(settings: Settings, configuration: str) -> Iterator[str]:
    """Yield the files that the program reads its configuration from, there or not."""
    yield os.path.join(configuration, "dgmo", "config.json")
    for folder in settings.paths(settings.project_folders):
        yield from (os.path.join(folder, name) for name in ("dgmo.jsonc", "dgmo.json"))
