"""Which people of a host may read a file or use a socket, by its mode bits and their groups.

Standard library only, and no import from this project: a far host's python3 runs this source.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from typing import Any

_FIRST, _LAST = 1000, 59_999  # numbers of people's accounts, as login.defs has them
_NO_LOGIN = ("nologin", "false", "sync")


def people() -> list[tuple[str, int, int]]:
    """Return (name, uid, gid) of the accounts that somebody may log in to, root left out."""
    return [
        (row.pw_name, row.pw_uid, row.pw_gid)
        for row in pwd.getpwall()
        if _FIRST <= row.pw_uid <= _LAST and not row.pw_shell.endswith(_NO_LOGIN)
    ]


def readers(path: str) -> dict[str, Any]:
    """Tell who may read what stands at a path, links followed; root may always.

    The folders above are not looked at. `people` are names; `everyone` whether others' bits let
    anybody in; `group` is the name of the group whose bits do, "" where they do not.
    """
    seen = os.stat(path)
    everyone = bool(seen.st_mode & stat.S_IROTH)
    shared = bool(seen.st_mode & stat.S_IRGRP)
    members, group = _members(seen.st_gid) if shared else (set(), "")
    allowed = [
        name
        for name, uid, gid in people()
        if everyone or uid == seen.st_uid or name in members or (shared and gid == seen.st_gid)
    ]
    return {"people": sorted(allowed), "everyone": everyone, "group": group}


def _members(gid: int) -> tuple[set[str], str]:
    try:
        row = grp.getgrgid(gid)
    except KeyError:
        return set(), str(gid)
    return set(row.gr_mem), row.gr_name


def groups(uid: int, gid: int) -> list[int]:
    """Return the numbers of the groups that a user is in; `gid` where nothing is known of it."""
    try:
        row = pwd.getpwuid(uid)
        return os.getgrouplist(row.pw_name, row.pw_gid)
    except (KeyError, OSError):
        return [gid]
