"""How the small server is told what to do: a JSON file, the environment and flags."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from healthchecks.pocket_agent.configuration import read_configuration

_LEVELS = ("debug", "info", "warn", "error")
_SECTIONS = ("websocket", "execution")
_INTEGERS = {"port", "websocket.max_message_size", "execution.max_projects"}
_BOOLEANS = {"tls_enabled"}


class Refusal(Exception):  # noqa: N818 - it is an answer of the real program
    """The server will not start; `msg` and `error` are the two fields of its last log line."""

    def __init__(self, msg: str, error: str) -> None:
        self.msg = msg
        self.error = error
        super().__init__(error)


@dataclass
class Configuration:
    """The settings in force; dotted keys of the file are kept in `values`."""

    root: Path
    values: dict[str, object] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """Return the value of `key` as text; "" when it is not set."""
        return str(self.values.get(key, ""))

    def number(self, key: str) -> int:
        """Return the value of `key` as an integer."""
        return int(self.text(key))

    @property
    def tls(self) -> bool:
        """Whether the server speaks TLS."""
        return self.values["tls_enabled"] is True


def flags() -> argparse.ArgumentParser:
    """Return the flags: the real ones first, then those that make this server misbehave."""
    parser = argparse.ArgumentParser(prog="pocket-agent-server", allow_abbrev=False)
    for real in ("--root-dir", "--config", "--log-level", "--data-dir"):
        parser.add_argument(real, default="")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--debug", type=int, default=0, metavar="PORT")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("--dialect", choices=("real", "guide", "both"), default="real")
    parser.add_argument("--loopback", action="store_true", help="listen on 127.0.0.1 only")
    for seconds, default in (("idle", 300.0), ("hold", 5.0), ("health-delay", 0.05), ("slow", 0.0)):
        parser.add_argument(f"--{seconds}", type=float, default=default, metavar="SECONDS")
    for limit, count in (("max-connections", 100), ("per-address", 10), ("per-minute", 60)):
        parser.add_argument(f"--{limit}", type=int, default=count, metavar="N")
    parser.add_argument("--metrics", nargs="?", const="own", default="", metavar="FILE")
    parser.add_argument("--unhealthy", action="append", default=[], metavar="CHECK[=STATUS]")
    parser.add_argument("--state", action="append", default=[], metavar="ID=STATE")
    parser.add_argument("--hang", nargs="?", const="http", default="", choices=("http", "tcp"))
    parser.add_argument("--drip", nargs="?", type=float, const=0.1, default=0.0, metavar="SECONDS")
    for switch in ("silent", "flood", "strip-upgrade", "spin"):
        parser.add_argument(f"--{switch}", action="store_true")
    parser.add_argument("--spawn", default="", metavar="FILE", help="what SIGUSR1 is to start")
    return parser


def _complaint(text: str, error: json.JSONDecodeError) -> str:
    rest = text[error.pos :].lstrip()
    if not rest:
        return "unexpected end of JSON input"
    return f"invalid character '{rest[0]}' looking for beginning of value"


def _from_json(text: str) -> dict[str, object]:
    try:
        loaded = json.loads(text)
    except json.JSONDecodeError as error:
        said = f"failed to parse config file: {_complaint(text, error)}"
        raise Refusal("Failed to load configuration", said) from error
    if not isinstance(loaded, dict):
        said = "failed to parse config file: json: cannot unmarshal array into Go value"
        raise Refusal("Failed to load configuration", said)
    values: dict[str, object] = {}
    for key, value in loaded.items():
        if key in _SECTIONS and isinstance(value, dict):
            values |= {f"{key}.{inner}": held for inner, held in value.items()}
        else:
            values[key] = value
    for key, kind, name in _kinds():
        if key in values and type(values[key]) is not kind:
            said = f"json: cannot unmarshal value into Go struct field Config.{key} of type {name}"
            raise Refusal("Failed to load configuration", f"failed to parse config file: {said}")
    return values


def _kinds() -> list[tuple[str, type, str]]:
    return [(key, int, "int") for key in _INTEGERS] + [(key, bool, "bool") for key in _BOOLEANS]


def _typed(key: str, value: str) -> object:
    if key in _INTEGERS:
        return int(value)
    return value.lower() in ("true", "1") if key in _BOOLEANS else value


def _from_file(path: Path, guide: bool) -> dict[str, object]:
    try:
        text = path.read_text("utf-8", "replace")
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        said = f"failed to read config file: open {path}: {reason}"
        raise Refusal("Failed to load configuration", said) from error
    if guide and path.suffix in (".yaml", ".yml"):
        return dict(read_configuration(str(path), text).values)
    return _from_json(text)


def _from_environment(
    environment: Mapping[str, str], defaults: Mapping[str, object]
) -> dict[str, object]:
    values: dict[str, object] = {}
    for key in defaults:
        name = "POCKET_AGENT_" + key.upper().replace(".", "_")
        if name not in environment:
            continue
        try:
            values[key] = _typed(key, environment[name])
        except ValueError as error:
            said = f'strconv.Atoi: parsing "{environment[name]}": invalid syntax'
            raise Refusal("Failed to load configuration", f"invalid {name}: {said}") from error
    return values


def _defaults(root: Path) -> dict[str, object]:
    return {
        "port": 8443,
        "host": "0.0.0.0",  # noqa: S104 - the real default, which the real program only logs
        "tls_enabled": False,
        "tls_cert_file": str(root / "certs/server.crt"),
        "tls_key_file": str(root / "certs/server.key"),
        "data_dir": str(root),
        "log_level": "info",
        "log_file": str(root / "logs/pocket-agent.log"),
        "websocket.max_message_size": 1048576,
        "execution.max_projects": 100,
        "execution.claude_binary_path": "claude",
    }


def load(options: argparse.Namespace, environment: Mapping[str, str]) -> Configuration:
    """Return the settings in force: defaults, then file, then environment, then flags.

    Raises:
        Refusal: the real program would not start with these, for the same reason in its words.
    """
    root = Path(options.root_dir or "~/.pocket_agent").expanduser()
    values = _defaults(root)
    file = Path(options.config) if options.config else root / "config.json"
    if options.config or file.exists():
        values |= _from_file(file, options.dialect == "guide")
    values |= _from_environment(environment, values)
    told = {"port": options.port, "data_dir": options.data_dir, "log_level": options.log_level}
    values |= {key: value for key, value in told.items() if value}
    found = Configuration(root, values)
    _judge(found)
    return found


def _judge(found: Configuration) -> None:
    wrong = ""
    if not 1 <= found.number("port") <= 65535:
        wrong = f"invalid port: {found.number('port')} (must be between 1-65535)"
    elif found.text("log_level") not in _LEVELS:
        allowed = "must be one of: debug, info, warn, error"
        wrong = f"invalid log_level: {found.text('log_level')} ({allowed})"
    elif found.tls:
        for key, what in (("tls_cert_file", "TLS cert"), ("tls_key_file", "TLS key")):
            if not wrong and not Path(found.text(key)).exists():
                wrong = f"{what} file not found: {found.text(key)}"
    if wrong:
        raise Refusal("Failed to load configuration", f"invalid configuration: {wrong}")


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the parsed flags; an unknown one ends the program with a usage text and status 2."""
    return flags().parse_args(list(arguments))
