"""Containers, images and volumes in typed rows, as the Docker engine tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.endpoints.container_settings import ContainerSettings, container_settings


@dataclass(frozen=True)
class Mount:
    """A container's mount: kind "bind", "volume" or "tmpfs"; `name` of a volume, else ""."""

    kind: str
    name: str
    source: str
    target: str
    writable: bool


@dataclass(frozen=True)
class Container:
    """A container, running or not.

    Attributes:
        name: without the leading slash.
        image: as it was asked for, tag and all.
        state: "running", "exited", "created", "paused", "restarting", "removing" or "dead".
        status: in words, such as "Up 3 minutes (healthy)".
        exit_code: of its last run.
        oom_killed: whether the kernel ended it for its memory limit.
        restarts: how often the engine started it again.
        started, finished: RFC 3339, "" when it never did.
        memory_limit: bytes, 0 for none.
        nano_cpus: billionths of a processor, 0 for no limit, whichever option set it.
        labels: pairs, sorted.
        pids_limit: processes, 0 for no limit.
        created: RFC 3339.
        health: "healthy", "unhealthy" or "starting"; "" where nothing checks it.
        failing_streak: how many checks of its health failed in a row.
        image_id: of the image that it was made of, whatever has its name now.
        settings: what it was made with.
    """

    id: str
    name: str
    image: str
    state: str
    status: str
    exit_code: int
    oom_killed: bool
    restarts: int
    started: str
    finished: str
    memory_limit: int
    nano_cpus: int
    auto_remove: bool
    mounts: tuple[Mount, ...]
    labels: tuple[tuple[str, str], ...]
    networks: tuple[str, ...]
    pids_limit: int
    created: str
    health: str
    failing_streak: int
    image_id: str
    settings: ContainerSettings


@dataclass(frozen=True)
class Stats:
    """What a running container takes just now.

    Attributes:
        memory_used: bytes as `docker stats` counts them, without the cache of files not in use.
        memory_limit: bytes; the whole machine's where the container has none.
        cpu_ns: nanoseconds of processors that it used since its start.
        periods: scheduling periods in which it wanted a processor, since its start.
        throttled: those of them in which it had to wait, as its share was used up.
        pids: its processes and threads.
    """

    memory_used: int
    memory_limit: int
    cpu_ns: int
    periods: int
    throttled: int
    pids: int

    def memory_percent(self, limit: int) -> float:
        """Return how much is taken of a container's own limit, or of the machine below that."""
        tightest = min(limit, self.memory_limit or limit)
        return round(100 * self.memory_used / tightest, 1) if tightest else 0.0


@dataclass(frozen=True)
class Image:
    """An image: its tags (none for a dangling one), size in bytes, and creation (seconds)."""

    id: str
    tags: tuple[str, ...]
    size: int
    created: float


@dataclass(frozen=True)
class Volume:
    """A named volume; one with options of its driver has files in its folder while it is in use."""

    name: str
    driver: str
    folder: str
    labels: tuple[tuple[str, str], ...]
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Share:
    """Bytes on disk, and how many of them a prune gives back."""

    size: int
    reclaimable: int


@dataclass(frozen=True)
class Usage:
    """What the engine holds on disk, as `docker system df` counts it."""

    images: Share
    containers: Share
    volumes: Share
    build_cache: Share


def _pairs(labels: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((labels or {}).items()))


def image(row: Mapping[str, Any]) -> Image:
    """Read a row of the engine's list of images."""
    return Image(
        id=row["Id"],
        tags=tuple(tag for tag in row.get("RepoTags") or () if tag != "<none>:<none>"),
        size=row.get("Size", 0),
        created=float(row.get("Created", 0)),
    )


def volume(row: Mapping[str, Any]) -> Volume:
    """Read a row of the engine's list of volumes."""
    pairs = (_pairs(row.get("Labels")), _pairs(row.get("Options")))
    return Volume(row["Name"], row["Driver"], row["Mountpoint"], *pairs)


def untagged(image: str) -> str:
    """Return an image's name without its tag and digest, with its registry where it names one."""
    name = image.partition("@")[0]
    return name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name


