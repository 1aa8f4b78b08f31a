"""Starts the whole suite as a user does, on a systems file, and holds what it left behind."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from healthchecks.pocket_agent.world import World

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
# What a terminal obeys: C0 but line breaks, DEL, C1, bidirectional controls, lone surrogates.
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
FORBIDDEN = ("Traceback", "INTERNALERROR", "most recent call last", "PytestUnhandled")
# Deadlines of the settings, short enough for a test.
QUICK = {"connect_deadline": 1.0, "health_deadline": 1.0}
_MARK = "HEALTHCHECKS_TEST_RUN"


@dataclass(frozen=True)
class Look:
    """What one run of the suite came to.

    Args:
        status: its exit status.
        terminal: standard output and error together.
        document: the result document; {} when none was written.
        folder: where its reports and its state lie.
        seconds: wall time.
        left: processes that outlived it, as "pid command".
    """

    status: int
    terminal: str
    document: dict[str, Any]
    folder: Path
    seconds: float
    left: tuple[str, ...]

    def row(self, check: str) -> dict[str, Any]:
        """Return the one finding of a check of Pocket Agent, or of the full id."""
        wanted = check if "." in check else f"pocket_agent.{check}"
        (found,) = [row for row in self.document["findings"] if row["id"] == wanted]
        return dict(found)

    def told(self, check: str) -> str:
        """Return a finding's outcome, sentence and evidence in one text."""
        row = self.row(check)
        return "\n".join((f"{row['outcome']}: {row['message']}", *row["evidence"]))

    def artefacts(self) -> dict[str, str]:
        """Return the text of everything that the run wrote, by name, its terminal included."""
        found = {"the terminal": self.terminal}
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                name = path.relative_to(self.folder).as_posix()
                found[name] = f"{name}\n" + path.read_text("utf-8", "surrogateescape")
        return found


def open_the_way(folder: Path) -> None:
    """Let everybody go through a folder of the tests: pytest keeps all of its own to itself."""
    for above in (folder, *folder.parents):
        if above.stat().st_mode & 0o777 == 0o700:
            above.chmod(0o755)


def _toml(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=True).replace("\\u007f", "\x7f")


def systems_file(path: Path, tables: Mapping[str, Mapping[str, object]]) -> Path:
    """Write a systems file and return its path."""
    lines: list[str] = []
    for system, table in tables.items():
        lines += [f"[{system}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def suite(
    folder: Path,
    tables: Mapping[str, Mapping[str, object]] | Path,
    *options: str,
    systems: tuple[str, ...] = ("pocket_agent",),
    before: tuple[str, ...] = (),
    env: Mapping[str, str] | None = None,
    target: str = "healthchecks/",
    limit: float = 50.0,
    root: Path = ROOT,
) -> Look:
    """Run the suite once.

    Args:
        folder: an empty or new folder for reports and state.
        tables: what lies over the shipped systems.toml, or the file that does.
        options: further ones for pytest.
        systems: those asked for.
        before: words before the command, such as those that drop privileges.
        env: variables to lay over ours.
        target: what pytest is to collect.
        limit: seconds, after which the run counts as hanging and the test fails.
        root: the repository, or a copy of it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = tables if isinstance(tables, Path) else systems_file(folder / "systems.toml", tables)
    argv = [*before, sys.executable, "-m", "pytest", target, "--systems", str(file)]
    argv += [word for name in systems for word in ("--system", name)]
    argv += ["--health-json", str(folder / "health.json"), "--html", str(folder / "health.html")]
    argv += [f"--junitxml={folder / 'junit.xml'}", "-o", f"cache_dir={folder / 'cache'}", *options]
    mark = uuid.uuid4().hex
    variables = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), _MARK: mark, **(env or {})}
    began = time.monotonic()
    status, left = _ended(argv, variables, root, folder / "terminal.txt", limit)
    seconds = time.monotonic() - began
    document = folder / "health.json"
    return Look(
        status,
        (folder / "terminal.txt").read_bytes().decode("utf-8", "surrogateescape"),
        json.loads(document.read_bytes()) if document.exists() else {},
        folder,
        seconds,
        tuple(f"{pid} {words}" for pid, words in left.items()),
    )


def _ended(
    argv: list[str], env: dict[str, str], root: Path, output: Path, limit: float
) -> tuple[int, dict[int, str]]:
    """Run to the end and return the exit status and the processes left behind, which are killed."""
    # To a file: a child that is left behind must not keep us waiting for the end of a pipe.
    with output.open("wb") as terminal:
        process = subprocess.Popen(
            argv,
            cwd=root,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
    try:
        status = process.wait(limit)
    finally:
        left = _marked(env[_MARK])
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return status, left


def _marked(mark: str) -> dict[int, str]:
    """Return the processes whose environment holds the mark of a run, by pid."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (entry / "environ").read_bytes():
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(entry.name)] = words.decode("utf-8", "replace")
        except OSError:
            continue
    return found


