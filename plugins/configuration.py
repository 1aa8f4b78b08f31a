"""The systems file in force: the shipped defaults, the user's file over them, the demo's over both.

Strict: an unknown table or key, a value of another type and a waiver without its three words are
usage errors that name the nearest right one.
"""

from __future__ import annotations

import datetime
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from plugins import queries
from plugins.alerts import settings
from plugins.finding import Waiver
from plugins.redaction import redact
from plugins.text import nearest, printable

_CHOICES = {"auto", "yes", "no"}
# The kinds of hosts that testinfra reaches.
_SCHEMES = {
    *("local", "ssh", "safe-ssh", "paramiko", "docker", "podman", "kubectl", "openshift"),
    *("ansible", "salt", "chroot", "lxc", "winrm"),
}
_WAIVER = {"until", "because", "owner"}


class Misconfigured(Exception):  # noqa: N818 - a usage error, shown as one sentence
    """The systems file cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Setting:
    """One value in force and where it comes from (`shipped`, the file's path, `demo`).

    Where the value is a table of queries, `origins` says whence each of them comes.
    """

    value: Any
    origin: str
    origins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Configuration:
    """Everything that the systems files say.

    Args:
        tables: system -> key -> setting.
        require: ids of checks that must have run.
        waivers: id of a check -> what was accepted.
        origin: the user's file, empty when there is none.
        notify: key of `[notify]` -> setting.
    """

    tables: Mapping[str, Mapping[str, Setting]]
    require: tuple[str, ...] = ()
    waivers: Mapping[str, Waiver] = field(default_factory=dict)
    origin: str = ""
    notify: Mapping[str, Setting] = field(default_factory=dict)

    @property
    def notified(self) -> dict[str, Any]:
        """The values of `[notify]` by key; {} where there is no such table."""
        return {key: setting.value for key, setting in self.notify.items()}

    def lay_over(self, tables: Mapping[str, Mapping[str, Any]], origin: str) -> Configuration:
        """Return the configuration with other values over these, checked key by key."""
        merged = {name: dict(table) for name, table in self.tables.items()}
        for system, table in tables.items():
            if system not in merged:
                known = [*merged, "require", "waivers", "notify"]
                name = f"table [{system}]" if isinstance(table, Mapping) else f"key {system}"
                raise Misconfigured(f"{origin}: unknown {name}{nearest(system, known)}")
            if not isinstance(table, Mapping):
                raise Misconfigured(f"{origin}: {system} must be a table, as in [{system}]")
            for key, value in table.items():
                if key not in merged[system]:
                    hint = nearest(key, list(merged[system]))
                    raise Misconfigured(f"{origin}: unknown key {key} in [{system}]{hint}")
                where, below = f"{origin}: {system}.{key}", merged[system][key]
                if isinstance(below.value, dict):
                    merged[system][key] = _tables(value, below, origin, where)
                    continue
                fitting = _fitting(value, below.value, where)
                _refuse_impossible(key, fitting, where)
                merged[system][key] = Setting(fitting, origin)
        return replace(self, tables=merged)


def _tables(value: Any, below: Setting, origin: str, where: str) -> Setting:
    """Return tables that people name, such as queries, laid over those below them."""
    try:
        merged = queries.laid(value, below.value, where)
    except ValueError as why:
        raise Misconfigured(str(why)) from None
    return Setting(merged, origin, {**below.origins, **dict.fromkeys(value, origin)})


def _notify(said: Any, below: Mapping[str, Setting], origin: str) -> dict[str, Setting]:
    """Return `[notify]` of a file over the one below it."""
    values = {key: setting.value for key, setting in below.items()}
    try:
        laid = settings.laid(said, values, f"{origin}: [notify]")
    except ValueError as why:
        raise Misconfigured(str(why)) from None
    return {**below, **{key: Setting(value, origin) for key, value in laid.items()}}


def _refuse_impossible(key: str, value: Any, where: str) -> None:
    """Refuse what no host and no port can be: it would end in much that cannot be told."""
    scheme, there, _ = str(value).partition("://")
    if key == "on" and (scheme not in _SCHEMES or not there):
        raise Misconfigured(f"{where}: no such kind of host{nearest(scheme, sorted(_SCHEMES))}")
    if key == "on" and redact(str(value)) != value:
        # It names the host in every report; and sshpass takes it where every user can read it.
        raise Misconfigured(f"{where} holds a password; let ssh use a key, as in ssh://me@box")
    if (key == "port" or key.endswith("_port")) and value not in range(65_536):
        raise Misconfigured(f"{where} must be a port (0 to 65535), not {value}")


def _fitting(value: Any, default: Any, where: str) -> Any:
    """Return the value as the type of its default, or say that it is none."""
    if isinstance(default, str) and default in _CHOICES:
        value = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
        if value not in _CHOICES:
            raise Misconfigured(f'{where} must be "auto", true or false, not {value!r}')
        return value
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(default):
        names = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}
        kind = names.get(type(default), "a list")
        raise Misconfigured(f"{where} must be {kind}, not {value!r}")
    if isinstance(default, list):
        # An empty default list has no example of its items; texts are what all of them hold.
        kinds = {type(item) for item in default} or {str, int}
        if any(type(item) not in kinds for item in value):
            raise Misconfigured(f"{where} must be a list of the kind {default!r}")
    return value


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.exists() and not path.is_file():
            raise Misconfigured(f"{path}: not a regular file")
        if path.stat().st_size > 1 << 20:
            raise Misconfigured(f"{path}: larger than 1 MiB, which no systems file is")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from None
    except RecursionError:
        raise Misconfigured(f"{path}: nested too deep for a systems file") from None
    except UnicodeDecodeError:
        raise Misconfigured(f"{path}: not a TOML file: it is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{path}: not a TOML file: {error}") from None


def _waivers(table: Any, origin: str) -> dict[str, Waiver]:
    waivers = {}
    if not isinstance(table, dict):
        raise Misconfigured(f'{origin}: waivers are tables, as in [waivers."SYSTEM.CHECK"]')
    for check, words in table.items():
        where = f'{origin}: [waivers."{check}"]'
        if not isinstance(words, dict):
            raise Misconfigured(f'{where} must be a table; the id stands in quotes: "SYSTEM.CHECK"')
        for key in words:
            if key not in _WAIVER:
                raise Misconfigured(f"{where}: unknown key {key}{nearest(key, sorted(_WAIVER))}")
        missing = sorted(_WAIVER - set(words))
        if missing:
            raise Misconfigured(f"{where} lacks {' and '.join(missing)}")
        until = words["until"]
        try:
            day = until if isinstance(until, datetime.date) else datetime.date.fromisoformat(until)
        except (TypeError, ValueError):
            raise Misconfigured(f"{where}: until must be a date such as 2027-01-31") from None
        for word in ("because", "owner"):
            if not isinstance(words[word], str) or not words[word].strip():
                raise Misconfigured(f"{where}: {word} must be a text that says something")
        iso = day.date() if isinstance(day, datetime.datetime) else day
        waivers[check] = Waiver(iso.isoformat(), words["because"], words["owner"])
    return waivers


def shipped(path: Path) -> Configuration:
    """Return the defaults that stand beside the checks."""
    origin = "shipped"

    def setting(value: Any, where: str) -> Setting:
        none = Setting({}, origin)
        held = isinstance(value, dict)
        return _tables(value, none, origin, where) if held else Setting(value, origin)

    said = _read(path)
    notify = said.pop("notify", {})
    below = {key: Setting(value, origin) for key, value in notify.items()}
    return Configuration(
        {
            system: {key: setting(value, f"{path}: {system}.{key}") for key, value in table.items()}
            for system, table in said.items()
        },
        notify=_notify(notify, below, origin),
    )


def with_file(configuration: Configuration, path: Path) -> Configuration:
    """Return the configuration with a user's file over it.

    Raises:
        Misconfigured: the file cannot be read or says something that is not known.
    """
    said = _read(path)
    origin = str(path)
    require = said.pop("require", [])
    if not isinstance(require, list) or not all(isinstance(item, str) for item in require):
        raise Misconfigured(f"{origin}: require must be a list of ids")
    waivers = _waivers(said.pop("waivers", {}), origin)
    notify = _notify(said.pop("notify", {}), configuration.notify, origin)
    merged = configuration.lay_over(said, origin)
    return Configuration(merged.tables, tuple(require), waivers, origin, notify)


def printed(configuration: Configuration) -> str:
    """Return the configuration as TOML, each key with a comment that says where it comes from."""
    lines = []
    user = printable(configuration.origin)
    if configuration.require:
        lines.append(f"require = {_toml(list(configuration.require))}  # {user}\n")
    for system, table in configuration.tables.items():
        lines.append(f"[{system}]")
        flat = [(key, s) for key, s in table.items() if not isinstance(s.value, dict)]
        lines += [f"{k} = {_toml(s.value)}  # {printable(s.origin, 4096)}" for k, s in flat]
        for key, setting in table.items():
            for name, row in setting.value.items() if isinstance(setting.value, dict) else ():
                origin = printable(setting.origins[name], 4096)
                lines += ["", f"[{system}.{key}.{name}]  # {origin}"]
                lines += [f"{word} = {_toml(said)}" for word, said in row.items()]
        lines.append("")
    lines += _printed_notify(configuration.notify)
    for check, waiver in configuration.waivers.items():
        lines.append(f"[waivers.{_toml(check)}]  # {user}")
        lines.append(f"until = {waiver.until}")
        lines += [f"because = {_toml(waiver.because)}", f"owner = {_toml(waiver.owner)}", ""]
    return "\n".join(lines)


def _printed_notify(notify: Mapping[str, Setting]) -> list[str]:
    def is_tables(value: Any) -> bool:
        return isinstance(value, list) and any(isinstance(row, dict) for row in value)

    flat = [(key, setting) for key, setting in notify.items() if not is_tables(setting.value)]
    lines = ["[notify]"] if notify else []
    lines += [f"{key} = {_toml(s.value)}  # {printable(s.origin, 4096)}" for key, s in flat]
    for key, setting in notify.items():
        for row in setting.value if is_tables(setting.value) else ():
            lines += ["", f"[[notify.{key}]]  # {printable(setting.origin, 4096)}"]
            lines += [f"{word} = {_toml(said)}" for word, said in row.items()]
    return [*lines, ""] if notify else []


def _toml(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    # JSON's strings, numbers, booleans and flat lists are TOML's too, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
