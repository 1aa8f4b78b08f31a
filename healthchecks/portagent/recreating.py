"""How its container is made anew with the same settings, and how its secret is fixed."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator

from healthchecks.portagent.probes_container import container
from healthchecks.portagent.probes_tokens import SigningSecret
from healthchecks.portagent.search_containers import data_inside
from healthchecks.portagent.system import Portagent
from plugins import Absent, CannotTell, printable
from plugins.arguments import Misgiven
from plugins.endpoints.commands import variables_in
from plugins.endpoints.docker import Container
from plugins.endpoints.engines import ALIVE
from plugins.endpoints.recreation import Change
from plugins.eyes import dated, reading
from plugins.hosts import Host
from plugins.inquiries import Note
from plugins.recovery import Within
from plugins.steps import CreateLike, FreshSecret, StaysUp, Step
from plugins.steps import Run as Command

NAME = "JWT_SECRET"
_COMPOSE = "com.docker.compose.project"
_SIZE = re.compile(r"(\d{1,9})([kmgKMG]?)[bB]?")
_UNITS = {"": 0, "k": 10, "m": 20, "g": 30}
_STOP = 120.0  # seconds; the engine itself waits for 10, or for as long as it was told
_LARGEST = 1 << 20
_LEAST = 6 << 20  # bytes: the engine refuses less
AGAIN = Note("Everybody who is logged in has to log in once more.")


def change(memory: str, cpus: str, log_size: str, log_count: str) -> Change:
    """Return what is to differ, as a person types it.

    Raises:
        Misgiven: it is none of what Docker takes.
    """
    size = _bytes(memory, "memory") if memory else 0
    if memory and size < _LEAST:
        raise Misgiven(f"memory={printable(memory)} is less than the engine takes, 6m")
    if log_size:
        _bytes(log_size, "log_size")
    try:
        nano, count = round(float(cpus or 0) * 1e9), int(log_count or 0)
    except (ValueError, OverflowError):
        nano = count = -1
    if not 0 <= nano < 10**13 or not 0 <= count < 1000:
        raise Misgiven("cpus is a number such as 2 or 1.5, log_count one such as 3")
    return Change(size, nano, log_size.lower(), count)


def _bytes(text: str, what: str) -> int:
    found = _SIZE.fullmatch(text)
    if found is None:
        raise Misgiven(f"{what}={printable(text)} is no size such as 512m or 2g")
    return int(found[1]) << _UNITS[found[2].lower()]


def recreated(system: Portagent, commands: Host, wanted: Change) -> Iterator[Step | Note]:
    """Yield the steps that make the container anew; the former one stays, stopped and renamed.

    Raises:
        Absent: it runs in no container.
        CannotTell: the former one would not stay, or holds the data itself.
    """
    docker, one = container(system, commands)
    _demand_lasting(system, one)
    words = ("docker", "--host", docker.base_url)
    stamp = commands.call(dated.stamped, "%Y%m%d-%H%M%S")
    if one.state in ALIVE:
        again = (*words, "start", one.id)
        yield Command((*words, "stop", one.id), undo=again, deadline=_STOP)
    rename = (*words, "rename", one.id)
    yield Command((*rename, f"{one.name}-before-{stamp}"), undo=(*rename, one.name))
    yield CreateLike(
        docker.base_url,
        one.id,
        one.name,
        wanted.memory,
        wanted.nano_cpus,
        wanted.log_size,
        wanted.log_files,
        wanted.fresh,
    )
    policy = one.settings.restart
    if policy != "no":
        # After the new one was made, which has the former one's policy, and before it starts.
        held = (*words, "update", "--restart=no", one.id)
        yield Command(held, undo=(*words, "update", f"--restart={policy}", one.id))
    start, stop = (*words, "start", one.name), (*words, "stop", "--time", "5", one.name)
    yield Command(start, undo=stop, deadline=60.0)
    yield StaysUp(docker.base_url, one.name)
    yield Note(f"When all is well: docker rm {one.name}-before-{stamp}")
    if any(name == _COMPOSE for name, _ in one.labels):
        yield Note("It was made by docker compose: put into its file what is to differ, too.")


def _demand_lasting(system: Portagent, one: Container) -> None:
    """Refuse a container that would not stay when it is stopped, or that holds the data itself."""
    if one.auto_remove:
        raise CannotTell(
            f"{one.name} removes itself when it is stopped (--rm): nothing could be taken back"
        )
    if not system.data_dir or system.data_dir.startswith("/proc/"):
        raise CannotTell(
            f"its data lies inside of {one.name}, in no volume: the new one would start without any"
            f" account. Copy it out first (`docker cp {one.name}:{data_inside(one)} <folder>`), and"
            " make it anew by hand with that folder as its volume"
        )


def secret_fixed(
    system: Portagent, commands: Host, signing_secret: SigningSecret, new: str
) -> Iterator[Step | Note | Within]:
    """Yield the steps that give it a secret which stays.

    Raises:
        Misgiven: `new` is neither yes nor no.
        CannotTell: it has one already, or it is set where no step of ours reaches.
    """
    if new not in {"yes", "no"}:
        raise Misgiven(f"new={printable(new, 40)}: it is yes or no")
    if not signing_secret.trouble and new != "yes":
        raise CannotTell(
            f"{NAME} is fixed already ({signing_secret.source}); for another: --with new=yes"
        )
    found = system.variable(NAME)
    source = found.source if found is not None else ""
    if source.startswith("--"):
        raise CannotTell(f"take {source} off its command line: it goes before every variable")
    if system.container:
        yield from recreated(system, commands, Change(fresh=(NAME,)))
        yield AGAIN
        return
    path = _file(system, commands, source)
    yield FreshSecret(path, NAME)
    if system.unit:
        words = (system.settings.systemctl, *(("--user",) if system.users_unit else ()))
        yield Command((*words, "restart", system.unit), deadline=60.0)
    else:
        yield Note("It counts from its next start on: nothing here tells how it is started.")
    yield AGAIN


def _file(system: Portagent, commands: Host, source: str) -> str:
    """Return the file of variables in which the secret is to stand."""
    rows = commands.call(reading.at, list(system.variable_files), _LARGEST)
    there = [path for path in system.variable_files if rows[path]["kind"] == "file"]
    setting = [path for path in there if NAME in variables_in(str(rows[path]["text"]))]
    if setting:
        return setting[0]
    if source and source != system.unit_file:
        raise CannotTell(f"it is set by {source}, which goes before its files: change it there")
    if source:
        raise CannotTell(f"it stands in {source} itself: put an EnvironmentFile there instead")
    # A unit's own file first; else that of its working folder, which it reads by itself.
    named = [path for path in there if os.path.basename(path) not in {".env", ".env.local"}]
    candidates = (*(named if system.unit else ()), *system.variable_files)
    if not candidates:
        raise Absent("a file of variables for it", system.variable_files)
    return str(candidates[0])
