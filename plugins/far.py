"""How a command or an eye travels to a far host: words only, nothing is started here."""

from __future__ import annotations

import base64
import inspect
import json
import shlex
import sys
import zlib
from collections.abc import Callable, Mapping
from math import ceil
from typing import Any

from plugins.outcomes import CannotTell, NotThere, TooBig, ToolMissing, WrongKind

# Written to the far standard error before the command starts: without it the transport failed.
BEGAN = "healthchecks: begun"
_MISSING = "healthchecks: no such program"
_NO_FOLDER = "healthchecks: no such folder"
# Linux takes at most 128 KiB in one word of a command line.
LONGEST_SCRIPT = 120_000
LARGEST_ANSWER = 128 << 20

_FAR_SIDE = """\
import base64, json, sys, types, zlib
modules, function, args = json.loads(zlib.decompress(base64.b64decode(sys.argv[1])))
for name, source in modules:
    for package in (name.partition(".")[0], name.rpartition(".")[0]):
        sys.modules.setdefault(package, types.ModuleType(package)).__path__ = []
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name, "exec"), module.__dict__)
try:
    answer = {"answer": getattr(module, function)(*args)}
except OSError as error:
    where = error.filename if isinstance(error.filename, str) else None
    answer = {"errno": error.errno, "strerror": error.strerror, "filename": where}
print("\\n" + json.dumps(answer))
"""


def script(
    argv: tuple[str, ...], deadline: float, stdin: bytes, env: Mapping[str, str], cwd: str | None
) -> str:
    """Return one line for a far /bin/sh, in ASCII, that runs argv and tells that it began."""
    if any("\0" in word for word in argv):
        raise WrongKind(f"{argv[0]!r}: an argument holds a NUL character")
    if bad := [name for name in env if not name.isidentifier()]:
        raise WrongKind(f"not a name of a variable: {bad[0]!r}")
    program = shlex.quote(argv[0])
    feed = f"printf %s {base64.b64encode(stdin).decode()} | base64 -d | " if stdin else ""
    parts = [
        f"echo '{BEGAN}' >&2",
        *([f"cd -- {shlex.quote(cwd)} || {{ echo '{_NO_FOLDER}' >&2; exit 126; }}"] if cwd else []),
        *(f"export {name}={shlex.quote(value)}" for name, value in env.items()),
        f"command -v -- {program} >/dev/null || {{ echo '{_MISSING}' >&2; exit 127; }}",
        "set --",
        # On the far side nobody else ends a command whose caller has given up.
        f"command -v timeout >/dev/null && set -- timeout -s KILL {max(1, ceil(deadline))}",
        f'{feed}"$@" {shlex.join(argv)}',
    ]
    line = "; ".join(parts)
    if not line.isascii():
        raw = line.replace("\\", "\\\\").replace("%", "%%").encode("utf-8", "surrogateescape")
        octal = "".join(chr(byte) if byte < 128 else f"\\{byte:03o}" for byte in raw)
        line = f'eval "$(printf {shlex.quote(octal)})"'
    # The login shell of the far user may be fish or csh: these words it cannot misread.
    line = f"/bin/sh -c {shlex.quote(line)}"
    if len(line) > LONGEST_SCRIPT:
        raise TooBig(f"the command line of {argv[0]}", LONGEST_SCRIPT)
    return line


def errand(function: Callable[..., object], args: tuple[object, ...]) -> tuple[str, ...]:
    """Return the argv that calls an eye with JSON arguments on a host that does not have it."""
    modules = [(name, inspect.getsource(sys.modules[name])) for name in _needed(function)]
    parcel = [modules, function.__name__, args]
    packed = base64.b64encode(zlib.compress(json.dumps(parcel).encode(), 9)).decode()
    return ("python3", "-I", "-X", "utf8", "-c", _FAR_SIDE, packed)


def _needed(function: Callable[..., object]) -> list[str]:
    """Return the function's module after those of the same package that it takes functions from."""
    name = function.__module__
    package = name.rpartition(".")[0] + "."
    values = [v for v in vars(sys.modules[name]).values() if inspect.isfunction(v)]
    others = [v for v in values if v.__module__ != name and v.__module__.startswith(package)]
    return [*dict.fromkeys(needed for other in others for needed in _needed(other)), name]


def answer(status: int, out: bytes, complaint: str, what: str) -> object:
    """Return what a far eye answered; raises its OSError again, or `CannotTell`."""
    if status != 0:
        raise CannotTell(f"{what} failed: {complaint or f'exit status {status}'}")
    try:
        told: dict[str, Any] = json.loads(out.rstrip().rpartition(b"\n")[2])
    except (ValueError, RecursionError):
        raise WrongKind(f"{what} answered something that is not JSON") from None
    if "errno" in told:
        raise OSError(told["errno"], told["strerror"], told["filename"])
    return told["answer"]


def unmarked(err: bytes, status: int, program: str, spec: str) -> bytes:
    """Return the standard error without our mark; raises when the command did not even begin."""
    before, began, after = err.partition(f"{BEGAN}\n".encode())
    if not began:
        why = err.decode("utf-8", "backslashreplace").strip() or f"exit status {status}"
        raise NotThere(f"{spec} cannot be reached: {why.splitlines()[-1]}")
    if status == 127 and _MISSING.encode() in after:
        raise ToolMissing(f"{program} is not installed on {spec}")
    if status == 126 and _NO_FOLDER.encode() in after:
        raise NotThere(f"the folder to run {program} in is not there on {spec}")
    return before + after
