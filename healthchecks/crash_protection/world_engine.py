"""The Docker engine of a world: the one that all worlds of this process share."""

from __future__ import annotations

import hashlib
import json
import tarfile
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.crash_protection.world import World
    from plugins.worlds.dockerd import Dockerd


class WorldDocker:
    """The engine of a world, borrowed when it is first used.

    Args:
        world: that it belongs to.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._engine: Dockerd | None = None

    def borrow(self) -> Dockerd:
        """Return the engine, and let the world's systems file name it."""
        if self._engine is None:
            from plugins.worlds.dockerd import borrowed

            self._engine = borrowed()
            self._world.change(docker_url=self._engine.url)
        return self._engine

    def use(self, *words: str, stdin: bytes = b"") -> str:
        """Run a docker command and return what it printed."""
        return self.borrow().docker(*words, stdin=stdin)

    def dead(self) -> None:
        """Let the docker program be set to a socket that nobody listens on, by a context."""
        home, name = self._world.folder / ".docker", "left-behind"
        meta = home / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
        meta.mkdir(parents=True)
        url = f"unix://{self._world.folder}/no-docker.sock"
        (meta / "meta.json").write_text(json.dumps({"Endpoints": {"docker": {"Host": url}}}))
        (home / "config.json").write_text(json.dumps({"currentContext": name}))
        self._world.change(volume_folder="", docker_url="")

    def image(self, name: str, *programs: str, mib: int = 0) -> None:
        """Have an image of a name with links to these programs, as alpine has them."""
        tar = BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as archive:
            for path in ("bin/busybox", "ballast"):
                file = tarfile.TarInfo(path)
                file.mode, file.size = 0o755, (mib << 20) + 64 if path == "ballast" else 4
                archive.addfile(file, BytesIO(b"\1" * file.size))
            for path in programs:
                link = tarfile.TarInfo(path)
                link.type, link.linkname = tarfile.SYMTYPE, "/bin/busybox"
                archive.addfile(link)
        self.use("import", "-", name, stdin=tar.getvalue())

    def close(self) -> None:
        """Give the engine back."""
        if self._engine is not None:
            self._engine.release()
            self._engine = None

    def volume(self, *, mounted: bool = True) -> None:
        """Have the volume's files where only a container shows them, and such a container."""
        world = self._world
        options = ("type=none", "o=bind", f"device={world.volume}")
        words = [word for option in options for word in ("--opt", option)]
        self.use("volume", "create", *words, "claude-code-config")
        if mounted:
            mount = ("--volume", "claude-code-config:/home/node/.claude")
            self.borrow().run("claude-session", *mount, create=True)
        world.change(volume_folder="")

    def left_on_disk(self) -> None:
        """Have the volume's files where an engine that does not answer keeps them."""
        place = self._world.folder / "volumes" / "claude-code-config"
        place.mkdir(parents=True)
        self._world.volume.rename(place / "_data")
