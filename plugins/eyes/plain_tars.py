"""Archives that are not compressed, read to their end in flat memory, with their checksum.

Standard library only, so that a far host's own python3 can run it.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any

from plugins.eyes.tarballs import CHUNK, FLAGS, Late, Member, Timed, fit, walk


def read_plain(path: str, seconds: float) -> dict[str, Any]:
    """Read a tar that is not compressed to its last byte.

    Returns:
        fault, late, members, size and astray, as `read_through` tells them; bytes: of the file;
        sha256: of the file, in hexadecimal, "" where it was not read to its end.
    """
    told: dict[str, Any] = {"fault": "", "late": False, "members": 0, "size": 0, "astray": ""}
    told |= {"bytes": 0, "sha256": ""}

    def visit(member: Member) -> None:
        told["size"] += member.size
        if member.astray:
            told["astray"] = told["astray"] or member.name

    digest = hashlib.sha256()
    with open(os.open(path, FLAGS), "rb") as raw:
        told["bytes"] = os.fstat(raw.fileno()).st_size
        if fit(raw, told):
            plain = Timed(raw, seconds, digest)
            walk(plain, told, visit)
            try:
                # What is broken has a checksum too: it tells whether it was so on the server.
                while not told["late"] and plain.read(CHUNK):
                    pass
                told["sha256"] = "" if told["late"] else digest.hexdigest()
            except Late:
                told["late"] = True
    return told
