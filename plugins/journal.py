"""The journal: every step is written down with its inverse before it is taken.

One append-only file of JSON lines a run, mode 0600, brought to the disk line by line:

    {"run", "host", "at"}                                          once, first
    {"intended": N, "at", "check", "step", "inverse", "roots", "before", "slot", "targets"}
    {"taken": N, "after"}
    {"undone": N}                                                  by a roll-back or `--undo`

A crash between two lines is harmless: what was intended and not taken is told apart by `before`.
Contents of files are never written here; they stand in the run's quarantine.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import fcntl
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from plugins.entries import Entry, State, packed, read
from plugins.hands import files, tree
from plugins.hosts import Host
from plugins.outcomes import NoFact
from plugins.redaction import redact
from plugins.steps import Hands, Refusal, Step
from plugins.text import printable

PATIENCE_S = 2.0  # another run has the lock for the moment of its steps, again and again in a watch
BUSY = "another run is taking fixes now"


class Unkept(Refusal):
    """No journal can be kept, so the step was not taken; what is wrong is with the state folder."""


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner can look into, and return it.

    Raises:
        OSError: it cannot be made, or it is another user's, who could write in it what an undo
            would believe.
    """
    # mkdir's own `parents` would give the folders above the umask's mode.
    for folder in [*[above for above in path.parents if not above.exists()][::-1], path]:
        folder.mkdir(mode=0o700, exist_ok=True)
    status = path.stat()
    if status.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "it belongs to another user", str(path))
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):  # made under a wide umask
        path.chmod(stat.S_IMODE(status.st_mode) & ~(stat.S_IWGRP | stat.S_IWOTH))
    return path


@contextlib.contextmanager
def alone(folder: Path, patience: float = PATIENCE_S) -> Iterator[None]:
    """Hold the lock under which fixes are taken: one run at a time.

    Args:
        folder: the state folder.
        patience: seconds to wait for another run.

    Raises:
        Refusal: another run holds it; `Unkept`: the folder cannot be written to.
    """
    try:
        descriptor = os.open(private_folder(folder) / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Unkept(f"no journal can be kept in {folder}: {error.strerror}") from None
    try:
        _locked(descriptor, patience)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int, patience: float) -> None:
    ends = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= ends:
                raise Refusal(BUSY) from None
        time.sleep(0.02)


def states(targets: tuple[str, ...], hands: Hands, *, light: bool = False) -> dict[str, State]:
    """Return what stands at each of the targets now; `light` reads no content."""
    found: dict[str, State] = {}
    for path in targets:
        words = (path, hands.folders(), light)
        try:
            found[path] = hands.host.call(tree.state, *words, deadline=300.0)
        except (OSError, ValueError, NoFact) as error:
            found[path] = {"kind": f"cannot look: {error}"}
    return found


