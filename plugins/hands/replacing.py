"""Putting a file in the place of another one that has files beside it, such as a journal.

Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import errno
import os
import stat

from plugins.hands.across import duplicate
from plugins.hands.files import keep_owner, move, renamed
from plugins.hands.tree import READING, Done, at, status_of, writers


def replace(path: str, new: str, slot: str, beside: list[str], roots: list[str]) -> Done:
    """Put a copy of a file at a path; what belongs to the former one goes to the slot with it.

    The copy is whole and on the disk before anything is moved: who is killed before has changed
    nothing, and between the first move and the last rename there are moments only.

    Args:
        path: where; what stands there is kept in the slot already.
        new: the file that is copied.
        slot: the quarantine slot.
        beside: the endings of what belongs to the former one; those that stand there are moved.
        roots: folders below which may be written.

    Raises:
        OSError: it cannot be done, or a process opened the former one meanwhile; all is as it was.
    """
    moved: list[str] = []
    try:
        with (
            at(new, roots) as (here, name),
            at(path, roots) as (there, target),
            renamed(target, there) as temporary,
        ):
            former = status_of(target, there)
            duplicate(name, here, temporary, there)
            with open(os.open(temporary, READING, dir_fd=there), "rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                keep_owner(file.fileno(), there, former)
                os.fchmod(file.fileno(), mode)
            _demand_unused(path, former)
            for end in beside:
                if status_of(f"{target}{end}", there) is None:
                    continue
                if told := move(f"{path}{end}", f"{slot}{end}", roots):
                    raise OSError(errno.EEXIST, told["refused"], path)
                moved.append(end)
            _demand_unused(path, former)
    except BaseException:
        for end in moved:
            move(f"{slot}{end}", f"{path}{end}", roots)
        raise
    return {}


def _demand_unused(path: str, former: os.stat_result | None) -> None:
    holders = writers({(former.st_dev, former.st_ino)}) if former else []
    if holders:
        raise OSError(errno.EBUSY, f"process {holders[0]} opened it meanwhile", path)
