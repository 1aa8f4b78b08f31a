"""The search for a Pocket Agent server: each thing from the first place that tells of it."""

from __future__ import annotations

import contextlib
import os.path
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from healthchecks.pocket_agent.commands import Command, ours, processes
from healthchecks.pocket_agent.configuration import (
    NO_CONFIGURATION,
    Configuration,
    read_configuration,
    seconds,
)
from plugins.endpoints.commands import unit_command
from plugins.eyes import files, reading
from plugins.hosts import Host

if TYPE_CHECKING:
    from healthchecks.pocket_agent.system import Settings

LIMIT = 1 << 20


class Search:
    """One search on one host; what was asked of it is looked at once."""

    def __init__(self, settings: Settings, host: Host) -> None:
        self.settings = settings
        self.host = host
        self._rows: dict[str, dict[str, object]] = {}

    def kinds(self, paths: tuple[str, ...]) -> tuple[str, ...]:
        """Give what stands at each path, "missing" for none; new paths are asked in one look."""
        new = [path for path in dict.fromkeys(paths) if path not in self._rows]
        if new:
            self._rows.update(self.host.call(reading.at, new, LIMIT))
        return tuple(str(self._rows[path]["kind"]) for path in paths)

    def there(self, paths: tuple[str, ...], *kinds: str) -> tuple[str, ...]:
        """Give the paths at which something stands, of those kinds where some are named."""
        paths = tuple(path for path in paths if path)
        seen = zip(paths, self.kinds(paths), strict=True)
        return tuple(path for path, kind in seen if kind != "missing" and kind in (kinds or kind))

    def first(self, paths: tuple[str, ...], *kinds: str) -> str:
        """Give the first of those paths; "" when there is none."""
        return next(iter(self.there(paths, *kinds)), "")

    def led_to(self, *paths: str) -> Iterator[str]:
        """Yield where each path leads, all its links followed, where that is elsewhere."""
        dead = self.there(paths, "silent")
        for path in (each for each in paths if each not in dead):
            with contextlib.suppress(OSError):
                real = self.host.call(files.resolve, path)
                if real != path:
                    yield real

    @cached_property
    def running(self) -> tuple[Command, ...]:
        """The server's running commands, oldest first."""
        settings = self.settings
        explicit = {
            "port": str(settings.port or ""),
            "config": settings.path(settings.config),
            "root-dir": settings.path(settings.root_dir),
            "data-dir": settings.path(settings.data_dir),
        }
        # A home named in the file is believed only where the server's own folder is in it: a server
        # that runs as a user of its own has another.
        home, root = settings.path("~"), settings.path(settings.default_root)
        named = settings.home != "~" and bool(self.there((root,)))
        found = processes(settings.program, self.host)
        mine = ours(found, explicit, home, named=named)
        if mine or not named or settings.config or settings.root_dir:
            return mine
        # A root folder without a configuration is left by a trial; the package's server is meant.
        shared = (
            "" if self.config_of(root) else self.first(settings.paths(settings.default_configs))
        )
        return ours(found, explicit | {"config": shared}, home, named=True) if shared else ()

    @cached_property
    def unit_file(self) -> str:
        """The systemd unit's file; "" when there is none."""
        settings = self.settings
        folders = settings.paths(settings.unit_folders) if settings.unit else ()
        return self.first(tuple(os.path.join(folder, settings.unit) for folder in folders), "file")

    @cached_property
    def command(self) -> Command:
        """The running command, else the unit's, else an empty one."""
        if self.running:
            return self.running[0]
        if not self.unit_file:
            return Command()
        return unit_command(str(self._rows[self.unit_file]["text"]), Command)

    @cached_property
    def root(self) -> str:
        """The root folder, there or not."""
        settings, command = self.settings, self.command
        home = command.environment.get("HOME", "")
        default = settings.default_root
        if home.startswith("/") and default.startswith("~/"):
            default = os.path.join(home, default[2:])
        said = command.absolute(command.flag("root-dir"))
        return settings.path(settings.root_dir) or said or settings.path(default)

    def config_of(self, root: str) -> str:
        """The configuration file in a root folder; "" when there is none."""
        return self.first(tuple(os.path.join(root, f"config.{kind}") for kind in ("json", "yaml")))

    @cached_property
    def config(self) -> str:
        """The configuration file, there or not; "" when none is named and none is found."""
        settings, command = self.settings, self.command
        named = settings.path(settings.config) or command.absolute(command.flag("config"))
        if named:
            self.kinds((named,))
            return named
        packaged = () if settings.root_dir else settings.paths(settings.default_configs)
        return self.config_of(self.root) or ("" if self.running else self.first(packaged))

    @cached_property
    def configuration(self) -> Configuration:
        """What the configuration file says."""
        if not self.config:
            return NO_CONFIGURATION
        row = self._rows[self.config]
        if row["kind"] != "file":
            return Configuration("none", {}, f"{self.config}: {row['kind']}")
        return read_configuration(self.config, str(row["text"]))

    def said(self, flag: str, variable: str, guide: str, name: str) -> str:
        """Give what a flag, POCKET_AGENT_<variable>, the guide's variable or the file says.

        The guide's PA_ variables are read only by a server that reads the guide's YAML.
        """
        value = self.command.said(flag, variable)
        if not value and guide and self.configuration.dialect == "yaml":
            value = self.command.environment.get(guide, "")
        return value or self.configuration.text(name)

    def said_path(self, flag: str, variable: str, guide: str, name: str) -> str:
        """Give such a value as an absolute path, relative ones taken from the working folder."""
        value = self.said(flag, variable, guide, name)
        return self.command.absolute(value, os.path.dirname(self.config))

    @cached_property
    def port(self) -> int:
        """The port that the server should listen on."""
        said = self.said("port", "PORT", "PA_PORT", "port")
        if self.settings.port or said.isdigit():
            return self.settings.port or int(said)
        default, ports = self.settings.default_port, self.command.ports
        return default if default in ports or not ports else ports[0]

    @property
    def port_told(self) -> bool:
        """Whether the port is known, and not assumed because what tells it may not be read."""
        said = self.said("port", "PORT", "PA_PORT", "port")
        if self.settings.port or said.isdigit() or self.command.ports:
            return True
        hidden = bool(self.running) and not self.command.environment
        return not hidden and not self.there((self.config,), "denied", "silent")

    @cached_property
    def data_dir(self) -> str:
        """The data folder, there or not."""
        settings = self.settings
        said = self.said_path("data-dir", "DATA_DIR", "PA_DATA_DIR", "data_dir")
        if settings.data_dir or said:
            return settings.path(settings.data_dir) or said
        if self.configuration.dialect == "json":
            return self.root
        beside = os.path.join(self.command.folder, "data") if self.command.folder else ""
        packaged = () if settings.root_dir else settings.paths(settings.default_data)
        places = tuple(filter(None, (beside, self.root, *packaged)))
        self.kinds((*places, *(os.path.join(place, "projects") for place in places)))
        full = (place for place in places if self.there((os.path.join(place, "projects"),)))
        return next(full, "") or self.first(places, "folder") or self.root

    @cached_property
    def tls(self) -> str:
        """Whether the server should speak TLS: "yes", "no", or "auto" when nothing tells."""
        said = self.said("", "TLS_ENABLED", "", "tls_enabled").lower()
        if self.settings.tls != "auto":
            return self.settings.tls
        if said:
            return "yes" if said in {"true", "1", "t"} else "no"
        if self.configuration.dialect == "yaml":
            return "yes" if self.configuration.text("tls_cert_file") else "auto"
        return "no" if self.configuration.dialect == "json" else "auto"

    def pem(self, explicit: str, variable: str, guide: str, name: str, file: str) -> str:
        """Give the certificate or key file, there or not; "" when TLS is off and there is none."""
        said = self.said_path("", variable, guide, name)
        if explicit or said:
            return self.settings.path(explicit) or said
        beside = (self.root, self.command.folder, os.path.dirname(self.config))
        places = (*beside, os.path.dirname(self.data_dir))
        candidates = tuple(os.path.join(place, "certs", file) for place in places if place)
        return self.first(candidates) or (candidates[0] if self.tls == "yes" else "")

    @cached_property
    def logs(self) -> tuple[str, ...]:
        """The log files to read, each that exists."""
        settings, command = self.settings, self.command
        if settings.logs:
            return settings.paths(settings.logs)
        configured = self.said_path("", "LOG_FILE", "PA_LOG_FILE", "log_file")
        printed = tuple(path for each in self.running for path in each.outputs)
        beside = os.path.join(command.folder, "server.log") if command.folder else ""
        packaged = () if settings.root_dir else settings.paths(settings.default_logs)
        places = (*printed, configured, self.start_log, beside, *packaged)
        return tuple(dict.fromkeys(self.there(places, "file", "too big", "denied")))

    @cached_property
    def start_log(self) -> str:
        """The file that takes a started server's output."""
        said, printed = self.settings.path(self.settings.start_log), self.command.outputs
        return said or next(iter(printed), os.path.join(self.root, "server.log"))

    @cached_property
    def binary(self) -> str:
        """The server's executable; "" when it is nowhere."""
        settings = self.settings
        if settings.binary:
            return settings.path(settings.binary)
        own = self.command.executable
        if os.path.basename(own) == settings.program:
            return own
        return "" if settings.root_dir else self.first(settings.paths(settings.default_binaries))

    @property
    def claude(self) -> str:
        """The Claude CLI's name or path."""
        variable, name = "EXECUTION_CLAUDE_BINARY_PATH", "execution.claude_binary_path"
        said = self.said("", variable, "PA_CLAUDE_BINARY", name)
        return self.settings.claude or said or "claude"

    @cached_property
    def start_command(self) -> tuple[str, ...]:
        """The words of the command that starts the server; () when none is known."""
        if self.settings.start_command:
            return self.settings.start_command
        if self.unit_file:
            user = ("--user",) if "/systemd/user" in self.unit_file else ()
            return ("systemctl", *user, "start", self.settings.unit)
        if self.running or not self.binary:
            return self.command.argv
        return (self.binary, *(("--config", self.config) if self.config else ()))

    @cached_property
    def account(self) -> tuple[str, int | None]:
        """The name (or number) and number of the server's user; ("", None) when nothing tells."""
        home = self.settings.path("~")
        name = self.settings.user or self.command.user
        if not name and f"{self.data_dir}/".startswith(f"{home}/"):
            self.kinds((home,))
            name = str(self._rows[home]["uid"])
        found = self.host.call(reading.accounts, [name]) if name else {}
        uid, known = (found[name][0], found[name][1]) if name in found else (None, name)
        if not isinstance(uid, int):
            uid = int(name) if name.isdigit() else None
        return str(known), uid

    @cached_property
    def traces(self) -> tuple[str, ...]:
        """The places at which something of the server was found; () when it is not on this host."""
        places = (self.config, self.data_dir, self.binary, self.unit_file)
        pids = tuple(f"process {command.pid}" for command in self.running)
        return pids + self.there(places)

    @cached_property
    def timeouts(self) -> tuple[float, float]:
        """The seconds that an execution, and an idle connection, may last."""
        settings, said = self.settings, self.configuration
        execution = seconds(said.text("execution.command_timeout")) or 300.0
        idle = seconds(said.text("idle_timeout")) or 300.0
        return settings.execution_timeout or execution, settings.idle_timeout or idle

    @property
    def looked_in(self) -> tuple[str, ...]:
        """The places that were looked at, in the order of looking."""
        settings = self.settings
        units = settings.paths(settings.unit_folders) if settings.unit else ()
        return (
            f"processes named {settings.program}",
            *(os.path.join(folder, settings.unit) for folder in units),
            self.config or os.path.join(self.root, "config.json"),
            *settings.paths(settings.default_configs),
            self.data_dir,
            *settings.paths(settings.default_data),
            *settings.paths(settings.default_binaries),
        )
