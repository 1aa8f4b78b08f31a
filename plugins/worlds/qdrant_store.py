"""What a world's Qdrant holds on disk: collections, their snapshots, and aliases."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from plugins.worlds.qdrant_collection import Collection, from_snapshot
from plugins.worlds.qdrant_shapes import Wrong

_ENDING = ".snapshot"


class Store:
    """The folder of one server; it is opened by `load` and let go of by `close`.

    Args:
        folder: made when it is not there.
        peer: the number of this server, which stands in the names of its snapshots.
    """

    def __init__(self, folder: Path, peer: int) -> None:
        self.folder = folder
        self._peer = peer
        self._open: dict[str, Collection] = {}
        self.aliases: dict[str, str] = {}

    def load(self) -> None:
        """Open every collection that stands there."""
        for part in ("collections", "snapshots", "tmp"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        for folder in sorted((self.folder / "collections").iterdir()):
            self._open[folder.name] = Collection.loaded(folder)

    def close(self) -> None:
        """Write everything down and let go of it."""
        while self._open:
            self._open.popitem()[1].close()

    # ---- collections

    def names(self) -> list[str]:
        """Return the names of the collections."""
        return sorted(self._open)

    def has(self, name: str) -> bool:
        """Tell whether there is such a collection or alias."""
        return self.aliases.get(name, name) in self._open

    def of(self, name: str) -> Collection:
        """Return a collection by its name or an alias.

        Raises:
            Wrong: there is none.
        """
        found = self._open.get(self.aliases.get(name, name))
        if found is None:
            raise Wrong(f"Not found: Collection `{name}` doesn't exist!", 404)
        return found

    def create(self, name: str, params: dict[str, Any]) -> None:
        """Make an empty collection."""
        if not name or "/" in name or name in {".", ".."} or len(name) > 255:
            raise Wrong("Validation error in path parameters: [collection_name: wrong]", 422)
        if self.has(name):
            raise Wrong(f"Wrong input: Collection `{name}` already exists!", 409)
        self._open[name] = Collection.made(self.folder / "collections" / name, params)

    def drop(self, name: str) -> bool:
        """Delete a collection; its snapshots stay, as on the real server. False: there is none."""
        found = self._open.pop(name, None)
        if found is not None:
            found.drop()
        self.aliases = {alias: to for alias, to in self.aliases.items() if to != name}
        return found is not None

    def change_aliases(self, actions: list[dict[str, Any]]) -> None:
        """Take the actions on aliases, all or none."""
        changed = dict(self.aliases)
        for action in actions:
            match action:
                case {"create_alias": {"collection_name": str(to), "alias_name": str(alias)}}:
                    if to not in self._open:
                        raise Wrong(f"Not found: Collection `{to}` doesn't exist!", 404)
                    if alias in self._open:
                        raise Wrong(f"Wrong input: Collection `{alias}` already exists!", 409)
                    changed[alias] = to
                case {"delete_alias": {"alias_name": str(alias)}}:
                    changed.pop(alias, None)
                case {"rename_alias": {"old_alias_name": str(old), "new_alias_name": str(new)}}:
                    if old not in changed:
                        raise Wrong(f"Not found: Alias {old} does not exists!", 404)
                    changed[new] = changed.pop(old)
                case _:
                    raise Wrong("Format error in JSON body: unknown variant of an action")
        self.aliases = changed

    # ---- snapshots

    def snapshots(self, name: str) -> list[dict[str, Any]]:
        """Return the description of each snapshot of a collection, oldest first."""
        self.of(name)
        paths = self._shelf(name).glob(f"*{_ENDING}")
        return [_described(path) for path in sorted(paths, key=os.path.getmtime)]

    def snapshot(self, name: str) -> dict[str, Any]:
        """Take a snapshot of a collection, and return its description."""
        collection = self.of(name)
        shelf = self._shelf(name)
        shelf.mkdir(exist_ok=True)
        moment = time.time()
        while True:
            stamp = time.strftime("%Y-%m-%d-%H-%M-%S", time.gmtime(moment))
            path = shelf / f"{collection.folder.name}-{self._peer}-{stamp}{_ENDING}"
            if not path.exists():
                break
            moment += 1.0
        collection.snapshot(path)
        path.with_name(f"{path.name}.checksum").write_text(_sha256(path))
        return _described(path)

    def snapshot_file(self, name: str, snapshot: str) -> Path:
        """Return the file of a snapshot.

        Raises:
            Wrong: there is none.
        """
        self.of(name)
        path = self._shelf(name) / snapshot
        if "/" in snapshot or not snapshot.endswith(_ENDING) or not path.is_file():
            raise Wrong(f"Not found: Snapshot {snapshot} not found", 404)
        return path

    def forget(self, name: str, snapshot: str) -> None:
        """Delete a snapshot."""
        path = self.snapshot_file(name, snapshot)
        path.unlink()
        path.with_name(f"{path.name}.checksum").unlink(missing_ok=True)

    def recover(self, name: str, path: Path, checksum: str = "") -> None:
        """Put what a snapshot holds in the place of a collection, which need not be there.

        Raises:
            Wrong: it is no snapshot, not whole, or of another kind of collection; all stays as it
                was then.
        """
        if checksum and checksum != (actual := _sha256(path)):
            raise Wrong(f"Wrong input: Checksum mismatch: expected {checksum}, actual {actual}")
        scratch = Path(tempfile.mkdtemp(dir=self.folder / "tmp"))
        try:
            params = from_snapshot(path, scratch)
            name = self.aliases.get(name, name)
            if name in self._open and _shape(self._open[name].params) != _shape(params):
                raise Wrong(
                    "Wrong input: Snapshot is not compatible with existing collection:"
                    f" Collection config: {self._open[name].params} Snapshot config: {params}"
                )
            self.drop(name)
            place = self.folder / "collections" / name
            scratch.rename(place)
            self._open[name] = Collection.loaded(place)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def scratch(self) -> Path:
        """Return the path of a new file for what is being received."""
        descriptor, path = tempfile.mkstemp(dir=self.folder / "tmp")
        os.close(descriptor)
        return Path(path)

    def _shelf(self, name: str) -> Path:
        return self.folder / "snapshots" / self.aliases.get(name, name)


def _shape(params: dict[str, Any]) -> tuple[Any, Any]:
    return params.get("vectors") or {}, params.get("sparse_vectors") or {}


def _described(path: Path) -> dict[str, Any]:
    status = path.stat()
    kept = path.with_name(f"{path.name}.checksum")
    return {
        "name": path.name,
        "creation_time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(status.st_mtime)),
        "size": status.st_size,
        "checksum": kept.read_text() if kept.exists() else None,
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
