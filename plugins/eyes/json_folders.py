"""Folders of JSON files, read once in one pass; a folder in which nothing changed is not read.

Standard library only and other eyes; a far host's python3 runs this source.
No link below the top is followed, and nothing that is not a regular file is read.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from typing import Any

from plugins.eyes.folder_prints import Wanted, entries_of, folders_below, identity, kind, together
from plugins.eyes.json_values import DEEP, judged, told_of

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY
_LEFT = re.compile(r"\.json\d+\.tmp\Z")
# A file written within so many ns of the look may be written once more under the same times.
_FRESH = 2_000_000_000
_GONE = {errno.ENOENT, errno.ELOOP, errno.ENXIO, errno.EAGAIN}
_BIG = 1 << 20
SHOWN = 10_000
MOST = 2_000_000
Told = dict[str, Any]


class Ended(Exception):  # noqa: N818 - our own time is over
    """The time is over; what was read of the folder does not count."""


# Ids and states, as nearly every text is that is told.
_PLAIN = re.compile(r"(?:ses|msg|chk)_[0-9A-Za-z]{1,80}|[a-z]{1,12}").fullmatch


class Pass:
    """What one pass over the folders of a top has met so far."""

    def __init__(self, prints: dict[str, str], seconds: float, limit: int) -> None:
        self.known = prints
        self.limit = limit
        self.ends = time.monotonic() + seconds
        self.now = time.time_ns()
        self.seen = 0
        self.rows = 0
        self.found: Told = {"prints": {}, "told": {}, "odd": [], "denied": []}
        self.found |= {"unsure": [], "moving": [], "read": 0, "late": 0}

    def take(self, folder: str, opened: int, wanted: Wanted) -> None:
        """Look at one open folder; read what is in it unless all of it is as it was."""
        if time.monotonic() > self.ends:
            self.found["late"] += 1
            return
        entries, numbers, print_ = entries_of(opened)
        self.seen += len(entries)
        if self.seen > MOST:
            raise OSError(errno.E2BIG, "too many entries", folder)
        if self.known.get(folder) == print_:
            self.found["prints"][folder] = print_
            return
        moved, before = len(self.found["moving"]), self.rows
        try:
            told = self._read(folder, opened, entries, wanted)
        except Ended:
            self.found["late"] += 1
            return
        # What may have changed since, or was not told whole, is read by the next look again.
        newest = max(numbers[2::3], default=0)
        sure = newest < self.now - _FRESH and moved == len(self.found["moving"])
        whole = self.rows == before or self.rows <= SHOWN
        self.found["prints"][folder] = print_
        self.found["unsure"] += [] if sure and whole else [folder]
        self.found["told"][folder] = told

    def _read(
        self, folder: str, opened: int, entries: list[os.DirEntry[str]], wanted: Wanted
    ) -> Told:
        _, _, shape, fields, every = wanted
        told: Told = {"files": 0, "bytes": 0, "newest": 0.0}
        for number, entry in enumerate(entries):
            name, seen = entry.name, entry.stat(follow_symlinks=False)
            if not number & 255 and time.monotonic() > self.ends:
                raise Ended
            if not name.endswith(".json"):
                self._beside(name, seen, told)
                continue
            told["files"] += 1
            told["bytes"] += seen.st_size
            told["newest"] = max(told["newest"], seen.st_mtime)
            if seen.st_size > _BIG:
                told.setdefault("big", []).append([name, seen.st_size])
            content = self._content(folder, name, opened, seen, told)
            if content is None:
                continue
            value, why, encoding = judged(content, shape)
            if why:
                # The program may read what is too deep for us.
                kept = "recoded" if encoding else "unjudged" if why == DEEP else "broken"
                self._add(told, kept, name, why, seen, encoding)
            elif fields:
                _tell(told, name, seen, value, fields, every)
        self.found["read"] += told["files"]
        return told

    def _add(
        self, told: Told, kept: str, name: str, why: str, seen: os.stat_result, *more: object
    ) -> None:
        """Add an offender; over all folders only so many are named, and all are counted."""
        self.rows += 1
        told[f"{kept}_total"] = told.get(f"{kept}_total", 0) + 1
        if self.rows <= SHOWN:
            row = [name, why, identity(seen), seen.st_mode, *more]
            told.setdefault(kept, []).append(row)

    def _beside(self, name: str, seen: os.stat_result, told: Told) -> None:
        """Tell of a name that is none of a JSON file: what a cut-off write or a merge left."""
        if _LEFT.search(name):
            why = f"{seen.st_size} bytes of a write that did not end"
            self._add(told, "left", name, why, seen, seen.st_mtime)
        elif ".json.conflict-" in name:
            self._add(told, "conflicts", name, "differs from what it stands beside", seen)

    def _content(
        self, folder: str, name: str, opened: int, seen: os.stat_result, told: Told
    ) -> bytes | None:
        """Read a file; None where it cannot be judged, which is told."""
        if not stat.S_ISREG(seen.st_mode):
            kept = "unjudged" if stat.S_ISLNK(seen.st_mode) else "broken"
            self._add(told, kept, name, kind(seen.st_mode), seen, "")
            return None
        if seen.st_size > self.limit:
            why = f"is larger than our limit of {self.limit >> 20} MiB"
            self._add(told, "unjudged", name, why, seen)
            return None
        try:
            descriptor = os.open(name, _FLAGS, dir_fd=opened)
            try:
                content = os.read(descriptor, seen.st_size + 1)
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno in _GONE:
                self.found["moving"].append(f"{folder}/{name}")
            elif error.errno in (errno.EACCES, errno.EPERM):
                self._add(told, "unjudged", name, "may not be read by us", seen)
            else:
                self._add(told, "broken", name, f"cannot be read: {error.strerror}", seen, "")
            return None
        if len(content) != seen.st_size:
            self.found["moving"].append(f"{folder}/{name}")
            return None
        return content


def survey(
    top: str, wanted: list[Wanted], prints: dict[str, str], seconds: float, limit: int
) -> Told:
    """Read the JSON files in some folders below a top; 50,000 of them take about a second.

    Args:
        top: a folder; a link that names it is followed.
        wanted: [folder below the top, whether the files stand in folders of it, what each file
            holds ("object", "list" or "any"), fields to tell, whether those of every file are told
            or only those of a file whose first field is not its name].
        prints: of the folders, as an earlier call told them: what is so still is not read.
        seconds: wall time; folders that it does not suffice for are "late".
        limit: bytes over which a file is not read.

    Returns:
        prints: of each folder; unsure: those that a later look must read again;
        print: of all of them together;
        told: of each folder that was read: files, bytes, newest (the time of its last change); rows
            of what was wanted; odd: texts in them that are no ids; broken, recoded, unjudged, left,
            conflicts, of each [name, why, identity, mode] and its NAME_total, for recoded with the
            encoding in which it is well, for left with the time of its last change; big [name,
            bytes];
        odd, denied: [folder, what it is] and [folder, why] of what stands in a folder's place;
        moving: files that changed while they were read; read: files; late: folders; now: seconds.
    """
    work = Pass(prints, seconds, limit)
    for one in wanted:
        for folder, opened in folders_below(top, one[0], one[1], work.found):
            work.take(folder, opened, one)
    return {**work.found, "print": together(work.found["prints"]), "now": work.now / 1e9}


def _tell(
    told: Told, name: str, seen: os.stat_result, value: Any, fields: list[str], every: bool
) -> None:
    """Add the row of a file: its name without the ending, then its fields, or its entries."""
    stem = name[:-5]
    if isinstance(value, list):
        entries = [told_of(one, "") for one in value]
        told.setdefault("rows", []).append([stem, entries, identity(seen), seen.st_mode])
    elif every or value.get(fields[0]) != stem:
        entries = [told_of(value, one) for one in fields]
        told.setdefault("rows", []).append([stem, *entries])
    else:
        return
    odd = [one for one in entries if type(one) is str and not _PLAIN(one)]
    if odd:
        told.setdefault("odd", []).extend(odd)
