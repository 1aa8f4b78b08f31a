"""Everything that holds a conversation, wherever it stands: origins, copies and exports."""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from healthchecks.crash_protection.keys import ENDING, stamped
from healthchecks.crash_protection.places import Survey, survey
from healthchecks.crash_protection.summaries import summaries
from healthchecks.crash_protection.system import CrashProtection
from plugins.endpoints.filesystem import Filesystem, Sighting
from plugins.hosts import Host
from plugins.journal import private_folder
from plugins.outcomes import CannotTell, NotThere
from plugins.redaction import redact
from plugins.text import printable

EXPORT = "Claude_Emergency_Export_"
ORIGINS = ("volume", "host")
_ORDER = (*ORIGINS, "realtime", "conversations", "crash-recovery", "named-conversations", "exports")
_AT_ONCE = 200  # files of one question
_KEPT_EACH = 10.0  # seconds after which what was read is written down


@dataclass(frozen=True, slots=True)
class Standing:
    """A file that holds a conversation.

    Args:
        key: the name of its copies.
        path: of the file.
        place: "volume", "host", the name of a folder of copies, or "exports".
        project: the folder that it is in at its origin, "" for copies.
        within: the folder of origin or of copies.
        sub_agent: whether it is a sub-agent's, as far as its path tells.
        size, mtime_ns: bytes, and nanoseconds since 1970.
        identity: as an entry has it.
    """

    key: str
    path: str
    place: str
    project: str
    within: str
    sub_agent: bool
    size: int
    mtime_ns: int
    identity: str


@dataclass(frozen=True)
class Everything:
    """All that stands on a host.

    Args:
        files: each once.
        looked_in: the folders that were looked in.
        unseen: what could not be looked at, a sentence each.
    """

    files: tuple[Standing, ...]
    looked_in: tuple[str, ...]
    unseen: tuple[str, ...]

    def by_key(self) -> dict[str, list[Standing]]:
        """Return the files of each conversation, origins first."""
        found: dict[str, list[Standing]] = defaultdict(list)
        for one in self.files:
            found[one.key].append(one)
        for files in found.values():
            files.sort(key=lambda one: (_ORDER.index(one.place), -one.size, one.path))
        return found


def everything(system: CrashProtection, filesystem: Filesystem, commands: Host) -> Everything:
    """Look at every place; nothing is read.

    Raises:
        CannotTell: the folder of copies cannot be looked at. Of other places that is `unseen`.
    """
    seen = survey(system, filesystem, commands)
    unseen = [str(one) for one in seen.unseen]
    inside = [one for one in seen.conversations if one.container]
    if inside:
        how = f"docker cp {inside[0].container[:12]}:{printable(inside[0].path)} ."
        unseen.append(f"{len(inside)} conversations can only be had from a container: {how}")
    files = [
        Standing(
            one.key, one.path, one.where, one.project, one.within, one.sub_agent, one.size,
            one.mtime_ns, one.identity,
        )
        for one in seen.conversations
        if not one.container
    ]  # fmt: skip
    files += _copies(seen, {one.key for one in files if one.sub_agent})
    folders = [f"{system.folder}/{place}" for place in _ORDER[2:-1]]
    for folder, place, depth in (
        (folders[-1], "named-conversations", 1),
        *((one, "exports", 3) for one in exports_of(system, filesystem)),
    ):
        try:
            below = filesystem.below(folder, ENDING, depth=depth)
        except NotThere:
            continue
        except CannotTell as why:
            unseen.append(str(why))
            continue
        files += [_elsewhere(row, place, folder) for row in below.files]
        unseen += [f"{printable(path)}: {why}" for path, why in below.unread]
    named = system.settings.volume_folder or system.settings.volume
    looked_in = (*system.origins, *((f"the volume {named}",) if named else ()), *folders)
    once = {one.path: one for one in files}
    return Everything(
        tuple(once.values()), (*looked_in, exports_folder(system, filesystem)), tuple(unseen)
    )


def _copies(seen: Survey, agents: set[str]) -> Iterator[Standing]:
    for one in seen.copies:
        agent = one.session in agents or ".agent-" in one.session
        within = os.path.dirname(one.path)
        yield Standing(
            one.session, one.path, one.place, "", within, agent, one.size, one.mtime_ns,
            one.identity,
        )  # fmt: skip


