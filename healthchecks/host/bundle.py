"""What the guides gather of the machine: versions, disk, memory, processes, containers, images."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.host.probes_docker import engine_url
from healthchecks.host.system import WatchedHost, every
from plugins import CannotTell
from plugins.bundle.collecting import File, Text, collect, table
from plugins.endpoints.docker import Docker
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.processes import Processes
from plugins.hosts import Host
from plugins.systems import Uses

_MIB = 1 << 20
_MOST = 3000
_GUIDES = ("dgmo", "qdrant", "node")  # whose command lines the guides ask for


@collect()
def machine(system: WatchedHost) -> Iterator[File]:
    """The machine's kernel, distribution, memory and mounts."""
    proc = system.settings.proc
    yield File("kernel.txt", f"{proc}/version")
    yield File("distribution.txt", "/etc/os-release", follow=True)
    yield File("memory.txt", f"{proc}/meminfo")
    yield File("load.txt", f"{proc}/loadavg")
    yield File("mounts.txt", f"{proc}/self/mounts")


@collect()
def disk(system: WatchedHost, watched: tuple[Uses, ...], filesystem: Filesystem) -> Iterator[Text]:
    """How full the file systems are that hold something watched."""
    rows: dict[str, tuple[object, ...]] = {}
    for path in (*every("folders", system, watched), system.home, "/"):
        try:
            room = filesystem.room(path)
        except CannotTell as why:
            rows[path] = (path, why)
            continue
        used, inodes = round(room.used_percent, 1), round(room.inodes_used_percent, 1)
        sizes = (room.free // _MIB, room.total // _MIB)
        rows[room.mount] = (room.mount, used, *sizes, inodes, room.kind)
    head = ("mount", "used %", "free MiB", "total MiB", "inodes used %", "kind")
    yield Text("disk.txt", "df", table([head, *rows.values()]))


@collect()
def running(system: WatchedHost, watched: tuple[Uses, ...], processes: Processes) -> Iterator[Text]:
    """The processes; whole commands of what is watched alone, as others may be private."""
    ours = processes.by_program((*every("programs", system, watched), *_GUIDES))
    known = {one.pid for one in ours}
    head = ("pid", "parent", "owner", "state", "MiB", "CPU s", "started", "command")
    rows = [
        (p.pid, p.ppid, p.owner, p.state, p.rss // _MIB, p.cpu_seconds, int(p.started), *words)
        for p in processes.all()
        if (words := p.argv if p.pid in known else (p.exe or p.name,)) and (p.argv or p.zombie)
    ]
    more = [(f"and {len(rows) - _MOST} more",)] if len(rows) > _MOST else []
    yield Text("processes.txt", "ps", table([head, *rows[:_MOST], *more]))


@collect(deadline=25.0)
def engine(system: WatchedHost, watched: tuple[Uses, ...], commands: Host) -> Iterator[Text]:
    """The Docker engine: its version, containers, images and what it holds on disk."""
    docker, wait = Docker(commands, engine_url(system, watched, commands)), 6.0
    yield Text("docker-version.txt", "docker version", docker.version() + "\n")
    head = ("name", "image", "state", "status", "restarts", "exit code", "OOM killed", "created")
    rows = [
        (c.name, c.image, c.state, c.status, c.restarts, c.exit_code, c.oom_killed, c.created)
        for c in docker.containers(deadline=wait)
    ]
    yield Text("containers.txt", "docker ps -a", table([head, *rows]))
    listed = docker.images(deadline=wait)
    images = [(i.id, i.size // _MIB, *(i.tags or ("<none>",))) for i in listed]
    yield Text("images.txt", "docker images", table([("id", "MiB", "tags"), *images]))
    usage = docker.usage(deadline=wait)
    kinds = ("images", "containers", "volumes", "build_cache")
    shares = [(kind, getattr(usage, kind)) for kind in kinds]
    held = [(kind, share.size // _MIB, share.reclaimable // _MIB) for kind, share in shares]
    yield Text("docker-disk.txt", "docker system df", table([("kind", "MiB", "unused"), *held]))
