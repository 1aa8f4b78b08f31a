"""The variables that the server was given: by its process or container, and by its .env files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from healthchecks.portagent.system import Portagent
from plugins import NotThere, printable
from plugins.endpoints.docker import Container, Docker
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.processes import Processes
from plugins.hosts import Host
from plugins.redaction import Secret

# What its command line may say instead; it wins over everything else.
_OPTIONS = {
    "LLM_PROVIDER_KEY": ("--api-key",),
    "LLM_PROVIDER_URL": ("--api-url",),
    "LLM_PROVIDER_MODEL": ("--model",),
    "JWT_SECRET": ("--jwt-secret",),
}
_LARGEST = 1 << 20
_WHERE = (".env", ".env.local")  # the first wins, whatever its documents say


@dataclass(frozen=True)
class Variable:
    """A variable that was given, and by what; its value is shown to nobody.

    Args:
        value: as it was given.
        source: such as "the environment of process 12" or "/srv/.env".
    """

    value: Secret
    source: str


def given(
    system: Portagent,
    names: Sequence[str],
    commands: Host,
    processes: Processes,
    filesystem: Filesystem,
) -> dict[str, Variable]:
    """Return those of the named variables that the server was given, as it resolves them.

    Its command line comes before its environment, that before the .env file of its working folder
    or the one that --env-file names. A server that does not run is given what its container was
    made with, or what its env_files hold.

    Raises:
        NoPermission: its environment, or one of the files, is not ours to see.
        CannotTell: nor does the engine tell of its container.
    """
    found: dict[str, Variable] = {}
    for source, values in _sources(system, names, commands, processes, filesystem):
        for name in names:
            if name in values and name not in found:
                found[name] = Variable(Secret(values[name]), source)
    return found


def _sources(
    system: Portagent,
    names: Sequence[str],
    commands: Host,
    processes: Processes,
    filesystem: Filesystem,
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield what may give a variable, the strongest first."""
    running = processes.one(system.pid) if system.pid else None
    if running is None and system.container:
        docker = Docker(commands, system.settings.docker_url)
        for one in docker.containers():
            if one.name == system.container:
                yield from _made_with(one, names)
        return
    if running is None:
        for path in system.settings.paths(system.settings.env_files):
            yield printable(path), _lines(filesystem, path)
        return
    yield f"the command line of process {running.pid}", _said(running.argv, names)
    seen = processes.environment(running.pid, names)
    yield f"the environment of process {running.pid}", seen
    named = _options(running.argv, ("-e", "--env-file"))
    for path in (named,) if named else _WHERE:
        whole = os.path.join(running.cwd, path)
        yield printable(whole), _lines(filesystem, whole)


def _made_with(
    container: Container, names: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    words = [word.reveal() for word in container.settings.words]
    what = f"the container {printable(container.name)}"
    yield f"the command line of {what}", _said(words, names)
    pairs = container.settings.environment
    yield f"the environment of {what}", {n: v.reveal() for n, v in pairs if n in names}


def _said(argv: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    told = {name: _options(argv, _OPTIONS.get(name, ())) for name in names}
    return {name: value for name, value in told.items() if value}


def _options(argv: Sequence[str], options: Sequence[str]) -> str:
    """Return the value of the last of the options on a command line, "" where none is."""
    value = ""
    for place, word in enumerate(argv):
        option, equals, rest = word.partition("=")
        if option in options:
            value = rest if equals else "".join(argv[place + 1 : place + 2])
    return value


def _lines(filesystem: Filesystem, path: str) -> dict[str, str]:
    try:
        return dict(assignments(filesystem.text(path, limit=_LARGEST)))
    except NotThere:
        return {}


def assignments(text: str) -> Iterator[tuple[str, str]]:
    """Yield the names and values of a .env file; a value loses its quotes and its comment."""
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name.replace("_", "a").isalnum():
            continue
        if value[:1] in {'"', "'"}:
            yield name, value[1:].partition(value[0])[0]
        else:
            yield name, value.partition(" #")[0].rstrip()
