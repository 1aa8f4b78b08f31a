"""What nginx's configuration says of one port of this host."""

from __future__ import annotations

import os.path
from collections.abc import Collection, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase

from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.endpoints.nginx import Directive, parse
from plugins.endpoints.proxied import Proxied, carrying, proxied
from plugins.outcomes import Absent, NotThere, TooBig, WrongKind
from plugins.text import printable

_MOST_FILES = 500
_DEEPEST = 8  # includes within includes; a loop of them ends here
_LEFTOVERS = ("~", ".bak", ".old", ".orig", ".save", ".disabled", ".dpkg-dist", ".dpkg-old")
_THIS_HOST = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "127.0.1.1")  # noqa: S104


class _Files:
    """Reads configuration files of one folder tree, includes and all, and nothing outside it."""

    def __init__(self, filesystem: Filesystem, folder: str) -> None:
        self._filesystem = filesystem
        self._folder = os.path.normpath(folder)
        self._home = filesystem.resolve(folder)
        self._taken = 0

    def tree(self, path: str, depth: int = 0) -> tuple[Directive, ...]:
        """The file's directives with those of its includes in their place."""
        if depth > _DEEPEST:
            return ()
        self._taken += 1
        if self._taken > _MOST_FILES:
            raise TooBig(f"the nginx configuration in {self._folder}, in files", _MOST_FILES)
        entry = self._filesystem.look(path)
        _refuse_what_is_no_file(path, entry)
        try:
            real = self._filesystem.resolve(path)
            _refuse_what_is_no_file(path, self._filesystem.look(real))
            # A link is an administrator's own word for where a site lies: often beside its code.
            ours = real.startswith(f"{self._home}/") or (entry is not None and entry.kind == "link")
            text = self._filesystem.text(real) if ours else ""
        except NotThere:
            if self._filesystem.exists(path):
                raise WrongKind(f"{printable(path)} is a link to nothing") from None
            return ()
        return tuple(self._expanded(parse(text, path), depth))

    def _expanded(self, block: tuple[Directive, ...], depth: int) -> Iterator[Directive]:
        for one in block:
            if one.name == "include" and one.words:
                for path in self._matching(os.path.join(self._folder, one.words[0])):
                    yield from self.tree(path, depth + 1)
            elif one.block is not None:
                yield replace(one, block=tuple(self._expanded(one.block, depth)))
            else:
                yield one

    def _matching(self, pattern: str) -> list[str]:
        """The paths that an include's pattern names, in order; only its end is a pattern."""
        folder, name = os.path.split(os.path.normpath(pattern))
        if not any(sign in name for sign in "*?["):
            return [os.path.join(folder, name)]
        return _listed(self._filesystem, folder, name)


def _refuse_what_is_no_file(path: str, found: Entry | None) -> None:
    """Raise WrongKind for a FIFO and the like: nobody can tell what nginx would read from it."""
    if found and found.kind in {"fifo", "socket", "device"}:
        raise WrongKind(f"{printable(path)} is a {found.kind}, not a regular file")


def _listed(filesystem: Filesystem, folder: str, pattern: str) -> list[str]:
    """The folder's names that match the pattern."""
    try:
        entries = filesystem.folder(folder, follow=True)
    except NotThere:
        return []
    kept = (one for one in entries if one.kind != "folder")
    return [
        os.path.join(folder, one.name)
        for one in kept
        if fnmatchcase(one.name, pattern) and not one.name.startswith(".")
    ]


def _tops(filesystem: Filesystem, places: tuple[str, ...]) -> Iterator[tuple[Directive, ...]]:
    """The directives in force: the main file's, or those of each file where none is main."""
    there = {place: filesystem.look(place) for place in places}
    mains = [place for place, one in there.items() if one and one.kind != "folder"]
    for place in mains:
        yield _Files(filesystem, os.path.dirname(place)).tree(place)
    if mains:
        return
    for place, one in there.items():
        if one and one.kind == "folder":
            files = _Files(filesystem, place)
            listed = _listed(filesystem, place, "*")
            whole = (files.tree(path) for path in listed if not path.endswith(_LEFTOVERS))
            yield tuple(each for tree in whole for each in tree)


def passing_on(
    filesystem: Filesystem, places: tuple[str, ...], port: int, names: Collection[str], path: str
) -> tuple[Proxied, ...]:
    """Return the places of nginx's configuration that pass a path on to a port of this host.

    Args:
        filesystem: of the host that nginx runs on.
        places: its main file, or files and folders of sites where there is none.
        port: of the server behind it.
        names: further names and addresses of this host by which it may be meant.
        path: such as "/ws".

    Raises:
        Absent: none passes anything on to the port.
        NotThere: none of those that do passes the path on.
        WrongKind, TooBig, NoPermission: the configuration cannot be read.
    """
    known = {*_THIS_HOST, *names} - {""}
    found = tuple(each for top in _tops(filesystem, places) for each in proxied(top, port, known))
    if not found:
        raise Absent(f"no nginx configuration passes port {port} on", places)
    chosen = carrying(found, path)
    if not chosen:
        raise NotThere(f"nginx passes port {port} on, but not {printable(path)} of it")
    return chosen
