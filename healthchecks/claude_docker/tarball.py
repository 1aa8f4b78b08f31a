"""What an archive of a backup holds, read to its last byte once and remembered between runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from healthchecks.claude_docker.shelf import CONFIGURATION, SETTINGS, TREE, Backup
from plugins import archives, printable
from plugins.hosts import Host
from plugins.run import Run

_WANTED = [CONFIGURATION, f".{CONFIGURATION}", SETTINGS]


@dataclass(frozen=True)
class Tarball:
    """An archive that was read.

    Args:
        fault: why it does not read to its end, "" when it does.
        late: whether the reading was given up, as it took too long; nothing else is known then.
        top: the names of its first two levels.
        filled: those of them that hold anything.
        documents: the JSON documents in it, and what is wrong with each ("" for nothing).
    """

    fault: str
    late: bool
    top: frozenset[str]
    filled: frozenset[str]
    documents: tuple[tuple[str, str], ...]

    @property
    def inner(self) -> str:
        """The folder in it that holds the backup, which a renamed archive keeps; "" for none."""
        found = (name.rpartition("/") for name in sorted(self.top))
        return next((above for above, _, name in found if above and name == TREE), "")

    @property
    def file(self) -> bool:
        """Whether it holds the configuration file."""
        return f"{self.inner}/{CONFIGURATION}" in self.top

    def faults(self, expected: bool) -> tuple[str, ...]:
        """Return what keeps it from being restored.

        Args:
            expected: whether it must hold a configuration.
        """
        if self.late:
            return ("it could not be read to its end in time",)
        if self.fault:
            return (self.fault,)
        if not self.inner:
            return (f"{TREE}/ is missing in it",)
        if f"{self.inner}/{TREE}" not in self.filled:
            return (f"{TREE}/ in it is empty",)
        tree, plain = f"{self.inner}/{TREE}", f"{self.inner}/{CONFIGURATION}"
        known = dict(self.documents)
        inside = f"{tree}/.{CONFIGURATION}"
        lacks = expected and not {plain, inside} & known.keys()
        faults = [f"{CONFIGURATION} is missing in it"] if lacks else []
        names = (plain, inside, f"{tree}/{SETTINGS}")
        return (*faults, *(f"{name} in it: {known[name]}" for name in names if known.get(name)))


def read(backup: Backup, commands: Host, run: Run, seconds: float) -> Tarball:
    """Read an archive to its last byte, unless an earlier run did and it did not change since.

    A disk may lose bits of what did not change: `--deep` reads everything anew.

    Args:
        backup: of kind "archive".
        commands: the host.
        run: knows where is remembered what was read.
        seconds: after which the reading is given up.
    """
    return _typed(archives.read(backup.path, _WANTED, commands, run, seconds))


def read_once(path: str, commands: Host, seconds: float) -> Tarball:
    """Read an archive to its last byte, and remember nothing of it."""
    return _typed(archives.read_once(path, _WANTED, commands, seconds))


def known(backup: Backup, commands: Host, run: Run) -> bool:
    """Tell whether an archive was read by an earlier run and did not change since."""
    return archives.known(backup.path, commands, run)


def _typed(told: dict[str, Any]) -> Tarball:
    fault = told["fault"]
    if told["astray"] and not fault:
        fault = f"{printable(told['astray'])} in it leads out of the archive"
    elif not (fault or told["late"] or told["top"]):
        fault = "it holds nothing"
    return Tarball(
        fault=fault,
        late=bool(told["late"]),
        top=frozenset(told["top"]),
        filled=frozenset(told["filled"]),
        documents=tuple(sorted(told["documents"].items())),
    )
