"""systemd: a service that stays, or one that looks once and a timer that starts it."""

from __future__ import annotations

from plugins.report.status import NOTHING_RAN
from plugins.schedules.job import GRACE_S, Job, document, script

_USAGE = 4  # what a second watch ends with: starting it again and again helps nobody
_ROOT = 0


def _word(text: str) -> str:
    """Return a word as systemd reads it: quoted, with its own signs doubled."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _argument(text: str) -> str:
    return _word(text).replace("$", "$$")


def service(job: Job) -> str:
    """Return the unit that runs the command line."""
    statuses = " ".join(map(str, (1, NOTHING_RAN, 10, 11)))
    environment = job.environment("systemd")
    if job.user == _ROOT:
        environment = (("HOME", job.home), *environment)  # a unit of the system has none
    ends = ["TimeoutStartSec=infinity" if job.fixes else f"TimeoutStartSec={job.deadline + 600:g}"]
    if job.stays:
        ends = ["Restart=always", "RestartSec=10", f"RestartPreventExitStatus={_USAGE}"]
        ends += [f"TimeoutStopSec={GRACE_S}", "", "[Install]", "WantedBy=default.target"]
    lines = [
        "[Unit]",
        f"Description={job.what}",
        "",
        "[Service]",
        f"Type={'simple' if job.stays else 'oneshot'}",
        f"WorkingDirectory={job.folder.replace('%', '%%')}",
        *(f"Environment={_word(f'{name}={value}')}" for name, value in environment),
        f"EnvironmentFile=-{job.variables.replace('%', '%%')}",
        f"ExecStart={' '.join(map(_argument, job.argv))}",
        "# What is ill is told; it is no failure of the checks themselves.",
        f"SuccessExitStatus={statuses}",
        "UMask=0077",
        "Nice=10",
        *ends,
    ]
    return "\n".join([*lines, ""])


def timer(job: Job) -> str:
    """Return the unit that starts the service again and again."""
    lines = [
        "[Unit]",
        f"Description={job.what}",
        "",
        "[Timer]",
        f"OnCalendar={job.every.calendar}",
        "# What the machine slept through is made up for.",
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return "\n".join([*lines, ""])


def systemd(job: Job) -> str:
    """Return a script that installs and starts the units."""
    system = job.user == _ROOT
    control = "systemctl" if system else "systemctl --user"
    journal = "journalctl" if system else "journalctl --user"
    unit = f"{job.named}.{'service' if job.stays else 'timer'}"
    folder = "/etc/systemd/system" if system else "${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user"
    head = [
        f"{job.what}, by systemd: {unit}",
        "To install it, type the line that printed this again with `| sh` behind it.",
        f"To take it away: {control} disable --now {unit}",
        "",
    ]
    units = [f"{job.named}.service", *([] if job.stays else [unit])]
    body = [f'units="{folder}"', 'mkdir -p "$units"']
    for name in units:
        text = timer(job) if name.endswith(".timer") else service(job)
        body += document(f'"$units/{name}"', text)
    # Restarted, for what ran so far knows nothing of what is written here.
    body += [f"{control} daemon-reload", f"{control} enable {unit}", f"{control} restart {unit}"]
    told = f"What it says: {journal} --unit {job.named}"
    if not job.stays:
        told = f"Look now: {control} start {job.named}; when next: {control} list-timers. {told}"
    body += [f'echo "{told}"']
    if not system:
        body += [
            'case $(loginctl show-user "$(id -un)" --property=Linger 2>/dev/null || :) in',
            "*yes) ;;",
            '*) echo "It runs while you are logged in; always, after: loginctl enable-linger" ;;',
            "esac",
        ]
    return script(head, body, job)
