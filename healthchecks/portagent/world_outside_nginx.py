"""A real nginx in front of the server of a world."""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plugins.outcomes import ToolMissing
from plugins.worlds import running

_PARTS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_UPGRADE = """
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";"""
_KEPT = (
    "default_type application/json;"
    """ return 200 '{"status":"ok","timestamp":1760000000000}';"""
)
_WHOLE = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  {temporary}
  types {{ text/html html; text/javascript js; text/css css; }}
  server {{
    listen 127.0.0.1:{port};
    root {folder}/root;
    {asking}
    {places}
  }}
}}
"""


@dataclass(frozen=True)
class Front:
    """How an nginx stands in front of a port.

    Args:
        behind: the port that it passes on.
        upgrades: whether it passes WebSocket upgrades on.
        read_timeout: how long it waits for the server, in nginx's words.
        passes: whether it passes anything on.
        asks: whether it asks for a name and a password.
        guards: whether it asks so for WebSockets alone.
        keeps: whether what it says of the server's health is long ago.
        pages: whether it serves the page itself.
    """

    behind: int
    upgrades: bool = True
    read_timeout: str = "3600s"
    passes: bool = True
    asks: bool = False
    guards: bool = False
    keeps: bool = False
    pages: bool = False

    def text(self, folder: Path, port: int) -> str:
        """Return its configuration."""
        inside = f"\n      proxy_pass http://127.0.0.1:{self.behind};"
        inside += f"\n      proxy_read_timeout {self.read_timeout};"
        inside += _UPGRADE if self.upgrades else ""
        block = f"{{{inside}\n    }}\n"
        names = ("/api/", "/ws") if self.pages else ("/",)
        places = "".join(f"    location {name} {block}" for name in names) if self.passes else ""
        places += "    location / { try_files $uri /index.html; }\n" if self.pages else ""
        who = f'auth_basic "who"; auth_basic_user_file {folder}/users;'
        asking = who if self.asks else ""
        places += f"    location = /ws {{ {who} {block[1:]}" if self.guards else ""
        places += f"    location = /health {{ {_KEPT} }}\n" if self.keeps else ""
        temporary = "".join(f"{name}_temp_path {folder}/{name};\n  " for name in _PARTS)
        return _WHOLE.format(
            folder=folder, port=port, temporary=temporary, asking=asking, places=places
        )


@contextlib.contextmanager
def serve(folder: Path, front: Front) -> Iterator[tuple[int, Path]]:
    """Run it until the end of the block; yield its port and its configuration.

    Raises:
        ToolMissing: there is no nginx on this machine.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise ToolMissing("nginx")
    folder.mkdir()
    (folder / "root").mkdir()
    (folder / "root/index.html").write_text("<h1>Welcome to nginx!</h1>", "ascii")
    (folder / "users").write_text("somebody:$1$x$y\n", "ascii")
    port = running.free_port()
    text = folder / "nginx.conf"
    text.write_text(front.text(folder, port), "utf-8")
    pid = running.blocked([program, "-p", str(folder), "-c", str(text)])
    try:
        running.until(lambda: _listens(port), f"nginx listens ({folder}/error.log)", 10.0)
        yield port, text
    finally:
        running.end(pid)


def _listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0