def container(row: Mapping[str, Any], told: Mapping[str, Any]) -> Container:
    """Read a container from its row in the engine's list and from what an inspection tells."""
    state, limits = told["State"], told["HostConfig"]
    mounts = (
        Mount(
            kind=one.get("Type", ""),
            name=one.get("Name", ""),
            source=one.get("Source", ""),
            target=one.get("Destination", ""),
            writable=bool(one.get("RW")),
        )
        for one in told.get("Mounts") or ()
    )
    return Container(
        id=told["Id"],
        name=told["Name"].lstrip("/"),
        image=told["Config"]["Image"],
        state=state["Status"],
        status=row.get("Status", ""),
        exit_code=state.get("ExitCode", 0),
        oom_killed=bool(state.get("OOMKilled")),
        restarts=told.get("RestartCount", 0),
        started=_moment(state.get("StartedAt")),
        finished=_moment(state.get("FinishedAt")),
        memory_limit=limits.get("Memory") or 0,
        nano_cpus=_nano_cpus(limits),
        auto_remove=bool(limits.get("AutoRemove")),
        mounts=tuple(mounts),
        labels=_pairs(told["Config"].get("Labels")),
        networks=tuple(sorted((told.get("NetworkSettings") or {}).get("Networks") or {})),
        pids_limit=max(0, limits.get("PidsLimit") or 0),
        created=_moment(told.get("Created")),
        health=_health(state).get("Status", ""),
        failing_streak=_health(state).get("FailingStreak", 0),
        image_id=told.get("Image") or "",
        settings=container_settings(told),
    )


def _nano_cpus(limits: Mapping[str, Any]) -> int:
    """Return the limit that --cpus or --cpu-quota set."""
    quota = limits.get("CpuQuota") or 0
    if quota > 0:
        return int(quota * 1_000_000_000 // (limits.get("CpuPeriod") or 100_000))
    return int(limits.get("NanoCpus") or 0)


def _health(state: Mapping[str, Any]) -> Mapping[str, Any]:
    told = state.get("Health") or {}
    # "none" is the engine's word for a check that was switched off.
    return {} if told.get("Status") == "none" else told


def stats(told: Mapping[str, Any]) -> Stats:
    """Read what the engine measures of a running container, with either kind of cgroups."""
    memory = told.get("memory_stats") or {}
    counted, used = memory.get("stats") or {}, memory.get("usage") or 0
    # Version 1 of cgroups calls it the first, version 2 the second.
    cache = counted.get("total_inactive_file", counted.get("inactive_file", 0))
    processors = told.get("cpu_stats") or {}
    throttling = processors.get("throttling_data") or {}
    return Stats(
        memory_used=used - cache if cache < used else used,
        memory_limit=memory.get("limit") or 0,
        cpu_ns=(processors.get("cpu_usage") or {}).get("total_usage") or 0,
        periods=throttling.get("periods") or 0,
        throttled=throttling.get("throttled_periods") or 0,
        pids=(told.get("pids_stats") or {}).get("current") or 0,
    )


def _moment(text: str | None) -> str:
    """Return the engine's time; its year 1 means never."""
    return "" if not text or text.startswith("0001-") else text


def usage(told: Mapping[str, Any]) -> Usage:
    """Read the engine's account of its disk space."""
    images = told.get("Images") or ()
    containers = told.get("Containers") or ()
    volumes = [one.get("UsageData") or {} for one in told.get("Volumes") or ()]
    cache = told.get("BuildCache") or ()
    used = sum(
        one["Size"] - max(0, one.get("SharedSize", 0)) for one in images if one["Containers"]
    )
    whole = told.get("LayersSize") or 0
    return Usage(
        images=Share(whole, max(0, whole - used)),
        containers=Share(
            sum(one.get("SizeRw", 0) for one in containers),
            sum(one.get("SizeRw", 0) for one in containers if one.get("State") != "running"),
        ),
        volumes=Share(
            sum(max(0, one.get("Size", 0)) for one in volumes),
            sum(max(0, one.get("Size", 0)) for one in volumes if not one.get("RefCount")),
        ),
        build_cache=Share(
            sum(one.get("Size", 0) for one in cache),
            sum(one.get("Size", 0) for one in cache if not one.get("InUse")),
        ),
    )
