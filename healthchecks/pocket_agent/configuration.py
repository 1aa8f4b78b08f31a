"""Both dialects of the server's configuration, read into one flat mapping.

The real server reads flat JSON; its guide and packages write nested YAML. There is no YAML library
among the dependencies, and none is wanted for a file that the real server cannot read anyway: what
is read here is `key: value` nested by indentation, which is all that its documents use. Lists,
anchors and folded text are passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | float | bool

# What the guide's nested names are called in the real server's flat file.
YAML_NAMES = {
    "server.port": "port",
    "server.host": "host",
    "server.tls.enabled": "tls_enabled",
    "server.tls.cert": "tls_cert_file",
    "server.tls.cert_file": "tls_cert_file",
    "server.tls.key": "tls_key_file",
    "server.tls.key_file": "tls_key_file",
    "data.dir": "data_dir",
    "data_dir": "data_dir",
    "logging.file": "log_file",
    "logging.level": "log_level",
    "claude.binary": "execution.claude_binary_path",
    "timeouts.execution": "execution.command_timeout",
    "timeouts.idle": "idle_timeout",
    "limits.max_projects": "execution.max_projects",
    "limits.max_connections": "max_connections",
}


@dataclass(frozen=True)
class Configuration:
    """A configuration file as it was read.

    Args:
        dialect: "json", "yaml" or "none" (there is no file, or it is neither).
        values: dotted names, the real server's where both dialects have the thing, and values.
        error: why it could not be read; "" when it could.
    """

    dialect: str
    values: Mapping[str, Value] = field(hash=False)
    error: str = ""

    def text(self, name: str) -> str:
        """Give the value of a name as text; "" when it is not there."""
        value = self.values.get(name, "")
        return str(value).lower() if isinstance(value, bool) else str(value)


NO_CONFIGURATION = Configuration("none", {})


def read_configuration(path: str, text: str) -> Configuration:
    """Read the text of a configuration file in either dialect; its own errors become `error`."""
    if path.endswith((".yaml", ".yml")) or not text.lstrip("\ufeff \t\r\n").startswith("{"):
        return _from_yaml(text)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Configuration("json", {}, f"not JSON: {error}")
    return Configuration("json", dict(_flat("", content)))


def _flat(prefix: str, content: object) -> list[tuple[str, Value]]:
    if isinstance(content, dict):
        rows: list[tuple[str, Value]] = []
        for name, value in content.items():
            rows += _flat(f"{prefix}.{name}" if prefix else str(name), value)
        return rows
    return [(prefix, content)] if isinstance(content, str | int | float | bool) else []


def _from_yaml(text: str) -> Configuration:
    values: dict[str, Value] = {}
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        match = re.fullmatch(r"( *)([A-Za-z_][\w.-]*):(?:\s+(.*))?", line.split(" #")[0].rstrip())
        if match is None:
            continue
        depth, name, value = len(match[1]), match[2], (match[3] or "").strip()
        while above and above[-1][0] >= depth:
            above.pop()
        if value:
            dotted = ".".join([*(each for _, each in above), name])
            values[YAML_NAMES.get(dotted, dotted)] = _scalar(value)
        else:
            above.append((depth, name))
    if not values:
        return Configuration("none", {}, "neither JSON nor `key: value` lines")
    return Configuration("yaml", values)


def _scalar(value: str) -> Value:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    if value.lower() in {"true", "yes", "on", "false", "no", "off"}:
        return value.lower() in {"true", "yes", "on"}
    return int(value) if re.fullmatch(r"\d{1,15}", value) else value


def seconds(value: str) -> float:
    """Turn a Go duration such as "1m30s", or an integer of nanoseconds, into seconds; else 0."""
    if value.isdigit():
        return int(value) / 1e9
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)", value)
    return sum(float(number) * units[unit] for number, unit in parts)
