"""What is seen of Docker: the conversation volume, and the image that the shell monitors use."""

from __future__ import annotations

import re
from dataclasses import dataclass

from healthchecks.crash_protection.engine import engine_url
from healthchecks.crash_protection.monitors import SHELL_KINDS, shell_text
from healthchecks.crash_protection.probes_monitor import Running, monitors_running
from healthchecks.crash_protection.system import CrashProtection
from healthchecks.crash_protection.volume import ENGINE, expected, signs_of_the_volume
from plugins import (
    Absent,
    Blocked,
    CannotTell,
    NoPermission,
    NotThere,
    Refused,
    TimedOut,
    printable,
    probe,
)
from plugins.endpoints.docker import Docker
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.processes import Process, Processes
from plugins.hosts import Host

MONITOR = "crash_protection.a_monitor_runs"
_HASHES = ("shasum", "sha256sum")
_SCRIPT_LIMIT = 1 << 20


@dataclass(frozen=True)
class VolumeSeen:
    """The volume of conversations: its name or folder, whether it is there, and volumes like it.

    Args:
        signs: what shows that conversations were copied from it.
    """

    name: str
    there: bool
    signs: tuple[str, ...]
    alike: tuple[str, ...]


@dataclass(frozen=True)
class HelperImage:
    """The image that the shell monitors copy with.

    Args:
        there: whether the engine has it.
        lacks: the program that the monitor calls in it and that it has not got, "" for none.
    """

    name: str
    there: bool
    lacks: str


@probe(deadline=20.0, every=60.0)
def conversation_volume(
    system: CrashProtection, filesystem: Filesystem, commands: Host
) -> VolumeSeen:
    """Whether the volume that conversations are kept in is there."""
    settings = system.settings
    if folder := settings.path(settings.volume_folder):
        return VolumeSeen(folder, filesystem.exists(folder), (), ())
    if not settings.volume:
        raise Absent(
            "a Docker volume of conversations, as the systems file says that there is none"
        )
    signs = signs_of_the_volume(system, filesystem)
    url = engine_url(system.settings, commands)
    if not url and not signs:
        raise Absent("Docker, and any sign of conversations in a volume", (system.folder,))
    try:
        volumes = {one.name for one in _answering(url, commands).volumes()}
    except (Blocked, NoPermission) as why:
        if expected(system, filesystem):
            raise
        raise Absent(f"a sign that conversations stand in a volume ({why})") from None
    there = settings.volume in volumes
    if not there and not signs:
        raise Absent(f"the volume {settings.volume}, and any sign of it", (system.folder,))
    alike = sorted(name for name in volumes if name.endswith(f"_{settings.volume}"))
    return VolumeSeen(settings.volume, there, signs, tuple(map(printable, alike[:5])))


def _answering(url: str, commands: Host) -> Docker:
    docker = Docker(commands, url)
    try:
        docker.ping()
    except (NotThere, Refused, TimedOut) as why:
        raise Blocked(ENGINE, str(why)) from None
    return docker


@probe(deadline=45.0, every=600.0)
def helper_image(
    system: CrashProtection, filesystem: Filesystem, processes: Processes, commands: Host
) -> HelperImage:
    """The image that the shell monitor copies with, where one of those protects here."""
    running, _ = monitors_running(system, filesystem, processes, commands)
    shell = [one for one in running if one.kind in SHELL_KINDS]
    if not running:
        raise Blocked(MONITOR, "no monitor runs that would need it")
    if not shell:
        raise Absent("a shell monitor: what protects here needs no image")
    settings = system.settings
    docker = _answering(engine_url(system.settings, commands), commands)
    name = settings.helper_image
    if not any(name in image.tags for image in docker.images()):
        return HelperImage(name, False, "")
    called = _called(name, shell, filesystem, processes)
    if not called:
        return HelperImage(name, True, "")
    limit = settings.helper_image_mib << 20
    held = docker.programs_in(name, _HASHES, limit=limit)
    # Which of the two is called is known only where the monitor's own text was seen.
    lacks = " or ".join(_HASHES) if called == _HASHES and not held else ""
    if len(called) == 1 and called[0] not in held:
        lacks = called[0]
    return HelperImage(name, True, lacks)


def _called(
    image: str, shell: list[Running], filesystem: Filesystem, processes: Processes
) -> tuple[str, ...]:
    """Return the SHA-256 programs that a monitor may call in the image; () where it needs none."""
    for one in shell:
        process = processes.one(one.pid)
        text = _text(process, filesystem) if process else ""
        # The same text names programs that it calls on the host, and those are none of the image.
        text = "\n".join(_within(image, text)) or text
        found = tuple(word for word in _HASHES if re.search(rf"\b{word}\b", text))
        if found:
            return found
        if one.kind == "guide" and not text:
            return _HASHES
    return ()


def _within(image: str, text: str) -> list[str]:
    """Return the commands that a shell text gives to a shell in containers of an image."""
    name = re.escape(image.partition(":")[0])
    call = rf"(?s)\b{name}(?::\S+)?\s+(?:/bin/)?(?:ba|a)?sh\s+-c\s+(['\"])(.*?)\1"
    return [inside for _, inside in re.findall(call, text)]


def _text(process: Process, filesystem: Filesystem) -> str:
    """Return what a shell was given to run: its words, or the script that they name."""
    if text := shell_text(process.argv):
        return text
    for word in process.argv[1:3]:
        if word.startswith("-"):
            continue
        path = word if word.startswith("/") else f"{process.cwd}/{word}"
        try:
            return filesystem.text(path, _SCRIPT_LIMIT, follow=True)
        except CannotTell:
            return ""
    return ""
