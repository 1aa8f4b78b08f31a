"""What a step does to unpack an archive in a folder's place.

An archive may be a stranger's: nothing of it is written outside one new, private folder, and links
are made last, so that nothing is ever written through one. Standard library only, so that a far
host's own python3 can run it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tarfile
from typing import Any

from plugins.hands.across import remove
from plugins.hands.archives import ASTRAY, UNREADABLE, Unfit, below, fault_of, members
from plugins.hands.files import keep_owner, move, renamed
from plugins.hands.tree import CHUNK, MAKING, READING, Done, at, status_of, sync, temporary_name


def unpack(
    target: str, archive: str, inner: str, slot: str, roots: list[str], astray: bool = False
) -> Done:
    """Unpack a folder of an archive in the target's place; what stood there moves to the slot.

    Args:
        target: the folder to replace or make.
        archive: a tar.gz; all of it is looked at before anything of it is written.
        inner: the folder in the archive, as the archive names it; "." for all.
        slot: where the former folder goes.
        roots: folders below which may be written.
        astray: whether symbolic links that lead out of the archive are left out; else it is
            refused for them.
    """
    inner = os.path.normpath(inner)
    with at(target, roots) as (there, name):
        try:
            needed = looked_through(archive, inner, astray)
        except (Unfit, *UNREADABLE) as error:
            return {"refused": f"{archive} cannot be unpacked: {error}"}
        room = os.fstatvfs(there)
        if needed > room.f_bavail * room.f_frsize:
            return {"refused": f"{archive} needs {needed} bytes, and the disk has less left"}
        temporary = temporary_name()
        former = status_of(name, there)
        os.mkdir(temporary, 0o700, dir_fd=there)
        try:
            base = os.open(temporary, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=there)
            try:
                extract(archive, inner, base, astray)
                _give(base, former or os.fstat(there))
            finally:
                os.close(base)
            return _exchange(target, temporary, slot, roots)
        except (Unfit, *UNREADABLE) as error:
            return {"refused": f"{archive} cannot be unpacked: {error}"}
        finally:
            if status_of(temporary, there) is not None:
                remove(temporary, there)


def _exchange(target: str, temporary: str, slot: str, roots: list[str]) -> Done:
    """Put the new folder in the target's place, and the former one into the slot."""
    with at(target, roots) as (there, name):
        stood = status_of(name, there) is not None
        done = move(target, slot, roots) if stood else {}
        if done:
            return done
        try:
            os.rename(temporary, name, src_dir_fd=there, dst_dir_fd=there)
        except OSError:
            if stood:
                move(slot, target, roots)
            raise
        sync(there)
    return {}


def take_from(target: str, archive: str, member: str, sha256: str, roots: list[str]) -> Done:
    """Put a file of an archive at a path, in one rename; its owner is that of what it replaces.

    Args:
        target: the file to replace, or to make.
        archive: a tar.gz; it is read no further than needed.
        member: the file in it, as the archive names it.
        sha256: of the content that it must have.
        roots: folders below which may be written.
    """
    with at(target, roots) as (there, name):
        try:
            with open(os.open(archive, READING), "rb") as raw:
                for tar, one in members(raw):
                    if one.name == member and one.isreg():
                        return _put(tar.extractfile(one), sha256, name, there)
        except (Unfit, *UNREADABLE) as error:
            return {"refused": f"{archive} cannot be read: {error}"}
    return {"refused": f"{archive} does not hold {member} any more"}


def _put(content: Any, sha256: str, name: str, there: int) -> Done:
    digest = hashlib.sha256()
    with (
        renamed(name, there) as temporary,
        open(os.open(temporary, MAKING, 0o600, dir_fd=there), "wb") as file,
    ):
        while block := content.read(CHUNK):
            digest.update(block)
            file.write(block)
        if digest.hexdigest() != sha256:
            raise Unfit("its content is not what it was")
        keep_owner(file.fileno(), there, status_of(name, there))
        file.flush()
        os.fsync(file.fileno())
    return {}


def looked_through(archive: str, inner: str, astray: bool = True) -> int:
    """Return how many bytes the folder of the archive takes; raise `Unfit` for a bad member.

    `astray` is as `unpack` takes it.
    """
    needed, seen = 0, False
    with open(os.open(archive, READING), "rb") as raw:
        if not stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
            raise Unfit("it is no regular file")
        for _, member in members(raw):
            why = fault_of(member, inner)
            if why and not (astray and member.issym() and why == ASTRAY):
                raise Unfit(f"{member.name!a} in it {why}")
            if below(member.name, inner) is not None:
                seen = True
                needed += member.size
    if not seen:
        raise Unfit(f"it holds no {inner}")
    return needed


def extract(archive: str, inner: str, base: int, astray: bool = False) -> None:
    """Write the folder of the archive below an open, private and empty folder.

    `astray` is as `unpack` takes it.
    """
    links: list[tuple[str, str]] = []
    modes: list[tuple[str, int]] = []
    with open(os.open(archive, READING), "rb") as raw:
        for tar, member in members(raw):
            name = below(member.name, inner)
            # It may be another file by now than the one that was looked through.
            why = fault_of(member, inner)
            if why and not (astray and member.issym() and why == ASTRAY):
                raise Unfit(f"{member.name!a} in it {why}")
            if name is None or why:
                continue
            if member.isdir():
                _folders(name, base)
                modes.append((name, member.mode & 0o755 | 0o700))
                continue
            if name == ".":
                raise Unfit(f"{inner} in it is no folder")
            _folders(os.path.dirname(name), base)
            if member.issym():
                links.append((name, member.linkname))
            elif member.islnk():
                known = below(member.linkname, inner) or ""
                os.link(known, name, src_dir_fd=base, dst_dir_fd=base, follow_symlinks=False)
            else:
                _file(tar.extractfile(member), member, name, base)
    for name, linked in links:
        os.symlink(linked, name, dir_fd=base)
    for name, mode in reversed(modes):
        os.chmod(name, mode, dir_fd=base)


def _folders(name: str, base: int) -> None:
    """Make a folder and those above it, where they are not there yet."""
    made = ""
    for part in name.split("/"):
        if part in ("", "."):
            continue
        made = os.path.join(made, part)
        status = status_of(made, base)
        if status is None:
            os.mkdir(made, 0o700, dir_fd=base)
        elif not stat.S_ISDIR(status.st_mode):
            raise Unfit(f"{made!a} in it is a file and a folder")


def _file(content: Any, member: tarfile.TarInfo, name: str, base: int) -> None:
    with open(os.open(name, MAKING, 0o600, dir_fd=base), "wb") as file:
        shutil.copyfileobj(content, file, CHUNK)
        # Nobody gets a set-id program, or a file that all may write, out of an archive.
        os.fchmod(file.fileno(), member.mode & 0o755 | 0o600)
        file.flush()
        os.utime(file.fileno(), (member.mtime, member.mtime))
        os.fsync(file.fileno())


def _give(base: int, model: os.stat_result) -> None:
    """Give everything to the owner of what it replaces (as root only)."""
    if os.geteuid() == 0:
        uid, gid = model.st_uid, model.st_gid
        # A folder after all that is in it: until then nobody can put something else there.
        for _, folders, names, descriptor in os.fwalk(".", topdown=False, dir_fd=base):
            for name in folders + names:
                os.chown(name, uid, gid, dir_fd=descriptor, follow_symlinks=False)
        os.fchown(base, uid, gid)
