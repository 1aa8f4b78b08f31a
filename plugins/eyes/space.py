"""How much room file systems have, and which files of a tree carry which dates.

Standard library only, and no import from this project: a far host's python3 runs this source.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from collections.abc import Iterator

# What a mount answers whose server, or disk, has gone.
_DEAD = {errno.ENOTCONN, errno.ESTALE, errno.EIO, errno.EHOSTDOWN, errno.ECONNABORTED, errno.ENXIO}
_IMAGES = {"squashfs", "iso9660", "erofs", "cramfs", "udf"}


def rooms(folders: list[str], wait: float) -> list[dict[str, object]]:
    """Give one row for each file system that holds one of the folders, in the order of the folders.

    A folder that does not exist stands for its nearest parent that does. Each folder is asked in a
    thread of its own, so that a dead mount hides only itself: after `wait` seconds its row has the
    state "silent". A row has folder, state ("answered", "silent", "denied", or "broken" with the
    reason in trouble), image (whether it is of a kind that is written once and for all), sealed
    (whether the file system itself, and not only this mount of it, is read-only), and in bytes
    total, used and free (free is what an ordinary user may still write), and files and files_free
    (0 and 0 where the file system counts no inodes).
    """
    answers: dict[str, dict[str, object]] = {}
    threads = [
        threading.Thread(target=_ask, args=(folder, answers), daemon=True) for folder in folders
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + wait
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    rows, seen = [], set()
    for folder in folders:
        row = dict(answers.get(folder) or {"folder": folder, "state": "silent"})
        device = row.pop("device", folder)
        if device not in seen:
            seen.add(device)
            rows.append(row)
    return rows


def within(paths: list[str], limit: int) -> list[str]:
    """Give at most `limit` paths, each folder among them replaced by what stands right in it."""
    found: list[str] = []
    for path in paths:
        try:
            found += [os.path.join(path, name) for name in sorted(os.listdir(path))]
        except OSError:
            found.append(path)
    return found[:limit]


def _ask(folder: str, answers: dict[str, dict[str, object]]) -> None:
    place = folder
    while True:
        try:
            device = os.stat(place).st_dev
            seen = os.statvfs(place)
            break
        except (FileNotFoundError, NotADirectoryError):
            parent = os.path.dirname(place)
            if parent in ("", place):
                return
            place = parent
        except (OSError, ValueError) as met:
            answers[folder] = {"folder": folder, "state": "denied"}
            if isinstance(met, OSError) and met.errno in _DEAD:
                trouble = os.strerror(met.errno or 0).lower()
                answers[folder] = {"folder": folder, "state": "broken", "trouble": trouble}
            return
    block = seen.f_frsize or seen.f_bsize
    kind, options = _mounted(device)
    answers[folder] = {
        "folder": folder,
        "device": device,
        "state": "answered",
        "image": kind in _IMAGES,
        "sealed": bool(options & {"ro", "emergency_ro"}) and kind not in _IMAGES,
        "total": seen.f_blocks * block,
        "used": (seen.f_blocks - seen.f_bfree) * block,
        "free": seen.f_bavail * block,
        "files": seen.f_files,
        "files_free": seen.f_ffree,
    }


def _mounted(device: int) -> tuple[str, set[str]]:
    """Give a file system's kind and its own options; a mount may add some that are not among them.

    Both are empty where Linux does not tell, or tells by another number, as of btrfs.
    """
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return "", set()
    for line in lines:
        mount, _, own = line.partition(" - ")
        words = own.split(" ")
        if mount.split(" ")[2:3] == [number] and len(words) > 2:
            return words[0], set(words[2].split(","))
    return "", set()


def dated(folders: list[str], beyond: float, limit: int) -> dict[str, object]:
    """Say what regular files under the folders are newest, and which are dated after `beyond`.

    Args:
        folders: trees to walk, never through a symbolic link below the top and never onto another
            file system; a plain file counts as a tree of one.
        beyond: a time in seconds since 1970.
        limit: how many names are looked at before the walk stops.

    Returns:
        newest: [path, mtime], or [] where there is no file; beyond: at most 50 rows like it;
        whole: False when the limit was reached or a folder could not be read.
    """
    newest, newest_change = "", float("-inf")
    late: list[list[object]] = []
    walk = _Walk(limit)
    for folder in folders:
        for path, changed in walk.files(folder):
            if changed > newest_change:
                newest, newest_change = path, changed
            if changed > beyond and len(late) < 50:
                late.append([path, changed])
    found = [newest, newest_change] if newest else []
    return {"newest": found, "beyond": late, "whole": walk.whole}


class _Walk:
    def __init__(self, limit: int) -> None:
        self.left = limit
        self.whole = True

    def files(self, root: str) -> Iterator[tuple[str, float]]:
        try:
            top = os.stat(root)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError:
            self.whole = False
            return
        if stat.S_ISREG(top.st_mode):
            yield root, top.st_mtime
        waiting = [root] if stat.S_ISDIR(top.st_mode) else []
        while waiting and self.left >= 0:
            for path, seen in self._entries(waiting.pop()):
                if stat.S_ISREG(seen.st_mode):
                    yield path, seen.st_mtime
                elif stat.S_ISDIR(seen.st_mode) and seen.st_dev == top.st_dev:
                    waiting.append(path)

    def _entries(self, folder: str) -> Iterator[tuple[str, os.stat_result]]:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self.left -= 1
                    if self.left < 0:
                        self.whole = False
                        return
                    try:
                        yield entry.path, entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue  # gone since the folder was read
        except OSError:
            self.whole = False
