"""What all known issues of all systems cost on one log: speed, memory, and the next look.

Run `python bench/signatures.py [MB]`; the usual log has 1000 MB, of lines such as the watched
programs write, no two alike. One core is used. `grep` looks for the same fixed words in the C
locale. Exit status 1 when a goal is missed.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import timing

GOAL = 300.0
SPARE = 60.0
_LOOK = """
import json, resource, sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from plugins.endpoints.logs import Logs
from plugins.endpoints.signatures import load
from plugins.hosts import Host

tables = sorted(Path(sys.argv[1]).glob("healthchecks/*/known_issues.toml"))
signatures = tuple(one for table in tables for one in load(str(table)))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began, busy = time.perf_counter(), time.process_time()
seen = Logs(Host()).scan(sys.argv[2], signatures, cursor_folder=sys.argv[3], deadline=600.0)
took, busy = time.perf_counter() - began, time.process_time() - busy
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
hits = {key: one.count for key, one in sorted(seen.hits.items())}
told = [took, busy, seen.bytes_read, (after - before) / 1024, after / 1024, len(signatures), hits]
print(json.dumps(told))
"""
_RARE = """\
{stamp} +00:00 [ERR] portagent·queue/EventQueue: 'Failed to persist entry' {{@  error: 'database is locked',@}}
ERROR {bare} +5ms service=session Failed to read session ses_{word}: SyntaxError: Unexpected end of JSON input
{{"time":"{bare}Z","level":"ERROR","msg":"Server error","error":"too many open files"}}
"""
_ORDINARY = """\
{stamp} +00:00 [INF] portagent·network/WebSocketServer: 'Client connected' {{ connectionId: 'conn_{number}_{word}', totalConnections: {small} }}
{stamp} +00:00 [DBG] portagent·network/WebSocketConnection: 'Sent reliable message' {{@  msgId: 'conn_{number}_{word}_{small}',@}}
INFO  {bare} +{small}ms service=storage type=write path=session/message/ses_{word}/msg_{word} bytes={number}
{{"time":"{bare}.{small}Z","level":"INFO","source":"server.go:{small}","msg":"Message received","project_id":"{word}","connection":"{number}","bytes":{number}}}
{{"timestamp":"{bare}Z","level":"info","event":"sync_completed","container":"claude-session-{number}","duration_ms":{small},"payload":{{"files":{small},"id":"{word}"}}}}
"""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def block(chance: random.Random, lines: int) -> bytes:
    """Return some lines, each with numbers, times and words of its own, one in 2000 an issue."""
    # An @ stands for a line's end within one record.
    rare, ordinary = (
        [form.replace("@", "\n") for form in forms.splitlines(keepends=True)]
        for forms in (_RARE, _ORDINARY)
    )
    made = []
    for number in range(lines):
        forms = rare if chance.random() < 0.0005 else ordinary
        second = f"{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}"
        made.append(
            chance.choice(forms).format(
                stamp=f"2026-03-04 {second}.{chance.randrange(1000):03}",
                bare=f"2026-03-04T{second}",
                word="".join(chance.choices(_LETTERS, k=14)),
                number=chance.randrange(10**9) + number,
                small=chance.randrange(1000),
            )
        )
    return "".join(made).encode()


def written(path: Path, size: int) -> int:
    """Write a log of about so many bytes: sixteen different blocks in turn; return its bytes."""
    chance = random.Random(4)
    blocks = [block(chance, 20_000) for _ in range(16)]
    with path.open("wb") as log:
        while log.tell() < size:
            log.write(chance.choice(blocks))
        return log.tell()


def look(top: Path, log: Path) -> list[Any]:
    """Look at the log once in a process of its own; see `_LOOK` for what it tells."""
    script = top / "look.py"
    script.write_text(_LOOK)
    words = (sys.executable, str(script), str(timing.REPOSITORY), str(log), str(top / "cursors"))
    ran = timing.expected(timing.timed(words, top), 0)
    told: list[Any] = json.loads(ran.out)
    return told


def main() -> int:
    """Print the figures and return the exit status."""
    size = int(float(sys.argv[1] if len(sys.argv) > 1 else "1000") * 1e6)
    print(f"{timing.machine()}; a log of {size / 1e6:.0f} MB")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        top = Path(name)
        log = top / "mixed.log"
        size = written(log, size)
        os.sync()
        took, busy, _, grown, resident, count, hits = look(top, log)
        pace = size / busy / 1e6
        print(
            f"  first look, {count} signatures {took:7.2f} s, {busy:.2f} s of CPU: {pace:.0f} MB/s"
        )
        print(f"    resident memory {resident:.1f} MiB, {grown:.1f} MiB more than before; {hits}")
        with log.open("ab") as file:
            more = file.write(block(random.Random(5), 100))
        took, _, read, *_ = look(top, log)
        print(f"  next look, {more} bytes more {took:7.3f} s, {read} read")
        words = ["-F", "-c", "-e", "database is locked", "-e", "Unexpected end", "-e", "too many"]
        argv = ("env", "LC_ALL=C", "grep", *words, str(log))
        ran = timing.expected(timing.timed(argv, top), 0)
        print(f"  grep -F for three words {ran.cpu:7.2f} s of CPU; ours is {busy / ran.cpu:.1f} x")
    goals = pace >= GOAL and grown < SPARE and read == more
    return timing.verdict(
        f"{GOAL:.0f} MB/s, under {SPARE:.0f} MiB more, only what was appended is read again", goals
    )


if __name__ == "__main__":
    sys.exit(main())
