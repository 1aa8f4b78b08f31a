"""What a step does to make an archive of a tree, and what an archive is before it is believed.

An archive counts when it was read back to its end and holds, name by name, what was put into it.
Memory does not grow with the size or the number of files. A hand answers `{}` when it is done and
`{"refused": sentence}` when it did nothing. Standard library only, so that a far host's own python3
can run it.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import os
import stat
import tarfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from plugins.hands.tree import (
    CHUNK,
    MAKING,
    READING,
    Done,
    at,
    reach,
    status_of,
    sync,
    temporary_name,
)

ASTRAY = "is a link that leads out of the archive"
_HEADERS = 4 << 20  # bytes that may stand before a member to say what it is
UNREADABLE = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError)


class Unfit(Exception):  # noqa: N818 - it is the archive that is at fault
    """An archive is not what it should be; the message says why in one sentence."""


class _Hashing:
    """A file whose bytes are hashed as they pass."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size`."""
        block: bytes = self._file.read(size)
        self.digest.update(block)
        return block


class _Bounded:
    """A file of which little is read where headers stand: a stranger names their size, too."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.left: int | None = _HEADERS

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size`."""
        if self.left is not None:
            self.left -= size
            if self.left < 0:
                raise Unfit("it is broken: a header in it is larger than any should be")
        return bytes(self._file.read(size))


def pack(source: str, target: str, roots: list[str]) -> Done:
    """Archive a folder or file as tar.gz: beside, synced, read back and compared, then renamed.

    Links are stored as links; FIFOs, sockets and devices are left out, and so is what is gone by
    the time that its turn comes. A file that grows meanwhile is stored as long as it was.
    """
    top = os.path.realpath(source)
    if (os.path.realpath(os.path.dirname(target)) + "/").startswith(top + "/"):
        return {"refused": f"the archive would lie in {source}, which it is to hold"}
    with at(target, roots) as (there, new):
        if status_of(new, there) is not None:
            return {"refused": "something of that name is there already"}
        temporary = temporary_name()
        try:
            with open(os.open(temporary, MAKING, 0o600, dir_fd=there), "wb") as raw:
                written = _write(raw, source)
                raw.flush()
                os.fsync(raw.fileno())
            with open(os.open(temporary, READING, dir_fd=there), "rb") as raw:
                if _content(raw) != written:
                    return {"refused": "it does not read back as it was written"}
            os.rename(temporary, new, src_dir_fd=there, dst_dir_fd=there)
            sync(there)
        except (Unfit, *UNREADABLE) as error:
            return {"refused": f"it does not read back: {error}"}
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=there)
    return {}


def _write(raw: BinaryIO, source: str) -> str:
    """Write the archive; return the digest of its names, kinds, sizes and contents."""
    listing = hashlib.sha256()
    name = os.path.basename(os.path.normpath(source))
    whole = os.path.isdir(source)
    above, first = (source, ".") if whole else os.path.split(os.path.realpath(source))
    base = reach(above)
    # No name and no time in the header. A server may be waiting for this: level 1 is the quickest.
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        try:
            _add(tar, listing, base, first, name)
            walk = os.fwalk(".", onerror=_unless_gone, dir_fd=base) if whole else ()
            for folder, folders, names, descriptor in walk:
                folders.sort()
                for each in sorted([*folders, *names]):
                    _add(tar, listing, descriptor, each, os.path.join(name + folder[1:], each))
        finally:
            os.close(base)
    return listing.hexdigest()


def _unless_gone(error: OSError) -> None:
    if error.errno != errno.ENOENT:
        raise error


def _add(tar: tarfile.TarFile, listing: Any, folder: int, name: str, path: str) -> None:
    """Add one name of an open folder to the archive, and to the digest of all."""
    status = status_of(name, folder)
    if status is None:
        return
    if not stat.S_ISREG(status.st_mode):
        member = _member(path, status)
        if stat.S_ISLNK(status.st_mode):
            member.type, member.linkname = tarfile.SYMTYPE, os.readlink(name, dir_fd=folder)
        elif stat.S_ISDIR(status.st_mode):
            member.type = tarfile.DIRTYPE
        else:
            return
        tar.addfile(member)
        _listed(listing, member, "")
    else:
        try:
            descriptor = os.open(name, READING, dir_fd=folder)
        except FileNotFoundError:
            return
        with open(descriptor, "rb") as file:
            member = _member(path, os.fstat(file.fileno()))
            hashing: Any = _Hashing(file)
            tar.addfile(member, hashing)
            _listed(listing, member, hashing.digest.hexdigest())
    _forget(tar)


def _forget(tar: Any) -> None:
    """Let go of the members that passed: the archive remembers each of them."""
    tar.members = []


def _member(path: str, status: os.stat_result) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.size = status.st_size if stat.S_ISREG(status.st_mode) else 0
    member.mode, member.mtime = stat.S_IMODE(status.st_mode), int(status.st_mtime)
    member.uid, member.gid = status.st_uid, status.st_gid
    return member


