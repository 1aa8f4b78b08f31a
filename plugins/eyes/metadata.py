"""One small JSON file in each folder of a folder, read and told apart in one pass.

Standard library only, and no import from this project: a far host's python3 runs this source.
No link is followed and nothing that is not a regular file is read.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import time
from typing import Any

Row = list[Any]


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _some_number(_digits: str) -> int:
    return 0


# Numbers are not asked for, and one of five thousand digits is refused by int() but not by JSON.
_DECODER = json.JSONDecoder(parse_constant=_no_number, parse_int=_some_number)
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY
_ERRORS = {errno.ELOOP: "a symbolic link", errno.ENXIO: "a socket"}


def survey(top: str, file: str, fields: list[str], limit: int) -> dict[str, list[Row]]:
    """Read `file` in every folder of `top`; 10,000 of them take about a fifth of a second.

    Args:
        top: the folder of folders; a missing or forbidden one is an OSError.
        file: the name of the JSON file in each.
        fields: the text fields to give back; the first two must be there and not empty.
        limit: bytes over which a file is not read.

    Returns:
        good: a row [folder name, *fields] each, None for a field that is not there;
        broken: [folder name, why, identity, mode, uid] each; identity is "" where no file stands;
        missing: [folder name] of each folder without the file;
        denied: [folder name] of each that we may not read;
        others: [name, what] of links in `top`, which are no folders of it;
        now: one row with the host's time in seconds since 1970.
    """
    found: dict[str, list[Row]] = {
        "good": [],
        "broken": [],
        "missing": [],
        "denied": [],
        "others": [],
    }
    with os.scandir(top) as entries:
        for entry in entries:
            name = entry.name
            if entry.is_symlink():
                found["others"].append([name, "a symbolic link"])
            elif entry.is_dir(follow_symlinks=False):
                kind, row = _one(f"{top}/{name}/{file}", name, fields, limit)
                found[kind].append(row)
    for rows in found.values():
        rows.sort(key=_first)
    found["now"] = [[time.time()]]
    return found


def _first(row: Row) -> str:
    return str(row[0])


def _one(path: str, name: str, fields: list[str], limit: int) -> tuple[str, Row]:
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        return "missing", [name]
    except PermissionError:
        return "denied", [name]
    except OSError as error:
        return "broken", _strange(path, name, _ERRORS.get(error.errno or 0, str(error.strerror)))
    try:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            return "broken", _strange(path, name, _kind(seen.st_mode))
        if seen.st_size > limit:
            return "broken", _broken(name, f"larger than our limit of {limit >> 10} KiB", seen)
        content = os.read(descriptor, seen.st_size + 1)
    except OSError as error:
        return "broken", _strange(path, name, str(error.strerror))
    finally:
        os.close(descriptor)
    values = read(content, fields)
    if isinstance(values, str):
        return "broken", _broken(name, values, seen)
    return "good", [name, *values]


def read(content: bytes, fields: list[str]) -> list[str | None] | str:
    """Give the text fields of a JSON object, or why it is not one, in a few words."""
    if not content:
        return "empty"
    try:
        said = _DECODER.decode(content.decode())
        values = [said.get(field) for field in fields]
    except UnicodeDecodeError as error:
        return f"not UTF-8 at byte {error.start}"
    except json.JSONDecodeError as error:
        return _where(content, error)
    except ValueError as error:
        return f"not JSON: {error}"
    except RecursionError:
        return "nested too deeply"
    except AttributeError:
        return "JSON, but no object"
    for number, value in enumerate(values):
        if not (value is None or value.__class__ is str):
            return f"{fields[number]} is no text"
        if number < 2 and not value:
            return f"no {fields[number]}"
    return values


def _where(content: bytes, error: json.JSONDecodeError) -> str:
    if not content.strip(b"\0"):
        return "nothing but null bytes"
    if content.startswith(b"\xef\xbb\xbf"):
        return "not JSON: a byte order mark stands before it"
    return f"not JSON at line {error.lineno} column {error.colno}"


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a FIFO" if stat.S_ISFIFO(mode) else "a device or socket"


def _broken(name: str, why: str, seen: os.stat_result) -> Row:
    identity = f"{seen.st_dev}:{seen.st_ino}:{seen.st_size}:{seen.st_mtime_ns}"
    return [name, why, identity, stat.S_IMODE(seen.st_mode), seen.st_uid]


def _strange(path: str, name: str, what: str) -> Row:
    try:
        uid = os.lstat(path).st_uid
    except OSError:
        uid = -1
    return [name, what, "", 0, uid]
