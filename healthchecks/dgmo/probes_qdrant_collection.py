"""What is seen of the collection of memories: its state, its size, its index, its speed."""

from __future__ import annotations

import time
from dataclasses import dataclass

from healthchecks.dgmo.memory import EXISTS, VECTORS, Remembered, remembered, vector_name
from healthchecks.dgmo.memory_entries import memory_entries
from healthchecks.dgmo.system import Dgmo
from plugins import Absent, Blocked, CannotTell, Measure, NotThere, Refused, printable, probe
from plugins.endpoints import history
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.qdrant import CollectionInfo, Qdrant
from plugins.endpoints.sockets import Sockets
from plugins.hosts import Host
from plugins.run import Run

_QUERIES = 20
_ENOUGH = 4.0  # seconds after which no further query is sent
_LOOKS = 200
_FLOAT = 4  # bytes of a number of a vector


@dataclass(frozen=True)
class Ailments:
    """What ails a collection, in words; () where it is green."""

    collection: str
    ills: tuple[str, ...]


@dataclass(frozen=True)
class Memories:
    """How many memories there are, and how many there were at most at the last looks."""

    now: int
    before: int


@dataclass(frozen=True)
class QueryTimes:
    """What queries as the memory server sends them came to.

    Args:
        refused: why they are refused, "" where they are answered.
        slowest: the 95th percentile of the times.
        queries: how many were timed.
    """

    refused: str
    slowest: Measure
    queries: int


@dataclass(frozen=True)
class IndexLag:
    """Vectors that are in no index, and of how many that is so by design."""

    behind: Measure
    vectors: int


def _info(found: Remembered, name: str) -> CollectionInfo:
    """Return what the server tells of the collection.

    Raises:
        Blocked: it is not there.
    """
    try:
        return found.server.collection(name)
    except NotThere as why:
        raise Blocked(EXISTS, str(why)) from None


@probe(deadline=40.0)
def collection_ailments(
    system: Dgmo,
    filesystem: Filesystem,
    sockets: Sockets,
    commands: Host,
    qdrant: Qdrant,
    run: Run,
) -> Ailments:
    """What ails the collection of memories."""
    found = remembered(system, filesystem, sockets, commands, qdrant)
    name = system.settings.collection
    info = _info(found, name)
    question = (commands.spec, "qdrant", found.place.url, name, "yellow")
    ills = []
    if not found.health.ready:
        ills.append("the server says that some of its shards are not ready")
    if info.optimizer:
        ills.append(f"its optimizer fails: {printable(info.optimizer, 300)}")
    minutes = _yellow(info, str(run.state / "cursors"), question)
    if info.status == "yellow" and minutes > system.settings.yellow_minutes:
        ills.append(f"yellow for {minutes:.0f} minutes: its optimizers do not come to an end")
    elif info.status not in {"green", "yellow"}:
        ills.append(f"its status is {printable(info.status, 40)}")
    return Ailments(name, tuple(ills))


def _yellow(info: CollectionInfo, folder: str, question: tuple[str, ...]) -> float:
    """Return for how many minutes it is known to be yellow; 0 when it is not, or was not before."""
    since = history.recall(folder, question).get("since")
    now = time.time()
    if info.status != "yellow":
        if since:
            history.keep(folder, question, {"since": 0})
        return 0.0
    if not since or since > now:  # or a clock that was ahead would hide it until then
        history.keep(folder, question, {"since": now})
        return 0.0
    return max(0.0, now - float(since)) / 60


@probe(deadline=40.0)
def memories(
    system: Dgmo,
    filesystem: Filesystem,
    sockets: Sockets,
    commands: Host,
    qdrant: Qdrant,
    run: Run,
) -> Memories:
    """The exact number of memories, and the greatest of those of the last looks."""
    found = remembered(system, filesystem, sockets, commands, qdrant)
    name = system.settings.collection
    try:
        count = found.server.count(name)
    except NotThere as why:
        raise Blocked(EXISTS, str(why)) from None
    folder = str(run.state / "cursors")
    question = (commands.spec, "qdrant", found.place.url, name, "count")
    now, span = time.time(), system.settings.memories_fall_hours * 3600
    rows = history.recall(folder, question).get("looks", [])
    # What the last look found held until this one, however long ago that was. Where a clock was set
    # back, others are of the future; those that found no more than there is now are of no use.
    looks = [(min(at, now), known) for at, known in rows[:-1]] + [
        (now, row[1]) for row in rows[-1:]
    ]
    more = [(at, known) for at, known in looks if now - span < at and known > count]
    history.keep(folder, question, {"looks": [*more[: _LOOKS - 1], [now, count]]})
    return Memories(count, max((known for _, known in more), default=count))


@probe(deadline=60.0, every=300.0)
def query_times(
    system: Dgmo, filesystem: Filesystem, sockets: Sockets, commands: Host, qdrant: Qdrant
) -> QueryTimes:
    """What some queries came to, each with the vector that the memory server would send."""
    found = remembered(system, filesystem, sockets, commands, qdrant)
    settings = system.settings
    info = _info(found, settings.collection)
    using = vector_name(system, memory_entries(system, filesystem, commands))
    vector = info.vector(using)
    if vector is None or vector.size != settings.vector_size:
        raise Blocked(VECTORS, "it has not the vectors that are asked for")
    limit = settings.query_ms
    times: list[float] = []
    until = time.monotonic() + _ENOUGH
    for number in range(_QUERIES):
        numbers = [1.0 + (number + at) % 7 for at in range(vector.size)]
        try:
            hits = found.server.query(settings.collection, numbers, using, limit=10)
        except (Refused, NotThere) as why:
            return QueryTimes(str(why), Measure("a query", 0.0, "ms", limit), len(times))
        times.append(hits.seconds * 1000)
        if time.monotonic() > until:
            break
    times.sort()
    slowest = round(times[-(-len(times) * 95 // 100) - 1], 1)
    return QueryTimes(
        "", Measure("a query, at the 95th percentile", slowest, "ms", limit), len(times)
    )


@probe(deadline=40.0)
def index_lag(
    system: Dgmo, filesystem: Filesystem, sockets: Sockets, commands: Host, qdrant: Qdrant
) -> IndexLag:
    """How many vectors are in no index although they should be.

    Segments under the threshold are searched without an index, by design; there may be as many of
    them as there are segments.
    """
    found = remembered(system, filesystem, sockets, commands, qdrant)
    info = _info(found, system.settings.collection)
    if info.indexed is None or info.points is None:
        raise CannotTell(f"{found.server.where} does not tell how many vectors are indexed")
    if not info.vectors or not info.indexing_threshold:
        raise Absent("an index: the collection has no dense vectors, or indexing is switched off")
    small = sum(info.indexing_threshold * 1024 // (_FLOAT * one.size) for one in info.vectors)
    allowed = small * max(1, info.segments)
    vectors = info.points * len(info.vectors)
    behind = max(0, vectors - info.indexed)
    return IndexLag(Measure("vectors in no index", behind, "", float(allowed)), vectors)
