"""The Docker engine, through its SDK."""

from __future__ import annotations

import os
import tarfile
import threading
from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from plugins.endpoints import containers as rows
from plugins.endpoints import engine_answers as answers
from plugins.endpoints import inside, layers
from plugins.endpoints.containers import Container, Image, Mount, Share, Stats, Usage, Volume
from plugins.endpoints.inside import Inside
from plugins.endpoints.meanings import meaning_of
from plugins.endpoints.memory import Memory
from plugins.endpoints.wires import Watch
from plugins.hosts import Host
from plugins.outcomes import (
    CannotTell,
    NoPermission,
    NotThere,
    Refused,
    TimedOut,
    TooBig,
    WrongKind,
)
from plugins.text import printable

if TYPE_CHECKING:
    from docker import APIClient

T = TypeVar("T")
__all__ = ["Container", "Docker", "Image", "Inside", "Mount", "Share", "Stats", "Usage", "Volume"]
_USUAL = "unix:///var/run/docker.sock"


class Docker:
    """One engine: the one that is given, that of DOCKER_HOST, or that of the usual socket.

    The same question is asked once in a look, and an engine that did not answer is not asked again.

    Args:
        host: where the engine is; one of a far host needs a `base_url`.
        base_url: such as "unix:///run/user/1000/docker.sock" or "tcp://box:2375".
    """

    def __init__(self, host: Host, base_url: str = "") -> None:
        self._host = host
        self._given = base_url
        self._memory = Memory()

    @property
    def base_url(self) -> str:
        """Where the engine is asked."""
        return self._given or os.environ.get("DOCKER_HOST", "") or _USUAL

    def ping(self, *, deadline: float = 5.0) -> None:
        """Return when the engine is there.

        Raises:
            NotThere: there is no such socket: Docker is not installed or not started.
            NoPermission: we may not use the socket.
            Refused: nobody listens on the socket.
            TimedOut: the engine hangs.
        """
        self._memory.once("ping", lambda: self._within(lambda api: api.ping(), deadline))

    def version(self, *, deadline: float = 5.0) -> str:
        """Return the engine's version, such as "26.1.5"."""
        told: dict[str, Any] = self._ask("version", lambda api: api.version(), deadline)
        return printable(str(told.get("Version", "")), 60)

    def containers(self, *, all: bool = True, deadline: float = 10.0) -> tuple[Container, ...]:  # noqa: A002 - the engine's own word
        """Return the containers, the stopped ones too unless `all` is False."""
        return self._ask(("containers", all), lambda api: answers.containers(api, all), deadline)

    def images(self, *, deadline: float = 10.0) -> tuple[Image, ...]:
        """Return the images, dangling ones too."""
        listed: list[dict[str, Any]] = self._ask("images", lambda api: api.images(), deadline)
        return tuple(rows.image(row) for row in listed)

    def volumes(self, *, deadline: float = 10.0) -> tuple[Volume, ...]:
        """Return the named volumes."""
        told: dict[str, Any] = self._ask("volumes", lambda api: api.volumes(), deadline)
        return tuple(rows.volume(row) for row in told.get("Volumes") or ())

    def stats(self, container: str, *, deadline: float = 10.0) -> Stats | None:
        """Return what a running container takes, by its id; None when it runs no more."""

        def ask(api: APIClient) -> Stats | None:
            import docker

            try:
                told = api.stats(container, stream=False, one_shot=True)
            except docker.errors.NotFound:
                return None
            # Of one that ended meanwhile the engine tells nothing but zeros.
            return rows.stats(told) if told.get("memory_stats") else None

        return self._ask(("stats", container), ask, deadline)

    def usage(self, *, deadline: float = 20.0) -> Usage:
        """Return what is on disk; the engine counts for a while when it holds much."""
        return rows.usage(self._ask("df", lambda api: api.df(), deadline))

    def printed(
        self,
        container: str,
        *,
        last: int = 0,
        since: float = 0.0,
        limit: int = 256 << 10,
        deadline: float = 15.0,
    ) -> bytes:
        """Return what a container printed, both outputs as they came, from the beginning on.

        Args:
            container: its id.
            last: only so many of its last lines; 0 for all.
            since: only what it printed from then on, seconds since 1970; 0 for all.
            limit: bytes; what comes after them is not read.
            deadline: seconds.

        Raises:
            Refused: its log driver keeps nothing that could be read.
        """
        words = (container, last, since, limit)
        return self._ask(("printed", *words), lambda api: answers.printed(api, *words), deadline)

    def run_inside(
        self, container: str, argv: tuple[str, ...], *, limit: int = 64 << 10, deadline: float = 10
    ) -> tuple[int, bytes]:
        """Run a small program of the container's own in it; return its status and what it said.

        A program that is not there has the status 126 or 127. At the deadline it is left behind.
        """
        words = (container, argv, limit)
        return self._ask(("run", *words), lambda api: answers.ran(api, *words), deadline)

    def look_inside(
        self, container: str, paths: Iterable[str], *, deadline: float = 30.0
    ) -> tuple[Inside | None, ...]:
        """Return what stands at each path in a container, running or not; None for nothing."""
        asked = tuple(paths)

        def ask(api: APIClient) -> tuple[Inside | None, ...]:
            return tuple(answers.standing(api, container, path) for path in asked)

        return self._ask(("stat", container, asked), ask, deadline)

    def files_inside(
        self, container: str, top: str, ending: str, *, deadline: float = 60.0
    ) -> tuple[Inside, ...]:
        """Return the folders, and the files whose names end so, below a folder in a container.

        The engine sends the whole folder for this, which takes as long as reading all of it.
        """

        def ask(api: APIClient) -> tuple[Inside, ...]:
            chunks = api.get_archive(container, top, chunk_size=1 << 20)[0]
            return tuple(inside.listed(chunks, top, ending))

        return self._ask(("files", container, top, ending), ask, deadline)

    def read_inside(
        self,
        container: str,
        path: str,
        take: Callable[[Iterable[bytes]], T],
        *,
        deadline: float = 300.0,
    ) -> T:
        """Return what `take` makes of a regular file's blocks; it is not asked for twice."""

        def ask(api: APIClient) -> T:
            chunks = api.get_archive(container, path, chunk_size=1 << 20)[0]
            return take(inside.content(chunks))

        self.ping(deadline=min(5.0, deadline))
        return self._within(ask, deadline)

    def programs_in(
        self, image: str, names: tuple[str, ...], *, limit: int, deadline: float = 30.0
    ) -> frozenset[str]:
        """Return those of the names that are programs in an image, without running anything.

        The engine sends all of the image for this.

        Raises:
            NotThere: there is no such image.
            TooBig: it has more than `limit` bytes.
        """

        def ask(api: APIClient) -> frozenset[str]:
            try:
                return layers.programs(api.get_image(image), names, limit)
            except layers.Overflow:
                raise TooBig(f"the image {printable(image, 100)}", limit) from None
            except (ValueError, tarfile.TarError) as error:
                raise WrongKind(f"the image {printable(image, 100)}: {error}") from None

        return self._ask(("programs", image, names), ask, deadline)

    def do(self, work: Callable[[APIClient], T], *, deadline: float = 30.0) -> T:
        """Return what `work` does by the SDK: for steps, as nothing of it is kept."""
        return self._within(work, deadline)

    def _ask(self, question: Hashable, ask: Callable[[APIClient], T], deadline: float) -> T:
        self.ping(deadline=min(5.0, deadline))
        return self._memory.once(question, lambda: self._within(ask, deadline))

    def _within(self, ask: Callable[[APIClient], T], deadline: float) -> T:
        """Return the SDK's answer, or leave it behind at the deadline.

        The SDK's own limit is one for each piece that it receives, so an engine that drips would
        hold us for ever.
        """
        # A socket's path would be looked up on this machine, and its own engine would answer.
        if not self._host.is_local and not self._given.startswith(("tcp://", "ssh://", "http")):
            raise CannotTell(
                f"the Docker engine of {self._host.spec} cannot be asked from here "
                "without its tcp:// or ssh:// URL"
            )
        met: list[T] = []
        failed: list[BaseException] = []

        def work() -> None:
            import docker

            try:
                api = docker.APIClient(base_url=self.base_url, timeout=max(1, int(deadline) + 1))
                with api:
                    met.append(ask(api))
            except BaseException as error:  # noqa: BLE001 - judged in the thread that asked
                failed.append(error)

        what = f"the Docker engine at {printable(self.base_url)}"
        watch = Watch(what, deadline)
        asking = threading.Thread(target=work, daemon=True, name=what)
        asking.start()
        asking.join(deadline)
        if met:
            return met[0]
        if failed:
            raise self._meaning(failed[0], what, watch) from None
        raise TimedOut(what, deadline)

    def _meaning(self, error: BaseException, what: str, watch: Watch) -> BaseException:
        import docker
        import requests

        if isinstance(error, docker.errors.NotFound):
            return NotThere(f"{what}: {printable(str(error.explanation), 200)}")
        if isinstance(error, docker.errors.APIError):
            return Refused(f"{what}: {printable(str(error.explanation), 200)}")
        if not isinstance(
            error, (docker.errors.DockerException, requests.RequestException, OSError)
        ):
            return error
        meaning = meaning_of(error, what, watch)
        if isinstance(meaning, NoPermission):
            return NoPermission(
                f"{what}: we may not use it; members of the group docker may (`id -nG` lists ours)"
            )
        return meaning
