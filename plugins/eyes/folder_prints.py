"""Folders below a top, opened without following a link, and prints by which a change is seen.

Standard library only; a far host's python3 runs this source.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from array import array
from collections.abc import Iterator
from typing import Any

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_KINDS = {
    stat.S_IFLNK: "is a symbolic link",
    stat.S_IFIFO: "is a FIFO",
    stat.S_IFSOCK: "is a socket",
    stat.S_IFDIR: "is a folder",
}
Wanted = list[Any]


def print_of(top: str, wanted: list[Wanted]) -> str:
    """Give the print of all folders together; it differs when anything in them changed."""
    unread: dict[str, Any] = {"odd": [], "denied": []}
    return together(
        {
            folder: entries_of(opened)[2]
            for one in wanted
            for folder, opened in folders_below(top, one[0], one[1], unread)
        }
    )


def together(prints: dict[str, str]) -> str:
    """Give one print for those of many folders."""
    rows = "".join(f"{print_}{folder}\0" for folder, print_ in sorted(prints.items()))
    return hashlib.blake2b(rows.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


def folders_below(
    top: str, below: str, nested: bool, found: dict[str, Any]
) -> Iterator[tuple[str, int]]:
    """Yield each folder with an open descriptor, which is closed when the next one is asked for."""
    try:
        opened = _opened(top, below)
    except OSError as error:
        _excuse(os.path.join(top, below), below, error, found)
        return
    try:
        if not nested:
            yield below, opened
            return
        with os.scandir(opened) as entries:
            names = [(one.name, one.is_symlink()) for one in entries if _leads(one)]
        for name, link in sorted(names):
            folder = f"{below}/{name}"
            if link:
                found["odd"].append([folder, "is a symbolic link"])
                continue
            try:
                inner = os.open(name, _FOLDER, dir_fd=opened)
            except OSError as error:
                _excuse(os.path.join(top, folder), folder, error, found)
                continue
            try:
                yield folder, inner
            finally:
                os.close(inner)
    finally:
        os.close(opened)


def _leads(entry: os.DirEntry[str]) -> bool:
    """Tell whether it is a folder or a link to one."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _opened(top: str, below: str) -> int:
    """Open a folder part by part, so that no link below the top leads elsewhere."""
    opened = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in below.split("/"):
        try:
            inner = os.open(part, _FOLDER, dir_fd=opened)
        finally:
            os.close(opened)
        opened = inner
    return opened


def _excuse(path: str, folder: str, error: OSError, found: dict[str, Any]) -> None:
    """Tell why a folder was not looked into; one that is not there is no matter."""
    if error.errno == errno.ENOENT:
        return
    if error.errno in (errno.ENOTDIR, errno.ELOOP):
        try:
            what = kind(os.lstat(path).st_mode)
        except OSError:
            what = "is behind what is no folder"
        found["odd"].append([folder, what])
        return
    found["denied"].append([folder, error.strerror or str(error)])


def entries_of(opened: int) -> tuple[list[os.DirEntry[str]], list[int], str]:
    """Give what stands in a folder, (inode, size, change in ns) of each in one row, and its print.

    The entries know their status already. This is most of the work of a look that meets no change.
    """
    with os.scandir(opened) as found:
        entries = [*found]
    numbers: list[int] = []
    add = numbers.append
    gone = []
    for entry in entries:
        try:
            seen = entry.stat(follow_symlinks=False)
        except OSError:
            gone.append(entry)  # it went while we looked
            continue
        add(seen.st_ino)
        add(seen.st_size)
        add(seen.st_ctime_ns)
    if gone:
        entries = [entry for entry in entries if entry not in gone]
    digest = hashlib.blake2b(array("q", numbers).tobytes(), digest_size=12)
    names = "\0".join([entry.name for entry in entries])
    digest.update(names.encode("utf-8", "surrogateescape"))
    return entries, numbers, digest.hexdigest()


def kind(mode: int) -> str:
    """Give the words for what is no regular file."""
    return _KINDS.get(stat.S_IFMT(mode), "is no folder" if stat.S_ISREG(mode) else "is a device")


def identity(seen: os.stat_result) -> str:
    """Name one state of one file, as the steps do."""
    return f"{seen.st_dev}:{seen.st_ino}:{seen.st_size}:{seen.st_mtime_ns}"
