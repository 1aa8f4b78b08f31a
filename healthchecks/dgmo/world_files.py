"""What stands around the store of a world: configuration, programs, backups, temporary folders."""

from __future__ import annotations

import contextlib
import grp
import json
import os
import pwd
import shutil
import socket
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plugins.worlds.mcp_programs import written
from plugins.worlds.running import free_port

if TYPE_CHECKING:
    from healthchecks.dgmo.world import World

_PATTERNS = ("session-restore-*", "session-consolidation-*", "opencode-sessions", "verify-backup-*")
_PROGRAMS = {"dgmo": "0.3.1", "bun": "1.2.14", "node": "v22.1.0"}


class Files:
    """What stands around the store of a world.

    Args:
        world: that it belongs to.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.bin = world.folder / "bin"
        self.backups = world.folder / "backups" / "sessions"
        self.server_port = free_port()
        self._project = world.folder / "project"
        self._kept: list[Any] = []
        self._first: list[Path] = []  # the backup that a healthy host has

    @property
    def config(self) -> Path:
        """The configuration file of the world's generation."""
        if self._world.layout != "workspace":
            return self._world.config_home / "dgmo" / "config.json"
        return self._world.sessions.root / ".opencode" / "config.json"

    def build(self) -> None:
        """Make it as a healthy host has it."""
        for name, version in _PROGRAMS.items():
            self.program(name, f"echo {version}")
        self._world.change(
            programs=[f"{self.bin}/dgmo", f"{self.bin}/bun 1.2", f"{self.bin}/node 18"],
            server_port=self.server_port,
            temporary_folders=[str(self._world.tmp / pattern) for pattern in _PATTERNS],
        )
        if self._world.layout == "workspace":
            self.put(self.config, '{"agentMode": "all-tools", "experimental": {"mcp": true}}')
            self.put(self.config.with_name("app.json"), '{"name": "dgmo"}')
        else:
            self.put(self.config, '{"agentMode": "all-tools"}')
        self._first.append(self._archive(self._world.sessions.root, time.time()))

    def close(self) -> None:
        """End its servers."""
        for one in self._kept:
            if isinstance(one, ThreadingHTTPServer):
                one.shutdown()
                one.server_close()
            else:
                one.close()

    def hear(self) -> None:
        """Listen on the port of `dgmo serve`, and never answer."""
        self._kept.append(socket.create_server(("127.0.0.1", self.server_port)))

    def free_port(self) -> int:
        """Return a port that nobody listens on."""
        return free_port()

    def listen(self, status: int, text: str = "", *, on: str = "") -> str:
        """Answer every request so, on a free port or that of `dgmo serve`; return the URL.

        Args:
            status: of HTTP; 0 closes every connection without an answer.
            text: the body.
            on: "server" for the port of `dgmo serve`.
        """

        class Answering(BaseHTTPRequestHandler):
            def answer(self) -> None:
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("content-length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode() if self.command == "GET" else b"")

            do_GET = do_HEAD = answer  # noqa: N815 - the names are the library's

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        port = self.server_port if on else free_port()
        server = ThreadingHTTPServer(("127.0.0.1", port), Answering)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self._kept.append(server)
        return f"http://127.0.0.1:{port}"

    def put(self, path: Path, text: str) -> Path:
        """Write a file, its folders too, and return it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def project(self, name: str, text: str) -> Path:
        """Write a file of a project that the systems file names, and return it."""
        self._world.change(project_folders=[str(self._project)])
        return self.put(self._project / name, text)

    def program(self, name: str, script: str) -> Path:
        """Stand a shell script in the place of a program, and return it."""
        path = self.put(self.bin / name, f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def serve(self, behaviour: str = "good", **more: object) -> None:
        """Configure an MCP server that behaves so, alone, and let servers be started."""
        command = [sys.executable, str(written(self._world.folder, behaviour))]
        self.serve_as(behaviour, **({"type": "local", "command": command} | more))
        self._world.change(run_mcp_servers=True, mcp_seconds=1.5)

    def serve_as(self, name: str, **entry: object) -> None:
        """Configure an MCP server of a name, alone."""
        self.put(self.config, json.dumps({"mcp": {name: entry}}))

    def backup(self, *, hours: float, kind: str = "archive", of: Path | None = None) -> Path:
        """Back the store up as of some hours ago; what stands in it gets older than that.

        Args:
            hours: how old it is, by its name and its time of change.
            kind: "archive" or "folder".
            of: another tree to back up.
        """
        self.no_backup()
        tree = of or self._world.sessions.root
        for path in (*self._world.sessions.root.rglob("*"), *tree.rglob("*")):
            self._world.age(path, hours=hours + 1)
        moment = time.time() - hours * 3600
        if kind == "archive":
            made = self._archive(tree, moment)
        else:
            stamp = time.strftime("%Y%m%d_%H%M%S", time.localtime(moment))
            made = self.backups.with_name("dgmstt") / stamp
            shutil.copytree(tree, made / "copy" / tree.name)
        return self._world.age(made, hours=hours)

    def no_backup(self) -> None:
        """Take the backup away that a healthy host has."""
        while self._first:
            self._first.pop().unlink()
            with contextlib.suppress(OSError):  # others' backups lie there too
                self.backups.rmdir()
                self.backups.parent.rmdir()

    def _archive(self, tree: Path, moment: float) -> Path:
        """Archive a tree as of a moment, in seconds since 1970."""
        stamp = time.strftime("%Y-%m-%d_%H-%M-%S", time.localtime(moment))
        self.backups.mkdir(parents=True, exist_ok=True)
        made = self.backups / f"sessions_{stamp}.tar.gz"
        with tarfile.open(made, "w:gz") as tar:
            tar.add(tree, tree.name)
        made.chmod(0o600)
        return made

    def useless_backup(self, *, hours: float) -> Path:
        """Back up what the shipped script takes for sessions."""
        other = self._world.folder / ".opencode" / "sessions"
        self.put(other / "settings.json", "{}")
        return self.backup(hours=hours, of=other)

    def cut(self, path: Path) -> Path:
        """Leave only the first half of a file, as old as it was, and return it."""
        seen = path.stat()
        os.truncate(path, seen.st_size // 2)
        os.utime(path, (seen.st_mtime, seen.st_mtime))
        return path

    def dress(self, *, folders: int, files: int) -> None:
        """Give all folders and all files of the store these modes."""
        root = self._world.sessions.root
        for path in (*root.rglob("*"), root):
            path.chmod(folders if path.is_dir() else files)

    def another_group(self) -> int:
        """Return a group of ours that is not called as we are, else any that is not."""
        mine = pwd.getpwuid(os.geteuid()).pw_name
        ours = [one for one in grp.getgrall() if one.gr_name != mine]
        usable = [one.gr_gid for one in ours if os.geteuid() == 0 or one.gr_gid in os.getgroups()]
        return usable[0] if usable else os.getegid()

    def forget_sessions(self) -> None:
        """Take every session away, and its backup; the folders stay."""
        self.no_backup()
        for path in self._world.sessions.folder.rglob("*.json"):
            path.unlink()

    def lock(self, text: str) -> Path:
        """Leave a lock of the session backup, and return it."""
        return self.put(self._world.tmp / "session-backup.lock", text)

    def temporary(self, name: str) -> Path:
        """Leave a temporary folder that nobody has written to for two days, and return it."""
        folder = self._world.tmp / name
        self.put(folder / "info" / "ses_1.json", "{}")
        for path in (folder / "info" / "ses_1.json", folder / "info", folder):
            os.utime(path, (path.stat().st_mtime - 2 * 86400,) * 2)
        return folder