def _elsewhere(row: Sighting, place: str, folder: str) -> Standing:
    key, _ = stamped(os.path.basename(row.path))
    agent = ".agent-" in key
    return Standing(key, row.path, place, "", folder, agent, row.size, row.mtime_ns, row.identity)


def exports_folder(system: CrashProtection, filesystem: Filesystem) -> str:
    """Return the folder below which exports are made: as configured, the desktop, or home."""
    named = system.settings.path(system.settings.exports_to)
    desktop = system.settings.path("~/Desktop")
    return named or (desktop if filesystem.exists(desktop) else system.settings.path("~"))


def exports_of(system: CrashProtection, filesystem: Filesystem) -> list[str]:
    """Return the folders of exports that stand where exports are made."""
    found = []
    for folder in dict.fromkeys((exports_folder(system, filesystem), system.settings.path("~"))):
        try:
            entries = filesystem.folder(folder) if filesystem.look(folder) else ()
        except CannotTell:
            continue
        names = (one for one in entries if one.kind == "folder" and one.name.startswith(EXPORT))
        found += [one.path for one in names]
    return found


@dataclass(frozen=True)
class Summary:
    """What a file says of itself; see the eye `summaries`, whose keys these are."""

    bad: int
    cut: bool
    lines: int
    messages: int
    prompts: int
    first: str
    last: str
    opening: str
    closing: str
    title: str
    cwd: str
    session: str
    identity: str
    size: int

    @property
    def valid(self) -> bool:
        """Whether it has records, and every line but the last is one."""
        return not self.bad and self.lines > (1 if self.cut else 0)

    def ended(self, otherwise_ns: int) -> datetime:
        """Return the time of its last record; of its file, where no record tells."""
        for text in (self.last,):
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                continue
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return datetime.fromtimestamp(min(otherwise_ns / 1e9, 253402300000), UTC)


def read(
    files: Sequence[Standing], commands: Host, state: Path | None
) -> dict[str, Summary | CannotTell]:
    """Return the summary of each file by its path; what is unchanged is not read again.

    Args:
        files: of which the summaries are wanted.
        commands: of their host.
        state: the folder in which summaries are kept; None to read each file now.
    """
    kept = _kept(state) if state else {}
    found: dict[str, Summary | CannotTell] = {}
    new = []
    for one in files:
        known = kept.get(one.path)
        if known is not None and known.identity == one.identity:
            found[one.path] = known
        else:
            new.append(one)
    told_at = time.monotonic()
    for start in range(0, len(new), _AT_ONCE):
        paths = [one.path for one in new[start : start + _AT_ONCE]]
        told = commands.call(summaries, paths, deadline=600.0)
        found |= {path: _summary(path, row) for path, row in told.items()}
        last = start + _AT_ONCE >= len(new)
        if state and (last or time.monotonic() - told_at > _KEPT_EACH):
            kept |= {path: one for path, one in found.items() if isinstance(one, Summary)}
            _keep(state, kept, {one.path for one in files})
            told_at = time.monotonic()
    return found


def _summary(path: str, row: dict[str, Any]) -> Summary | CannotTell:
    if "errno" in row:
        return CannotTell(f"{printable(path)}: {row['why']}")
    # They are kept in the state folder, and what is said in them may be a secret.
    said = {key: redact(row[key]) for key in ("opening", "closing", "title")}
    return Summary(**row | said)


def _kept(state: Path) -> dict[str, Summary]:
    try:
        rows = json.loads((state / "summaries.json").read_bytes())
        return {path: Summary(**row) for path, row in rows.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _keep(state: Path, kept: dict[str, Summary], wanted: set[str]) -> None:
    """Write the summaries down; where that cannot be done they are read again next time."""
    everyone = len(kept) < 2 * len(wanted) + 20_000  # who asks for some leaves the others'
    rows = {path: vars(one) for path, one in kept.items() if everyone or path in wanted}
    try:
        file = private_folder(state) / "summaries.json"
        temporary = file.with_name(f".summaries.{os.getpid()}.tmp")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with open(os.open(temporary, flags, 0o600), "w", encoding="ascii") as out:
            json.dump(rows, out)
        temporary.replace(file)
    except OSError:
        return