@cache
def ids(systems: tuple[str, ...] = ("pocket_agent",)) -> tuple[str, ...]:
    """Return the ids of the checks of some systems that run without --deep, sorted."""
    argv = [sys.executable, "-m", "pytest", "healthchecks", "--list-checks"]
    ran = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True)
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    slow = slow_ids()
    return tuple(sorted(r["id"] for r in rows if r["system"] in systems and r["id"] not in slow))


@cache
def slow_ids() -> frozenset[str]:
    """Return the ids of the checks that --deep adds."""
    argv = [sys.executable, "-m", "pytest", "healthchecks", "--list-checks", "-m", "slow"]
    ran = subprocess.run(argv, cwd=ROOT, check=False, capture_output=True, text=True)
    return frozenset(json.loads(line)["id"] for line in ran.stdout.splitlines())


def tree(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return what can be seen of everything below a folder, to compare it with a later look.

    Content counts, as a digest, up to 8 MiB; of what is larger, size and blocks do.
    """
    seen: dict[str, tuple[object, ...]] = {}
    for top, folders, files in os.walk(os.fsencode(folder)):
        for name in (*folders, *files):
            path = os.path.join(top, name)
            stat = os.lstat(path)
            said: object = stat.st_blocks
            if os.path.islink(path):
                said = os.readlink(path)
            elif os.path.isfile(path) and stat.st_size <= 8 << 20:
                with open(path, "rb") as stream:
                    said = hashlib.sha256(stream.read()).hexdigest()
            own = (stat.st_mode, stat.st_uid, stat.st_gid, stat.st_size, stat.st_mtime_ns)
            seen[os.fsdecode(path)] = (*own, said)
    return seen


def assert_sound(look: Look, systems: tuple[str, ...] = ("pocket_agent",)) -> None:
    """Assert what must hold of every run, whatever it looked at."""
    assert look.left == (), "left behind"
    assert look.document, look.terminal[-3000:]
    found = sorted(row["id"] for row in look.document["findings"])
    odd = sorted(set(found) ^ set(ids(systems)))
    assert found == list(ids(systems)), f"not one row for each selected check: {odd}"
    assert look.status == look.document["exit_status"] == _true_status(look), look.terminal[-3000:]
    assert look.document["summary"]["errors"] == []
    for name, text in look.artefacts().items():
        assert not [word for word in FORBIDDEN if word in text], (name, _around(text))
        if name in {"the terminal", "health.json", "health.html", "junit.xml"}:
            assert not CONTROLS.findall(_own(name, text)), name
    texts = json.dumps(look.document, ensure_ascii=False)
    assert not re.search(r"[\udc80-\udcff]", texts + look.terminal), "bytes that are not UTF-8"


def _own(name: str, text: str) -> str:
    """Return what strangers had a part in: of the page all but its scripts, its data unescaped."""
    if name != "health.html":
        return text
    data = re.search(r'(?s)<script type="application/json" id="data">(.*?)</script>', text)
    assert data, "a page without its data"
    rows = data[1].encode("ascii").decode("unicode_escape")
    return re.sub(r"(?s)<(script|style)\b.*?</\1>", "", text) + rows


def _around(text: str) -> str:
    at = min(text.find(word) for word in FORBIDDEN if word in text)
    return text[max(0, at - 200) : at + 2500]


def _true_status(look: Look) -> int:
    """Return the exit status that the rows of the document come to."""
    rows = look.document["findings"]
    known = {row["id"]: row for row in rows}
    ill = {row["severity"] for row in rows if row["outcome"] == "ill"}

    def unknown(row: dict[str, Any]) -> bool:
        seen: set[str] = set()
        while row["outcome"] == "blocked" and row["id"] not in seen:
            seen.add(row["id"])
            if row["blocked_by"] not in known:
                return True
            row = known[row["blocked_by"]]
        return row["outcome"] not in {"healthy", "ill", "fixed", "silenced", "absent"}

    if "P0" in ill:
        return 10
    if ill & {"P1", "P2"}:
        return 1
    return 11 if any(map(unknown, rows)) else 0


def looked(world: World, folder: Path, **settings: object) -> Look:
    """Run the suite on a spoilt world; assert that it was sound and that nothing was changed."""
    before = tree(world.folder)
    look = suite(folder / "run", {"pocket_agent": world.settings() | QUICK | settings})
    assert_sound(look)
    assert tree(world.folder) == before, "the run changed the world"
    return look
