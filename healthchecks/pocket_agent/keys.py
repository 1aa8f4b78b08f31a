"""What the server's JSON configuration may say: its keys, their types and their ranges.

The names are those of the real server; it ignores a key that it does not know, without a word.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping

_DURATION = re.compile(r"[+-]?(?:0|(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_LEVELS = ("debug", "info", "warn", "error")


def _whole(low: int, high: int) -> Callable[[object], str]:
    """A rule: a whole number from `low` to `high`."""

    def rule(value: object) -> str:
        well = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return "" if well else f"a whole number from {low} to {high}"

    return rule


def _text(value: object) -> str:
    return "" if isinstance(value, str) else "a string"


def _truth(value: object) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _level(value: object) -> str:
    well = isinstance(value, str) and value.lower() in _LEVELS
    return "" if well else f"one of {', '.join(_LEVELS)}"


def _duration(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return "" if value >= 0 else "a duration that is not negative"
    well = isinstance(value, str) and _DURATION.fullmatch(value) and not value.startswith("-")
    return "" if well else 'a duration such as "30s" or "5m", or whole nanoseconds'


_ANY_COUNT = _whole(0, 2**63 - 1)
_WEBSOCKET = {
    "read_timeout": _duration,
    "write_timeout": _duration,
    "ping_interval": _duration,
    "pong_timeout": _duration,
    "max_message_size": _whole(1024, 10 * 1024 * 1024),
    "write_buffer_size": _ANY_COUNT,
    "read_buffer_size": _ANY_COUNT,
}
_EXECUTION = {
    "command_timeout": _duration,
    "max_projects": _ANY_COUNT,
    "max_log_size": _ANY_COUNT,
    "max_messages_per_log": _ANY_COUNT,
    "claude_binary_path": _text,
}
_TOP = {
    "port": _whole(1, 65535),
    "host": _text,
    "tls_enabled": _truth,
    "tls_cert_file": _text,
    "tls_key_file": _text,
    "data_dir": _text,
    "log_level": _level,
    "log_file": _text,
}
_RULES: Mapping[str, Callable[[object], str]] = {
    **_TOP,
    **{f"websocket.{name}": rule for name, rule in _WEBSOCKET.items()},
    **{f"execution.{name}": rule for name, rule in _EXECUTION.items()},
}
_GROUPS = ("websocket", "execution")

# The names that documents of an older product use, and what the server reads in their place.
_OLDER = {
    "server": "port, host",
    "tls": "tls_enabled, tls_cert_file, tls_key_file",
    "timeouts": "websocket.read_timeout, websocket.ping_interval, execution.command_timeout",
    "limits": "execution.max_projects",
    "claude": "execution.claude_binary_path",
    "log_rotation": "nothing: its rotation is fixed",
}

# Keys that it knows and does not heed, the values that change nothing, and what is in force.
_FIXED: Mapping[str, tuple[tuple[object, ...], str]] = {
    "host": (("", "0.0.0.0", "::"), "it listens at every address"),  # noqa: S104
    "websocket.read_buffer_size": ((1024,), "its buffer has 1024 bytes"),
    "execution.max_projects": ((100,), "100 projects are its limit"),
    "execution.max_log_size": ((100 << 20,), "its message logs turn over at 100 MiB"),
    "execution.max_messages_per_log": ((10_000,), "its message logs turn over at 10000 messages"),
}


def ignored_keys(document: Mapping[str, object]) -> tuple[str, ...]:
    """Each key that the server ignores, with what it reads, or does, in its place."""
    return tuple(
        f"{name} is ignored; {why}"
        for name, value in _flat(document)
        if (why := _instead(name, value))
    )


def _instead(name: str, value: object) -> str:
    """What is in force in a key's place; empty where it is heeded, or changes nothing."""
    if name not in _RULES:
        return _nearest(name)
    same, why = _FIXED.get(name, ((value,), ""))
    return "" if value in same else why


def wrong_values(document: Mapping[str, object]) -> tuple[str, ...]:
    """Each value that the server would refuse, with what it must be."""
    known = ((name, value) for name, value in _flat(document) if name in _RULES)
    found = ((name, value, _RULES[name](value)) for name, value in known)
    return tuple(f"{name} is {value!r:.80}: must be {must}" for name, value, must in found if must)


def _flat(document: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Each key with its group before it, lower-case: the server does not mind the case."""
    for key, value in document.items():
        name = key.lower()
        if name in _GROUPS and isinstance(value, Mapping):
            for inner, below in value.items():
                yield f"{name}.{inner.lower()}", below
        else:
            yield name, value


def _nearest(name: str) -> str:
    """What is read in a key's place, or the key that may have been meant."""
    if name in _OLDER:
        return f"it reads {_OLDER[name]}"
    bare = {known.rpartition(".")[2]: known for known in _RULES}
    close = difflib.get_close_matches(name, [*_RULES, *bare], n=1, cutoff=0.5)
    if not close:
        return f"it reads none like it (of {len(_RULES)})"
    return f"the nearest that it reads is {bare.get(close[0], close[0])}"
