"""What in a tree others than its owner can reach.

Standard library only, and no import from this project: a far host's python3 runs this source.
"""

from __future__ import annotations

import os
import stat

_READ, _ENTER, _WRITE = 0o044, 0o011, 0o022


def reachable(top: str, limit: int) -> list[str]:
    """Give the first file that group or others can read, or what they can write; [] for none.

    The folders on the way down from `top` must let them through; no link is followed. What lies in
    a folder that we may not read ourselves is passed over. After `limit` names the rest is taken
    for what was seen so far.

    Args:
        top: a file or folder.
        limit: how many names are looked at.
    """
    waiting = [top]
    while waiting and limit > 0:
        path = waiting.pop()
        limit -= 1
        try:
            seen = os.lstat(path)
        except OSError:
            continue
        mode = seen.st_mode
        if stat.S_ISLNK(mode):
            continue
        if not stat.S_ISDIR(mode):
            if stat.S_ISREG(mode) and mode & (_READ | _WRITE):
                return [path]
            continue
        if not mode & _ENTER:
            continue
        if mode & _WRITE:
            return [path]
        try:
            waiting += [os.path.join(path, name) for name in sorted(os.listdir(path), reverse=True)]
        except OSError:
            continue
    return []
