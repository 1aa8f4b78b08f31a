"""What the server's configuration file says that it cannot read, or reads in vain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from healthchecks.pocket_agent.keys import ignored_keys, wrong_values
from healthchecks.pocket_agent.probes_server_log import ServerLog
from healthchecks.pocket_agent.seat import RUNS
from healthchecks.pocket_agent.system import PocketAgent
from plugins import Absent, Blocked, CannotTell, NotThere, TooBig, probe
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.processes import Processes
from plugins.endpoints.systemd import Systemd
from plugins.outcomes import NoFact

# Variables of the guide that the JSON-only server does not read, and what it reads instead.
_IN_VAIN = {
    "PA_PORT": "POCKET_AGENT_PORT",
    "PA_DATA_DIR": "POCKET_AGENT_DATA_DIR",
    "PA_LOG_LEVEL": "POCKET_AGENT_LOG_LEVEL",
    "PA_LOG_FILE": "POCKET_AGENT_LOG_FILE",
    "PA_LOG_FORMAT": "nothing like it",
    "PA_LOG_RAW_OUTPUT": "nothing like it",
    "PA_ENABLE_PPROF": "nothing like it",
    "PA_TRACE_ENABLED": "nothing like it",
}


@dataclass(frozen=True)
class ConfigurationFile:
    """The configuration file as the server meets it.

    Args:
        path: where it is.
        refused: what makes the server refuse to start.
        in_vain: what it ignores without a word.
    """

    path: str
    refused: tuple[str, ...]
    in_vain: tuple[str, ...]


@probe
def configuration_file(
    system: PocketAgent,
    processes: Processes,
    filesystem: Filesystem,
    systemd: Systemd,
) -> ConfigurationFile:
    """What the configuration file says that the server refuses or ignores."""
    if not system.config:
        raise Absent("a configuration file: the server runs with its defaults", (system.root_dir,))
    try:
        text = filesystem.text(system.config, follow=True)
    except NotThere:
        return ConfigurationFile(system.config, ("it is not there",), ())
    except TooBig as met:
        return ConfigurationFile(system.config, (str(met),), ())
    if not text.lstrip("\ufeff \t\r\n").startswith("{"):
        return _not_json(system, text, ServerLog(system, filesystem, systemd))
    if text.startswith("\ufeff"):
        return ConfigurationFile(system.config, ("a byte order mark stands before its JSON",), ())
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as met:
        return ConfigurationFile(system.config, (f"it is not JSON: {met}",), ())
    in_vain = (*ignored_keys(document), *_variables(system.pids, processes))
    return ConfigurationFile(system.config, wrong_values(document), in_vain)


def _no_language(text: str) -> str:
    """What is wrong with a text that is neither JSON nor YAML."""
    return "it is neither JSON nor YAML" if text.strip() else "it is empty"


def _is_commented_out(text: str) -> bool:
    """Whether it is YAML that leaves every setting at its default."""
    return bool(text.strip()) and not any(
        line.partition("#")[0].strip(" \t-") for line in text.splitlines()
    )


def _not_json(system: PocketAgent, text: str, log: ServerLog) -> ConfigurationFile:
    """YAML is well with a server that reads it; whether this one does, it or its log tells.

    Raises:
        Blocked: it does not run, and no log tells why.
    """
    json_wanted = system.config.endswith(".json")
    if system.dialect != "yaml" and (json_wanted or not _is_commented_out(text)):
        return ConfigurationFile(system.config, (_no_language(text),), ())
    if system.pids:
        said = system.configuration.values.items()
        # What a variable is put in for can only be told by who puts it in.
        plain = {name: value for name, value in said if not str(value).startswith("$")}
        return ConfigurationFile(system.config, wrong_values(plain), ())
    try:
        refused = any("failed to parse config file" in one.text for one in log.records())
    except NoFact:
        refused = False
    if not refused:
        raise Blocked(RUNS, "the server does not run, and it alone knows whether it reads YAML")
    return ConfigurationFile(system.config, ("it is YAML, and this server reads JSON only",), ())


def _variables(pids: tuple[int, ...], processes: Processes) -> Iterator[str]:
    """The variables that the running server was given and does not read."""
    for pid in pids[:1]:
        try:
            given = processes.environment(pid, tuple(_IN_VAIN))
        except CannotTell:
            return
        for name in given:
            yield f"{name} in its environment: it reads {_IN_VAIN[name]}"
