"""Whether the content of a file may have changed, without reading it. Standard library only."""

from __future__ import annotations

import os
import time

# A file system's clock ticks every few milliseconds, some every two seconds: what was written
# within a tick of our look may be written again without any trace.
_TICK_NS = 2_100_000_000


def marks(paths: list[str], follow: bool) -> list[str]:
    """Return one mark for each path, equal to a former one when the content is surely the same.

    Who may set the time of a file back cannot set back when its entry was changed (ctime). What
    was changed just now gets a mark that no later look gives again. With `follow`, the mark is of
    what a link leads to.
    """
    now = time.time_ns()
    found = []
    for path in paths:
        try:
            seen = os.stat(path, follow_symlinks=follow)
        except OSError as error:
            found.append(f"errno {error.errno}")
            continue
        mark = f"{seen.st_dev}:{seen.st_ino}:{seen.st_size}:{seen.st_mtime_ns}:{seen.st_ctime_ns}"
        newest = max(seen.st_mtime_ns, seen.st_ctime_ns)
        rights = f":{seen.st_mode:o}:{seen.st_uid}:{seen.st_gid}"
        found.append(mark + rights + (f":{now}" if newest > now - _TICK_NS else ""))
    return found
