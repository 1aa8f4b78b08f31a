"""Whose the files of a tree are, and what their modes let whom do.

Standard library only, and no import from this project: a far host's python3 runs this source.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from typing import Any

_MOST = 2_000_000


def wrong(top: str, uid: int, most: int) -> dict[str, Any]:
    """Tell which files and folders their user cannot use, and which others can change.

    The user must be able to read and write files, and to look into folders and make files there;
    nobody else may write, save a group of the user alone. No link is followed or judged.

    Args:
        top: a folder; a link that names it is followed.
        uid: whose everything should be.
        most: rows that are given of each kind of fault.

    Returns:
        rows: [path, kind, mode, uid, gid, identity, fault], parents before children, of which fault
        is "owner", "closed", "open" or "program" (a file that could be executed, and no more);
        total: how many of each fault there are; unread: a folder that we may not look into, "" for
        none; fixed: whether the file system cannot be written to; gid: of the user.
    """
    seen = os.stat(top)
    told: dict[str, Any] = {"rows": [], "total": {}, "unread": "", "gid": _group_of(uid, seen)}
    told["fixed"] = bool(os.statvfs(top).f_flag & os.ST_RDONLY)
    own: dict[int, bool] = {}
    _judge(top, seen, uid, own, most, told)
    waiting, met = [top], 0
    while waiting:
        folder = waiting.pop()
        below = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    met += 1
                    _judge(entry.path, status, uid, own, most, told)
                    if stat.S_ISDIR(status.st_mode):
                        below.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError:
            told["unread"] = told["unread"] or folder
            continue
        if met > _MOST:
            raise OSError(7, "too many entries", top)
        waiting += sorted(below, reverse=True)
    return told


def _judge(
    path: str,
    seen: os.stat_result,
    uid: int,
    own: dict[int, bool],
    most: int,
    told: dict[str, Any],
) -> None:
    fault = _fault(seen, uid, own)
    if fault:
        count = told["total"].get(fault, 0) + 1
        told["total"][fault] = count
        if count <= most:
            kind = "folder" if stat.S_ISDIR(seen.st_mode) else "file"
            mode = stat.S_IMODE(seen.st_mode)
            identity = f"{seen.st_dev}:{seen.st_ino}:{seen.st_size}:{seen.st_mtime_ns}"
            told["rows"].append([path, kind, mode, seen.st_uid, seen.st_gid, identity, fault])


def _fault(seen: os.stat_result, uid: int, own: dict[int, bool]) -> str:
    mode = seen.st_mode
    folder = stat.S_ISDIR(mode)
    if not (folder or stat.S_ISREG(mode)):
        return ""
    if seen.st_uid != uid:
        return "owner"
    needed = 0o700 if folder else 0o600
    if mode & needed != needed:
        return "closed"
    if mode & 0o002 or (mode & 0o020 and not _is_own(seen.st_gid, uid, own)):
        return "open"
    return "program" if mode & 0o111 and not folder else ""


def _is_own(gid: int, uid: int, known: dict[int, bool]) -> bool:
    """Tell whether a group is the user's alone: it is called as the user is."""
    if gid not in known:
        try:
            known[gid] = grp.getgrgid(gid).gr_name == pwd.getpwuid(uid).pw_name
        except KeyError:
            known[gid] = False
    return known[gid]


def _group_of(uid: int, seen: os.stat_result) -> int:
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:
        return seen.st_gid
