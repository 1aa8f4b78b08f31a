"""Command lines that pages and hints tell people to type, taken out of their text."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator

# Programs that a person is told to type, by where they come from; this machine need not have them.
_FAMILIES = {
    "a package of Debian's that is called like it": """
        bash certbot curl diff find gitlab-runner grep gzip iptables jq lsof mount nginx npm openssl
        rclone rsync sed sqlite3 sudo tar tox ufw""",
    "coreutils, diffutils, libc-bin": """
        cat chmod chown cmp cp date df du echo env getent head iconv id ln ls mkdir mktemp mv nice
        printf rm sha256sum sort stat tail timeout touch tr true truncate wc""",
    "procps, psmisc, findutils": "free fuser kill pgrep pkill ps top vmstat watch xargs",
    "util-linux, less": "dmesg findmnt fsck less namei prlimit runuser umount",
    "the shell itself": "cd command exec export set sh time ulimit umask unset",
    "systemd": "journalctl loginctl systemctl systemd-analyze timedatectl",
    "other packages of Debian's": """
        apt-get awk crontab firewall-cmd gpasswd iostat ip nc nft python3 service setcap ss""",
    "macOS": "brew launchctl plutil",
    "a virtual environment of this project": "pip pytest python",
    "what is looked at": "bun claude dgmo docker pocket-agent-server portagent",
}
PROGRAMS = frozenset(name for names in _FAMILIES.values() for name in names.split())
_PLACES = {"S": "1", "P0..P3": "P0", "KIND": "systemd", "INTERVAL": "1d"}
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")
_PROGRAM = re.compile(r"(?:[\w./~-]*/)?([a-z][a-z0-9_.-]*)")


def blocks(page: str) -> Iterator[str]:
    """Yield the lines of a page's code that are typed: indented ones, and those of fences of sh.

    What begins with a date, a sign or a sentence is shown, and a setting is written into a file.
    """
    fences = re.findall(r"(?ms)^ *```(\w*)\n(.*?)^ *```", page)
    told = [text for language, text in fences if language in {"", "sh", "shell", "console"}]
    indented = re.findall(r"(?m)^(?: {4}| {7})\S.*", _without_fences(page))
    for line in map(str.strip, [*"".join(told).splitlines(), *indented]):
        if re.match(r"(?!\w+ = )(?:[a-z./(]|[A-Z_]+=)", line):
            yield line


def spans(text: str) -> Iterator[str]:
    """Yield the pieces of code within sentences."""
    for span in re.findall(r"`([^`]+)`", _without_fences(text)):
        yield " ".join(span.split())


def _without_fences(page: str) -> str:
    return re.sub(r"(?ms)^ *```\w*\n.*?^ *```", "", page)


def simple_commands(line: str) -> Iterator[list[str]]:
    """Yield the words of each command of a line, without variables before them, and redirections.

    What stands in <angle brackets> is a placeholder, and one word.
    """
    line = re.sub(r"<[^<>|&;()]+>", "PLACE", line)
    for inner in re.findall(r"[$<]\(([^()]*)\)", line):
        yield from simple_commands(inner)
    line = re.sub(r"[$<]\([^()]*\)", "PLACE", line).replace("(", "").replace(")", "")
    line = re.sub(r"\d?[<>]+&?\s*(\S+)", "", line)
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;")
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        words = list(lexer)
    except ValueError:  # a quote that a regular expression or an apostrophe left open
        words = line.split()
    command: list[str] = []
    for word in [*words, ";"]:
        if word.strip("|&;"):
            command.append(word)
            continue
        while command and (_ASSIGNED.match(command[0]) or command[0] in {"sudo", "time", "!"}):
            command.pop(0)
        if command:
            yield command
        command = []


def looks_typed(span: str) -> bool:
    """Tell whether a piece of code in a sentence looks like a command with words behind it."""
    first, _, rest = span.partition(" ")
    while _ASSIGNED.match(first) and rest:
        first, _, rest = rest.partition(" ")
    told = not rest or rest[0] in "=:" or span.endswith((";", ":"))
    return not told and bool(_PROGRAM.fullmatch(first)) and first == first.lower()


def is_known(name: str) -> bool:
    """Tell whether a program is known, by name or by standing here."""
    return not name or name in PROGRAMS or bool(shutil.which(name))


def program(command: list[str]) -> str:
    """Return the name of a command's program; "" where a script of somebody's own is named."""
    first = command[0]
    if first.startswith("./") or first.endswith(".sh"):
        return ""
    found = _PROGRAM.fullmatch(first)
    return found[1] if found else first


def words_of_pytest(command: list[str]) -> list[str] | None:
    """Return what pytest is given, placeholders filled in; None where it is not pytest."""
    if program(command) == "pytest":
        words = command[1:]
    elif program(command).startswith("python") and command[1:3] == ["-m", "pytest"]:
        words = command[3:]
    else:
        return None
    return [_PLACES.get(word, word) for word in words if word not in {"…", "..."}]
