"""Every file below a folder whose name ends in a certain way; no link is followed.

Standard library only; a far host's python3 runs this source.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Any

_KINDS = {
    stat.S_IFLNK: "is a symbolic link",
    stat.S_IFIFO: "is a FIFO",
    stat.S_IFSOCK: "is a socket",
    stat.S_IFDIR: "is a folder",
}
SHOWN = 1000


def below(
    top: str, ending: str, depth: int, limit: int, follow: bool = True
) -> dict[str, list[list[Any]]]:
    """Return what lies below a folder.

    Args:
        top: the folder.
        ending: such as ".jsonl"; "" for every file.
        depth: 1 for the folder's own files.
        limit: files, odd names and folders, over which E2BIG is raised.
        follow: a link that stands at `top`, as its owner may have moved it elsewhere.

    Returns:
        files: [path, size, mtime_ns, ctime_ns, device, inode, mode, uid, links] of regular files.
        odd: [path, what it is] of names that end so and are no file, and of links to folders that
            lead out of `top`: what lies there is not in `files`.
        unread: [path, errno's words] of folders that cannot be looked into.
    """
    kind = stat.S_IFMT((os.stat if follow else os.lstat)(top).st_mode)
    if kind != stat.S_IFDIR:
        words = _KINDS.get(kind, "is a file" if kind == stat.S_IFREG else "is a device")
        raise OSError(errno.EPROTOTYPE, f"{words}, no folder", top)
    found: dict[str, list[list[Any]]] = {"files": [], "odd": [], "unread": []}
    real = os.path.realpath(top)
    waiting = [(top, 1)]
    while waiting:
        where, level = waiting.pop()
        try:
            inside = os.scandir(where)
        except OSError as error:
            if where == top:
                raise
            if not isinstance(error, FileNotFoundError):
                found["unread"].append([where, error.strerror or str(error)])
            continue
        with inside:
            for one in inside:
                _sort(one, ending, real, found, waiting, level + 1 if level < depth else 0)
                if sum(map(len, found.values())) + len(waiting) > limit:
                    raise OSError(errno.E2BIG, "too many entries", top)
    found["files"].sort()
    del found["odd"][SHOWN:], found["unread"][SHOWN:]
    return found


def _sort(
    one: os.DirEntry[str],
    ending: str,
    real: str,
    found: dict[str, list[list[Any]]],
    waiting: list[tuple[str, int]],
    level: int,
) -> None:
    """Put one name where it belongs; `level` is that of what lies in it, 0 for too deep."""
    try:
        if one.is_dir(follow_symlinks=False):
            if level:
                waiting.append((one.path, level))
            else:
                found["unread"].append([one.path, "it lies too deep"])
            return
        link = one.is_symlink()
        if link and not one.name.endswith(ending or "\0") and not one.is_dir():
            return
        if link:
            aim = os.path.realpath(one.path)
            if not (aim == real or aim.startswith(real.rstrip("/") + "/")):
                found["odd"].append([one.path, "is a symbolic link that leads elsewhere"])
            return
        if not one.name.endswith(ending):
            return
        seen = one.stat(follow_symlinks=False)
    except OSError:
        return  # it went while we looked
    if stat.S_ISREG(seen.st_mode):
        found["files"].append(_row(one.path, seen))
    else:
        kind = _KINDS.get(stat.S_IFMT(seen.st_mode), "is a device")
        found["odd"].append([one.path, kind])


def _row(path: str, seen: os.stat_result) -> list[Any]:
    size, changed = seen.st_size, (seen.st_mtime_ns, seen.st_ctime_ns)
    who = (stat.S_IMODE(seen.st_mode), seen.st_uid, seen.st_nlink)
    return [path, size, *changed, seen.st_dev, seen.st_ino, *who]
