"""What stands around the server of a world: the proxy in front, the page, the provider."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.portagent.world import World

NOBODY = "http://provider.invalid"


class Outside:
    """What stands around the server of a world: the proxy in front, the page, the provider."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ending = contextlib.ExitStack()
        self._given: dict[str, str] = {}

    def build(self) -> None:
        """Make it as a healthy host has it; nobody beyond this machine is asked."""
        self._world.change(provider_url=NOBODY, env_files=[str(self._file)])

    def close(self) -> None:
        """End its servers."""
        self._ending.close()

    @property
    def _file(self) -> Path:
        return self._world.folder / "portagent.env"

    def given(self, **variables: str) -> None:
        """Give the server further variables: by its environment when it starts, else by a file."""
        self._given |= variables
        self._world.server.environment |= variables
        lines = [f"{name}={value}\n" for name, value in self._given.items()]
        self._file.write_text("".join(lines), "utf-8")
        self._file.chmod(0o600)

    def provider(self, how: str = "well", *, seal: str = "good", takes: str = "") -> int:
        """Let a provider answer on loopback, and return its port.

        Args:
            how: the name of a behaviour in world_outside_provider.py.
            seal: "good", "expired", "of_another", "unknown", "none" where TLS is awaited in
                vain, or "" for plain HTTP.
            takes: the one key that it takes; "" for any.
        """
        from healthchecks.portagent import world_outside_provider as providers

        serving = providers.serve(self._world.folder, how, seal, takes)
        port, authority = self._ending.enter_context(serving)
        self.given(NO_PROXY="")  # that of this machine, if any, is none of the world's
        if authority:
            self.given(NODE_EXTRA_CA_CERTS=authority)
        scheme = "https" if seal else "http"
        self._world.change(provider_url=f"{scheme}://localhost:{port}", provider_deadline=2.0)
        return port

    def black_hole(self) -> None:
        """Let the provider be at an address that answers nothing."""
        from healthchecks.portagent import world_outside_provider as providers

        port = self._ending.enter_context(providers.black_hole())
        self._world.change(provider_url=f"https://127.0.0.1:{port}", provider_deadline=1.0)

    def way_out(self, how: str = "lets_through", user: str = "") -> int:
        """Let the server go to its provider through a proxy, and return its port.

        Args:
            how: the name of a behaviour in world_outside_ways.py.
            user: such as "name:password", in the proxy's URL.
        """
        from healthchecks.portagent import world_outside_ways as ways

        port = self._ending.enter_context(ways.serve(how))
        place = f"{user}@127.0.0.1:{port}" if user else f"127.0.0.1:{port}"
        self.given(HTTPS_PROXY=f"http://{place}")
        return port

    def nginx_conf(self, text: str) -> Path:
        """Write an nginx.conf beside the server; $PORT in it becomes the server's port."""
        path = self._world.folder / "nginx.conf"
        path.write_text(text.replace("$PORT", str(self._world.server.port)), "utf-8")
        self._world.change(proxy_configs=[str(path)])
        return path

    def proxy(self, port: int = 0, **how: bool | str) -> int:
        """Let a real nginx stand in front of the server, and return its port.

        Args:
            port: that it passes on; 0 for the server's.
            how: see `Front` of world_outside_nginx.py.
        """
        from healthchecks.portagent import world_outside_nginx as nginx

        front = nginx.Front(port or self._world.server.port, **how)  # type: ignore[arg-type]
        folder = self._world.folder / "nginx"
        listening, text = self._ending.enter_context(nginx.serve(folder, front))
        self._world.change(proxy_configs=[str(text)], proxy_url=f"http://127.0.0.1:{listening}")
        return listening

    def asset(self, ending: str) -> Path:
        """Return the page's own script ("js") or style ("css")."""
        return next((self._world.server.public / "assets").glob(f"*.{ending}"))

    def page(self, head: str) -> Path:
        """Let index.html have this in its head, or let there be none; return its path.

        $SCRIPT, $STYLE and $DIGEST in it become the names of the page's own files in assets/, and
        what the script's integrity is.
        """
        import base64
        import hashlib

        path = self._world.server.public / "index.html"
        if not head:
            path.unlink()
            return path
        script = self.asset("js")
        digest = base64.b64encode(hashlib.sha384(script.read_bytes()).digest()).decode()
        names = {"$SCRIPT": script.name, "$STYLE": self.asset("css").name}
        for mark, name in {**names, "$DIGEST": f"sha256-old sha384-{digest}"}.items():
            head = head.replace(mark, name)
        path.write_text(f"<!doctype html><head>{head}</head><div id=root></div>", "utf-8")
        return path
