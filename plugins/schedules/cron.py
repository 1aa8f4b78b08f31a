"""cron: lines of the user's own crontab."""

from __future__ import annotations

import shlex

from plugins.schedules.job import WITH_VARIABLES, Job, script

_LONGEST = 998  # bytes of a command; Debian's cron cuts off the rest without a word


def lines(job: Job) -> list[str]:
    """Return the lines of the crontab, from a first comment to a last one.

    Raises:
        ValueError: cron could not keep the whole command.
    """
    go = 'cd "$1" || exit; shift'
    if job.stays:
        body = f'{WITH_VARIABLES}; {go}; exec "$@"'
    else:
        # cron mails what is said: that is wanted where something is ill, and not each time.
        body = f'{WITH_VARIABLES}; {go}; out=$("$@" 2>&1) || printf "%s\\n" "$out"'
    words = shlex.join(["/bin/sh", "-c", body, job.variables, job.folder, *job.argv])
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in job.environment("cron"))
    command = f"umask 077; {settings} {words}".replace("%", "\\%")
    if job.stays:
        command = f"{command} >/dev/null 2>&1"
    longer = len(command.encode()) - _LONGEST
    if longer > 0:
        raise ValueError(f"the line is {longer} bytes longer than cron takes: shorten PATH")
    when = ["@reboot", "*/5 * * * *"] if job.stays else [job.every.cron]
    first, last = _marks(job)
    # Of a watch the second line starts it again where it ended; while it runs, a second one ends.
    return [first, *(f"{each} {command}" for each in when), last]


def _marks(job: Job) -> tuple[str, str]:
    return f"# BEGIN {job.named}", f"# END {job.named}"


def cron(job: Job) -> str:
    """Return a script that puts the lines into the crontab, in the place of former ones."""
    first, last = _marks(job)
    former = shlex.quote(f"/^{first}$/,/^{last}$/d")
    count = 'grep -cx {} "$folder/old" || :'
    begun, closed = count.format(shlex.quote(first)), count.format(shlex.quote(last))
    head = [
        f"{job.what}, by cron: {len(lines(job)) - 2} line(s) of your crontab",
        "To install it, type the line that printed this again with `| sh` behind it.",
        f"To take it away: crontab -e, and remove all from `{first}` to `{last}`",
        "",
    ]
    body = [
        "folder=$(mktemp -d)",
        "trap 'rm -r \"$folder\"' EXIT",
        'crontab -l >"$folder/old" 2>"$folder/why" || grep -q "no crontab" "$folder/why" || {',
        '    cat "$folder/why" >&2',
        "    exit 1",
        "}",
        "# Without both of its ends the part cannot be told from what is yours.",
        f'[ "$({begun})" = "$({closed})" ] || {{',
        f"    echo 'your crontab has only one of `{first}` and `{last}`: mend that' >&2",
        "    exit 1",
        "}",
        f'sed {former} "$folder/old" >"$folder/new"',
        "cat >>\"$folder/new\" <<'END-OF-FILE'",
        *lines(job),
        "END-OF-FILE",
        'crontab "$folder/new"',
        'echo "It is in your crontab: crontab -l. What it finds ill, cron mails to you (MAILTO)."',
    ]
    return script(head, body, job)
