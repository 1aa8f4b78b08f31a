"""Checksums that are written down beside a file. Standard library only, no import from here."""

from __future__ import annotations

import os
import stat

_LONGEST = 1 << 20


def beside(path: str) -> str:
    """Return the SHA-256 that PATH.checksums has of a file, in hexadecimal; "" where it has none.

    Its lines are `SHA256:<hexadecimal>:<name>`, others are passed over.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(f"{path}.checksums", flags)
    except FileNotFoundError:
        return ""
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return ""
        lines = file.read(_LONGEST).split(b"\n")
    name = os.fsencode(os.path.basename(path))
    for one in lines:
        kind, _, rest = one.partition(b":")
        value, _, of = rest.partition(b":")
        if kind == b"SHA256" and of == name and len(value) == 64:
            return value.decode("ascii", "replace").lower()
    return ""
