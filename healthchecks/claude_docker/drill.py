"""The restore drill: the newest backup is restored into a scratch folder and looked through."""

from __future__ import annotations

from dataclasses import dataclass

from healthchecks.claude_docker.probes_backups import WHOLE
from healthchecks.claude_docker.shelf import CONFIGURATION, SETTINGS, TREE, begun, shelf
from healthchecks.claude_docker.system import ClaudeDocker
from healthchecks.claude_docker.tarball import read
from plugins import Blocked, CannotTell, printable, probe
from plugins.endpoints.errors import in_words
from plugins.endpoints.filesystem import Filesystem
from plugins.hands import drills
from plugins.hosts import Host
from plugins.run import Run


@dataclass(frozen=True)
class Drill:
    """What came of it.

    Args:
        path: the backup.
        files: how many files were restored.
        conversations: how many of them are conversations.
        faults: what is wrong with what was restored.
    """

    path: str
    files: int
    conversations: int
    faults: tuple[str, ...]

    def __str__(self) -> str:
        counted = f"{self.files} files, {self.conversations} conversations"
        return f"{printable(self.path)} was restored for a trial ({counted}), and is not right"


@probe(deadline=570.0)
def restore_drill(system: ClaudeDocker, filesystem: Filesystem, commands: Host, run: Run) -> Drill:
    """Restore the newest backup for a trial; nothing of it is left behind."""
    found = shelf(system, filesystem, commands)
    backup = next((one for one in found.full if begun(one, filesystem)), None)
    if backup is None:
        raise Blocked(WHOLE, f"there is no backup in {printable(found.root)}")
    inner = ""
    if backup.kind == "archive":
        archive = read(backup, commands, run, 300.0)
        if archive.faults(expected=False):
            return Drill(backup.path, 0, 0, archive.faults(expected=False))
        inner = archive.inner
    place = system.settings.path(system.settings.drill_folder)
    with in_words(backup.path):
        told = commands.call(drills.rehearse, backup.path, inner, place, deadline=560.0)
    if told["room"]:
        raise CannotTell(f"a restore drill was not held: {told['room']}")
    faults: list[str] = [*told["faults"]]
    if not told["faults"]:
        expected = filesystem.exists(system.config_file)
        faults += _lacking(told["documents"], told["folders"], expected)
    shown = tuple(printable(fault) for fault in faults)
    return Drill(backup.path, told["files"], told["conversations"], shown)


def _lacking(documents: dict[str, str], folders: list[str], expected: bool) -> list[str]:
    """Say what a restored backup lacks, by the names of what came of it."""
    names = (CONFIGURATION, f"{TREE}/.{CONFIGURATION}", f"{TREE}/{SETTINGS}")
    faults = [f"{name}: {documents[name]}" for name in names if documents.get(name)]
    if TREE not in folders:
        faults.append(f"{TREE}/ is missing")
    if expected and not {CONFIGURATION, f"{TREE}/.{CONFIGURATION}"} & documents.keys():
        faults.append(f"{CONFIGURATION} is missing")
    return faults
