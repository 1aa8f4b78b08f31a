"""The files of a small Pocket Agent: configuration, certificate, projects, logs, programs."""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from healthchecks.pocket_agent import world_files
from healthchecks.pocket_agent.world_log import moment
from plugins.worlds.running import free_port

Layout = Literal["real", "guide"]
_REPOSITORY = Path(__file__).resolve().parents[2]


class Tree:
    """A healthy Pocket Agent's files in `folder`.

    Args:
        folder: an existing folder, or one to make.
        layout: "real" (JSON, one root folder) or "guide" (YAML, ./data and ./certs).
    """

    def __init__(self, folder: Path, layout: Layout = "real") -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._build(layout)

    def _build(self, layout: Layout) -> None:
        for entry in self.folder.iterdir():
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        self.layout: Layout = layout
        self.root = self.folder / "pocket_agent"
        self.data = self.root / "data" if self.guide else self.root
        self.config = self.root / ("config.yaml" if self.guide else "config.json")
        self.crt, self.key = self.root / "certs/server.crt", self.root / "certs/server.key"
        self.log = self.root / "server.log"
        self.program = world_files.executable(self.folder, _REPOSITORY)
        self.claude = world_files.script(self.folder / "bin/claude", world_files.CLAUDE)
        for made in (self.root, self.data / "projects", self.crt.parent, self.folder / "work"):
            made.mkdir(parents=True)
        if not self.guide:
            (self.root / "logs").mkdir(mode=0o755)
        self.data.chmod(0o750 if self.guide else 0o700)
        self._configuration = self._healthy_configuration()
        self.configure()
        self.certificate()
        self._write(self.log, world_files.earlier_log(self.guide), 0o644)
        self._projects: list[Path] = []
        for logs in (True, True, False):
            self.project(logs=logs)

    @property
    def guide(self) -> bool:
        """Whether it is laid out as the guide says."""
        return self.layout == "guide"

    @staticmethod
    def _write(path: Path, content: bytes, mode: int) -> Path:
        path.write_bytes(content)
        path.chmod(mode)
        return path

    def _healthy_configuration(self) -> dict[str, object]:
        if self.guide:
            tls: dict[str, object] = {"enabled": True, "cert_file": "./certs/server.crt"}
            tls["key_file"] = "./certs/server.key"
            return {
                "server": {"host": "127.0.0.1", "port": self.port, "tls": tls},
                "data_dir": "./data",
                "logging": {"level": "info", "file": "./server.log"},
                "timeouts": {"execution": "5m", "idle": "10m", "ping_interval": "30s"},
                "limits": {"max_connections": 100, "max_projects": 100},
                "claude": {"binary": str(self.claude)},
            }
        return {
            "port": self.port,
            "host": "0.0.0.0",  # noqa: S104 - it is not heeded: the switch --loopback is
            "tls_enabled": True,
            "tls_cert_file": str(self.crt),
            "tls_key_file": str(self.key),
            "data_dir": str(self.data),
            "log_level": "info",
            "log_file": str(self.root / "logs/pocket-agent.log"),
            "execution": {"claude_binary_path": str(self.claude)},
        }

    def configure(self, text: bytes | None = None, **keys: object) -> Path:
        """Write the configuration: `text` as it is, else the healthy one with `keys` laid over.

        A key that is None is dropped; a dictionary takes the whole place of what was there.
        """
        self._configuration |= keys
        kept = {key: value for key, value in self._configuration.items() if value is not None}
        if text is None:
            shown = world_files.yaml(kept) if self.guide else json.dumps(kept, indent=2) + "\n"
            text = shown.encode()
        return self._write(self.config, text, 0o644)

    def certificate(
        self,
        days: float = 365,
        names: tuple[str, ...] = ("localhost", "127.0.0.1"),
        key: Literal["EC", "RSA"] = "EC",
        not_before: float = 1,
    ) -> Path:
        """Write a new certificate and its key.

        Args:
            days: until it ends, from now; negative is expired.
            names: host names and addresses that it is for.
            key: the kind of key.
            not_before: since how many days it is valid; negative is not yet.
        """
        pem = world_files.private_key(key)
        self._write(self.key, pem, 0o600)
        made = world_files.certificate(pem, days, names, not_before)
        return self._write(self.crt, made, 0o644)

    def other_key(self) -> Path:
        """Put another key in the key's place, so that it no longer belongs to the certificate."""
        return self._write(self.key, world_files.private_key("EC", 1), 0o600)

    def project(
        self,
        id: str | None = None,  # noqa: A002 - the server's own word
        path: str | None = None,
        metadata: bytes | Mapping[str, object] | None = None,
        logs: bool = True,
    ) -> Path:
        """Add a project and return its folder.

        Args:
            id: its id and its folder's name; a new one when None.
            path: the path it works in, as it is; a new folder in `folder`/work when None.
            metadata: the file's bytes, or keys to lay over the healthy ones (None drops a key).
            logs: whether it has been used, and so has a message log.
        """
        identifier = str(uuid.uuid4()) if id is None else id
        if path is None:
            work = self.folder / "work" / f"project{len(self._projects) + 1}"
            work.mkdir(exist_ok=True)
            path = str(work)
        folder = self.data / "projects" / identifier
        folder.mkdir()
        folder.chmod(0o755)
        if not isinstance(metadata, bytes):
            metadata = world_files.metadata(identifier, path, self.guide, metadata or {})
        self._write(folder / "metadata.json", metadata, 0o644)
        self._projects.append(folder)
        if logs:
            self.message_log(-1)
        return folder

    def metadata(self, which: int = 0) -> Path:
        """Return the metadata file of the project that was added as number `which` (from 0)."""
        return self._projects[which] / "metadata.json"

    def message_log(
        self, which: int = 0, lines: bytes | None = None, name: str | None = None
    ) -> Path:
        """Write a message log of a project and return its path.

        Args:
            which: the project's number, from 0.
            lines: the file's content; a healthy conversation when None.
            name: a rotated log's name; None is the live log, to which current.jsonl points.
        """
        logs = self._projects[which] / "logs"
        logs.mkdir(exist_ok=True)
        link = logs / "current.jsonl"
        live = "messages_current.jsonl" if self.guide else f"messages_{self._stamp()}.jsonl"
        if link.is_symlink():
            live = os.readlink(link)
        content = world_files.conversation() if lines is None else lines
        written = self._write(logs / (name or live), content, 0o644)
        if name is None and not self.guide and not link.is_symlink():
            link.symlink_to(live)
        return written

    @staticmethod
    def _stamp() -> str:
        return time.strftime("%Y-%m-%d_%H-%M-%S")

    def log_line(self, line: Mapping[str, object] | str | bytes) -> None:
        """Append one line to server.log; a mapping is written in its dialect, dated now."""
        if isinstance(line, Mapping):
            line = world_files.log_line(line, self.guide)
        raw = line.encode() if isinstance(line, str) else line
        with self.log.open("ab") as log:
            log.write(raw.rstrip(b"\n") + b"\n")

    def now(self, ago: float = 0.0) -> str:
        """Return the time `ago` seconds before now, as the server writes times."""
        return moment(time.time_ns() - int(ago * 1e9))

    @staticmethod
    def age(path: Path, days: float) -> None:
        """Set a file's times to `days` days ago."""
        then = time.time() - days * 86_400
        os.utime(path, (then, then), follow_symlinks=False)

    def nginx_conf(self, text: str) -> Path:
        """Write nginx.conf beside the server; $PORT in it becomes the server's port."""
        content = text.replace("$PORT", str(self.port)).encode()
        return self._write(self.folder / "nginx.conf", content, 0o644)
