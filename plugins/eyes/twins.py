"""Two trees that should hold the same: what only one of them has, and what differs by its content.

Files of one size are proven the same byte by byte, which says more than a hash of each and takes
less. A pair that was proven earlier, and whose files are the same files unwritten since, is not
read again. No link is followed but one that names a tree itself.
Standard library only; a far host's python3 runs this source.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from fnmatch import translate
from typing import Any

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK = 256 << 10
_WORKERS = 4
# A file written within so many ns of the look may be written once more under the same times.
_FRESH = 2_000_000_000
_CHANGED = "changed"
Tree = dict[str, os.stat_result]


def compare(
    one: str, other: str, leaves: list[str], known: dict[str, str], limit: int
) -> dict[str, Any]:
    """Compare the files and links of two folders.

    Args:
        one, other: the folders.
        leaves: what is passed over, as rsync writes it: `name/` for folders, `*.log` for names.
        known: pairs that were proven the same, as an earlier answer has them in `same`.
        limit: files of one tree, over which E2BIG is raised.

    Returns:
        only_one, only_other: [name, mtime_ns] of what the other tree has not.
        differ: [name, mtime_ns in one, mtime_ns in other].
        unread: [name, errno's words] of what could not be looked at or read.
        same: name -> how the two files stand there, of pairs that are proven the same.
        newest_other: mtime_ns of what was written last in the other tree, 0 for an empty one.
        read: pairs that were read this time.
        alike: pairs that hold the same; with those of `same`, ones that were just written.
        others: files of the other tree.
    """
    passed = _passed(leaves)
    unread: list[list[str]] = []
    with ThreadPoolExecutor(max_workers=2) as walking:
        first = walking.submit(_walk, one, passed, limit, unread)
        second = walking.submit(_walk, other, passed, limit, unread)
        here, there = first.result(), second.result()
    differ, same, waiting = _known(here, there, known)
    answers = _read(one, other, waiting, here, there)
    before = time.time_ns() - _FRESH
    alike = len(same) + sum(answer is True for answer in answers.values())
    for name, answer in answers.items():
        if answer is False:
            differ.append(name)
        elif answer is not True and answer != _CHANGED:
            unread.append([name, answer])
        elif answer is True and max(here[name].st_ctime_ns, there[name].st_ctime_ns) < before:
            same[name] = f"{_stands(here[name])} {_stands(there[name])}"
    # What cannot be looked into on one side is not missing there.
    dark = tuple(f"{name}/" for name, _ in unread)
    return {
        "only_one": _only(here, there, dark),
        "only_other": _only(there, here, dark),
        "differ": sorted([n, here[n].st_mtime_ns, there[n].st_mtime_ns] for n in differ),
        "unread": sorted(unread),
        "same": same,
        "newest_other": max((seen.st_mtime_ns for seen in there.values()), default=0),
        "read": len(waiting),
        "alike": alike,
        "others": len(there),
    }


def _known(
    here: Tree, there: Tree, known: dict[str, str]
) -> tuple[list[str], dict[str, str], list[str]]:
    """Return which names differ, which are known to be the same, and which must be read."""
    differ, same, waiting = [], {}, []
    for name in here.keys() & there.keys():
        mine, its = here[name], there[name]
        stands = f"{_stands(mine)} {_stands(its)}"
        if known.get(name) == stands:
            same[name] = stands
        elif mine.st_size != its.st_size or stat.S_IFMT(mine.st_mode) != stat.S_IFMT(its.st_mode):
            differ.append(name)
        else:
            waiting.append(name)
    return differ, same, waiting


def _only(tree: Tree, other: Tree, dark: tuple[str, ...]) -> list[list[Any]]:
    names = sorted(tree.keys() - other.keys())
    return [
        [name, tree[name].st_mtime_ns] for name in names if not (dark and name.startswith(dark))
    ]


def _passed(leaves: list[str]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of folders and of any names that are passed over."""
    folders = [translate(leaf.strip("/")) for leaf in leaves if leaf.endswith("/")]
    names = [translate(leaf) for leaf in leaves if not leaf.endswith("/")]
    nothing = r"(?!)"
    return re.compile("|".join(folders) or nothing), re.compile("|".join(names) or nothing)


def _stands(seen: os.stat_result) -> str:
    return f"{seen.st_dev}:{seen.st_ino}:{seen.st_size}:{seen.st_mtime_ns}:{seen.st_ctime_ns}"


def _walk(
    top: str,
    passed: tuple[re.Pattern[str], re.Pattern[str]],
    limit: int,
    unread: list[list[str]],
) -> Tree:
    """Return the regular files and links below a folder, by their names from there."""
    folders, names = passed[0].match, passed[1].match
    found: Tree = {}
    waiting = [""]
    while waiting:
        where = waiting.pop()
        try:
            inside = os.scandir(os.path.join(top, where))
        except OSError as error:
            if not where:
                raise
            if not isinstance(error, FileNotFoundError):
                unread.append([where.rstrip("/"), error.strerror or str(error)])
            continue
        with inside:
            for entry in inside:
                name = entry.name
                if names(name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if not folders(name):
                        waiting.append(f"{where}{name}/")
                    continue
                try:
                    seen = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(seen.st_mode) or stat.S_ISLNK(seen.st_mode):
                    found[where + name] = seen
        if len(found) > limit:
            raise OSError(errno.E2BIG, "too many entries", top)
    return found


def _read(one: str, other: str, names: list[str], here: Tree, there: Tree) -> dict[str, bool | str]:
    """Return for each name whether the two files hold the same, or why that is not known."""
    rooms = threading.local()
    # In the order of the disk, where that is one of inodes.
    names.sort(key=lambda name: here[name].st_ino)
    size = max(1, min(64, len(names) // _WORKERS))
    parts = [names[at : at + size] for at in range(0, len(names), size)]

    def work(part: list[str]) -> list[tuple[str, bool | str]]:
        if not hasattr(rooms, "pair"):
            rooms.pair = memoryview(bytearray(_CHUNK)), memoryview(bytearray(_CHUNK))
        done: list[tuple[str, bool | str]] = []
        for name in part:
            paths = f"{one}/{name}", f"{other}/{name}"
            try:
                done.append((name, _alike(paths, (here[name], there[name]), rooms.pair)))
            except FileNotFoundError:
                done.append((name, _CHANGED))
            except OSError as error:
                done.append((name, error.strerror or str(error)))
        return done

    with ThreadPoolExecutor(max_workers=_WORKERS) as reading:
        return dict(row for rows in reading.map(work, parts) for row in rows)


def _alike(
    paths: tuple[str, str],
    seen: tuple[os.stat_result, os.stat_result],
    rooms: tuple[memoryview, memoryview],
) -> bool | str:
    if stat.S_ISLNK(seen[0].st_mode):
        return os.readlink(paths[0]) == os.readlink(paths[1])
    first = os.open(paths[0], _FLAGS)
    try:
        second = os.open(paths[1], _FLAGS)
        try:
            same = _same(first, second, rooms)
            now = _stands(os.fstat(first)), _stands(os.fstat(second))
        finally:
            os.close(second)
    finally:
        os.close(first)
    return same if now == (_stands(seen[0]), _stands(seen[1])) else _CHANGED


def _same(first: int, second: int, rooms: tuple[memoryview, memoryview]) -> bool:
    mine, its = rooms
    while True:
        got = os.readv(first, [mine])
        other = os.readv(second, [its])
        if mine[:got] != its[:other]:
            return False
        if not got:
            return True
