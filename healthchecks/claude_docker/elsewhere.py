"""Copies of backups off this machine, to restore from when nothing here can be."""

from __future__ import annotations

import os

from healthchecks.claude_docker.probes_budgets import in_cloud, on_disk
from healthchecks.claude_docker.restoring import Restoring, Source
from healthchecks.claude_docker.tarball import read_once
from plugins import CannotTell, NotThere, printable
from plugins.steps import Run, Step

_END = ".tar.gz"


def from_elsewhere(
    restoring: Restoring, source: str, backup: str, why: str = ""
) -> tuple[Source, tuple[Step, ...]]:
    """Return the newest archive off this machine, and the steps that bring it here.

    What lies in a cloud is looked through when it is here: before anything is replaced.

    Args:
        restoring: the recovery.
        source: "disk", "cloud", or "" for the first of them that has one.
        backup: the date of the one to take; the newest where it is empty.
        why: nothing here can be restored.

    Raises:
        NotThere: neither has one.
        CannotTell: `source` is no such place.
    """
    if source not in ("", "disk", "cloud"):
        raise CannotTell(f"source may be disk or cloud, and not {printable(source)}")
    settings, troubles = restoring.system.settings, [why] if why else []
    if source != "cloud":
        place = settings.path(settings.external_backups)
        for name in _newest_first(on_disk(restoring.system, restoring.filesystem), backup):
            path = os.path.join(place, name)
            told = read_once(path, restoring.commands, 300.0)
            faults = told.faults(expected=False)
            if not faults:
                return Source(path, told.inner, file=told.file), ()
            troubles.append(f"{printable(path)}: {', '.join(faults)}")
    if source != "disk":
        for name in _newest_first(in_cloud(restoring.system, restoring.commands), backup)[:1]:
            path = os.path.join(restoring.folder, f"from-cloud-{name}")
            remote = f"{settings.rclone_remote.rstrip('/')}/{name}"
            fetch = Run((settings.rclone, "copyto", remote, path), ("rm", "-f", path), 600.0)
            return Source(path, name.removesuffix(_END)), (fetch,)
    asked = {"disk": "on another disk", "cloud": "in a cloud"}
    where = asked.get(source, "on another disk or in a cloud")
    dated = f" of {printable(backup)}" if backup else ""
    raise NotThere("; ".join([*troubles, f"there is no copy{dated} {where} that can be restored"]))


def _newest_first(names: list[str] | None, backup: str) -> list[str]:
    archives = sorted((name for name in names or () if name.endswith(_END)), reverse=True)
    return [name for name in archives if not backup or name == f"{backup}{_END}"]
