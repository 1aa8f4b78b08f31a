"""launchd: an agent's property list."""

from __future__ import annotations

import plistlib
import shlex

from plugins.schedules.job import GRACE_S, NAME, WITH_VARIABLES, Job, document, script


def agent(job: Job) -> dict[str, object]:
    """Return the keys of the property list."""
    log = _log(job)
    keys: dict[str, object] = {
        "Label": _label(job),
        "ProgramArguments": [
            *("/bin/sh", "-c", f'{WITH_VARIABLES}; exec "$@"'),
            *(job.variables, *job.argv),
        ],
        "WorkingDirectory": job.folder,
        "EnvironmentVariables": dict(job.environment("launchd")),
        "Umask": 0o077,
        "Nice": 10,
        "ProcessType": "Background",
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    if not job.stays:
        return keys | job.every.launchd
    # KeepAlive starts it again however it ended; a second instance ends at once, by its lock.
    keys |= {"RunAtLoad": True, "KeepAlive": True, "ThrottleInterval": 60}
    return keys | {"ExitTimeOut": GRACE_S, "StandardOutPath": "/dev/null"}


def _label(job: Job) -> str:
    return f"org.{NAME}{job.named.removeprefix(NAME)}"


def _log(job: Job) -> str:
    return f"{job.home}/Library/Logs/{job.named}.log"


def launchd(job: Job) -> str:
    """Return a script that installs and loads the agent."""
    label = _label(job)
    domain = "system" if job.user == 0 else f"gui/{job.user}"
    folder = "/Library/LaunchDaemons" if job.user == 0 else "$HOME/Library/LaunchAgents"
    head = [
        f"{job.what}, by launchd: {label}",
        "To install it, type the line that printed this again with `| sh` behind it.",
        f"To take it away: launchctl bootout {domain}/{label}, and remove its file below",
        "",
    ]
    body = [
        f'agent="{folder}/{label}.plist"',
        'mkdir -p "${agent%/*}" "$HOME/Library/Logs"',
        *document('"$agent"', plistlib.dumps(agent(job), sort_keys=False).decode()),
        'plutil -lint -s "$agent"',
        f"launchctl bootout {domain}/{label} 2>/dev/null || :",
        f'launchctl bootstrap {domain} "$agent"',
        shlex.join(["echo", f"Look now: launchctl kickstart {domain}/{label}. Log: {_log(job)}"]),
    ]
    return script(head, body, job)