def _listed(listing: Any, member: tarfile.TarInfo, digest: str) -> None:
    row = (member.name, member.type.decode(), str(member.size), member.linkname, digest)
    listing.update("\0".join(row).encode("utf-8", "surrogateescape") + b"\n")


def _content(raw: BinaryIO) -> str:
    """Read an archive to its end; return the digest that `_write` returned for it."""
    listing = hashlib.sha256()
    for tar, member in members(raw):
        digest = ""
        if member.isreg():
            hashing = _Hashing(tar.extractfile(member))
            while hashing.read(CHUNK):
                pass
            digest = hashing.digest.hexdigest()
        _listed(listing, member, digest)
    return listing.hexdigest()


def members(raw: BinaryIO) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """Yield each member of a tar.gz with the open archive, in order, to the archive's true end.

    Raises:
        Unfit: something that is no member follows the last one.
        tarfile.TarError, EOFError, zlib.error, ValueError: it is cut or broken.
    """
    with gzip.GzipFile(fileobj=raw, mode="rb") as packed:
        bounded: Any = _Bounded(packed)
        with tarfile.open(fileobj=bounded, mode="r|") as tar:
            rest: Any = tar.fileobj
            while (member := tar.next()) is not None:
                bounded.left = None
                yield tar, member
                _forget(tar)
                # What is left of the content is no header yet; tarfile itself wants its last byte.
                rest.seek(max(rest.tell(), tar.offset - 1))
                bounded.left = _HEADERS
            bounded.left = None
            # tarfile takes a broken header for the end; after the true end only zeros follow.
            while block := rest.read(CHUNK):
                if block.strip(b"\0"):
                    raise Unfit("it is broken: what follows its last member is no member")
        # Only the last byte tells whether gzip's own sum is right.
        while packed.read(CHUNK):
            pass


def fault_of(member: tarfile.TarInfo, inner: str) -> str:
    """Return why a member may not be unpacked, or an empty string.

    Args:
        member: of an archive that a stranger may have made.
        inner: the folder in the archive that is to be unpacked, normalised; "." for all.
    """
    if member.name.startswith("/") or ".." in member.name.split("/"):
        return "leads out of the archive"
    if member.size < 0:
        return "has a size that is none"
    if member.isreg() or member.isdir():
        return ""
    name = below(member.name, inner)
    if member.islnk():
        inside = not member.linkname.startswith("/") and ".." not in member.linkname.split("/")
        inside = inside and (name is None or below(member.linkname, inner) is not None)
        return "" if inside else "is a hard link that leads out of the archive"
    if not member.issym():
        return "is a device or a pipe"
    parts = [part for part in member.linkname.split("/") if part not in ("", ".")]
    ups = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
    # `..` behind another link would lead elsewhere than its words say, so it may only lead.
    astray = member.linkname.startswith("/") or ".." in parts[ups:]
    depth = os.path.normpath(member.name if name is None else name).count("/")
    return ASTRAY if astray or ups > depth else ""


def below(name: str, inner: str) -> str | None:
    """Return a member's name as seen from a folder of the archive; None when it lies elsewhere."""
    name = os.path.normpath(name)
    if inner in (".", name):
        return "." if name == inner else name
    return name[len(inner) + 1 :] if name.startswith(inner + "/") else None


def survey(path: str, wanted: str) -> dict[str, str]:
    """Read an archive to its end and find the folder of a name in it; write nothing.

    Args:
        path: a tar.gz.
        wanted: the folder's name; it lies at the top of the archive or in one folder of it.

    Returns:
        `{"inner": name}`, the folder's name as the archive has it, or `{"refused": sentence}`.
    """
    found: dict[str, str] = {}
    links: list[tarfile.TarInfo] = []
    try:
        with open(os.open(path, READING), "rb") as raw:
            if not stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
                return {"refused": "it is no regular file"}
            for _, member in members(raw):
                if why := fault_of(member, "."):
                    return {"refused": f"{member.name!a} in it {why}"}
                if member.issym() or member.islnk():
                    links.append(member)
                _note(member, wanted, found)
    except Unfit as fault:
        return {"refused": str(fault)}
    except UNREADABLE as error:
        return {"refused": f"it does not read to its end: {error}"}
    nearest = sorted(found, key=lambda name: name.count("/"))
    if not nearest or [name.count("/") for name in nearest[:2]] == [1, 1]:
        return {"refused": f"it holds {'two folders' if nearest else 'no folder'} named {wanted}"}
    for member in links:
        if why := fault_of(member, nearest[0]):
            return {"refused": f"{member.name!a} in it {why}"}
    return {"inner": found[nearest[0]]}


def _note(member: tarfile.TarInfo, wanted: str, found: dict[str, str]) -> None:
    """Write down the folder of the wanted name that a member is, or lies in."""
    parts = member.name.split("/")
    last = len(parts) - (not member.isdir())
    for index in range(min(3, last)):
        inner = os.path.normpath("/".join(parts[: index + 1]))
        if parts[index] == wanted and inner.count("/") < 2:
            found.setdefault(inner, "/".join(parts[: index + 1]))
            return