class Journal:
    """The journal of one run on one host.

    Args:
        folder: the state folder; the run gets `journal/RUN.jsonl` and `quarantine/RUN/` in it.
        run: the run's id.
        host: where the steps are taken.
        tell: takes a line of what a long step has done so far.
    """

    def __init__(
        self, folder: Path, run: str, host: Host, tell: Callable[[str], None] = lambda line: None
    ) -> None:
        self.run = run
        self.host = host
        self.tell = tell
        self.path = folder / "journal" / f"{run}.jsonl"
        self.quarantine = folder / "quarantine" / run
        self._counted = 0
        self._size = -1  # of the file, when its steps were counted

    def _append(self, row: dict[str, Any]) -> None:
        try:
            self._size = self._write(json.dumps(row).encode("ascii") + b"\n")
        except OSError as error:
            raise Unkept(f"{self.path} cannot be written: {error.strerror}") from None

    def _write(self, line: bytes) -> int:
        new = not self.path.exists()
        folder = private_folder(self.path.parent)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        with open(os.open(self.path, flags, 0o600), "rb+", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
                line = b"\n" + line  # a crash cut the last line; this one must not share its fate
            if file.write(line) != len(line):
                # A disk that is all but full takes a part of it; what was taken stays readable.
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file.fileno())
        if new:
            descriptor = os.open(folder, os.O_RDONLY)
            tree.sync(descriptor)
            os.close(descriptor)
        # Where somebody else wrote to it, what was counted is no longer true.
        return size + len(line) if size == max(self._size, 0) else -1

    def take(self, check: str, step: Step, roots: tuple[str, ...]) -> None:
        """Write the step down, take it, and write down what came of it.

        Raises:
            Unkept: it was not taken, as it cannot be written down.
            Refusal: it was not taken, or not to its end; `take_back` knows the difference.
        """
        number = self.count()
        if number == 0 and not self.path.exists():
            now = datetime.datetime.now().astimezone()
            self._append({"run": self.run, "host": self.host.spec, "at": now.isoformat()})
        slot = self._slot(number, step)
        hands = Hands(self.host, roots, slot, self.tell)
        light = bool(getattr(step, "light", False))
        before = states(step.targets, hands, light=light)
        inverse = step.inverse(hands)
        self._append(
            {
                "intended": number,
                "at": round(time.time(), 3),
                "check": check,
                "step": redact(printable(step.brief, 2000)),
                "inverse": [packed(back) for back in inverse],
                "roots": list(roots),
                "before": before,
                "slot": slot,
                "targets": list(step.targets),
                **({"light": True} if light else {}),
            }
        )
        self._counted = number + 1
        try:
            step.take(hands)
        except Refusal:
            if not step.targets:
                self._append({"undone": number})  # no look can tell later that it was refused
            raise
        try:
            self._append({"taken": number, "after": states(step.targets, hands, light=light)})
        except Unkept as why:
            raise Refusal(f"done, but {why}") from None

    def count(self) -> int:
        """Return how many steps were intended so far; the file is read where others wrote to it."""
        try:
            size = self.path.stat().st_size
        except OSError:
            size = 0
        if size != max(self._size, 0):
            self._counted, self._size = len(self.entries()), size
        return self._counted

    def _slot(self, number: int, step: Step) -> str:
        if not step.targets:
            return str(self.quarantine / "none")
        try:
            if self.host.is_local:
                private_folder(self.quarantine)
            else:
                self.host.run(("mkdir", "-p", "-m", "700", "--", str(self.quarantine)))
            # A name has up to 255 bytes, and some of ours go before and after it.
            name = os.fsdecode(os.fsencode(os.path.basename(step.targets[0]))[:150])
        except (OSError, ValueError, NoFact) as error:
            raise Unkept(f"no quarantine can be made in {self.quarantine}: {error}") from None
        return str(self.quarantine / f"{number:04d}-{name}")

    def entries(self) -> list[Entry]:
        """Return the steps in the order of taking; a cut last line is left out."""
        return read(self.path)

    def take_back(self, entry: Entry) -> str:
        """Take one step back.

        Returns:
            A sentence that says what was done.

        Raises:
            Refusal: somebody changed the target since, or nothing takes the step back.
        """
        hands = Hands(self.host, entry.roots, entry.slot, self.tell)
        known = entry.after is not None or any(getattr(one, "sure", 0) for one in entry.inverse)
        if not entry.targets and not known:
            raise Refusal(f"nobody knows whether this was done: {entry.step}")
        now = states(entry.targets, hands, light=entry.light)
        if now == entry.before and now != (entry.after or {}):
            return self._stands_as_before(entry, hands)
        if entry.after is not None and now != entry.after:
            changed = next(path for path in entry.after if now.get(path) != entry.after[path])
            raise Refusal(f"somebody changed {printable(changed)} since; left as it is")
        if not entry.inverse:
            raise Refusal(f"cannot be taken back: {entry.step}")
        for back in entry.inverse:
            back.take(hands)
        self._append({"undone": entry.number})
        return f"taken back: {entry.step}"

    def _stands_as_before(self, entry: Entry, hands: Hands) -> str:
        with contextlib.suppress(Refusal):
            hands.use(files.let_go, entry.targets[0], entry.slot, hands.folders())
        self._append({"undone": entry.number})
        how = "was never taken" if entry.after is None else "stands as before already"
        return f"{how}: {entry.step}"


def host_of(folder: Path, run: str) -> Host:
    """Return the host that a run's journal names.

    Raises:
        Refusal: there is no such journal.
    """
    path = folder / "journal" / f"{run}.jsonl"
    try:
        if run not in runs(folder):
            raise KeyError(run)
        with path.open("rb") as file:
            return Host(json.loads(file.readline())["host"])
    except (OSError, ValueError, KeyError):
        raise Refusal(f"there is no run {printable(run)} that took fixes") from None


def runs(folder: Path) -> list[str]:
    """Return the ids of runs that took fixes, the newest last."""
    return sorted(path.stem for path in (folder / "journal").glob("*.jsonl"))


def shed(folder: Path, former: list[str], keep: int = 5) -> list[str]:
    """Remove the old journals of a watch that keep nothing which an undo would give back.

    Args:
        folder: the state folder.
        former: the ids of its journals, the oldest first.
        keep: how many stay whatever they hold.

    Returns:
        The ids of those that are left.
    """
    left = []
    old = max(len(former) - keep, 0)
    for name in former[:old]:
        try:
            with contextlib.suppress(FileNotFoundError):
                (folder / "quarantine" / name).rmdir()
            (folder / "journal" / f"{name}.jsonl").unlink(missing_ok=True)
        except OSError:
            left.append(name)  # something of somebody's lies in its quarantine
    return left + former[old:]
