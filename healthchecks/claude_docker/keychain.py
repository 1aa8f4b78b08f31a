"""The macOS Keychain, asked by `security`."""

from __future__ import annotations

import hashlib
import os
import re

from healthchecks.claude_docker.documents import user
from healthchecks.claude_docker.system import ClaudeDocker
from plugins import CannotTell, NoPermission, ToolMissing
from plugins.endpoints.filesystem import Filesystem
from plugins.hosts import Host
from plugins.redaction import Secret

_DEADLINE = 3.0
_NOT_FOUND = 44  # errSecItemNotFound, as `security` returns it
_ACCOUNT = re.compile(r"[a-zA-Z0-9._-]+")


def service_names(system: ClaudeDocker) -> tuple[str, ...]:
    """Return the names to ask for; with another folder than ~/.claude Claude adds its hash."""
    names = system.settings.keychain_services
    if system.config_dir == os.path.join(system.home, ".claude"):
        return names
    mark = hashlib.sha256(os.fsencode(system.config_dir)).hexdigest()[:8]
    own = tuple(f"{name}-{mark}" for name in names if name.startswith("Claude Code"))
    return (*own, *names)


def account(system: ClaudeDocker, filesystem: Filesystem) -> str:
    """Return the account whose items are asked for: the owner of the home folder."""
    try:
        name = user(system, filesystem).owner
    except CannotTell:
        name = ""
    return name if _ACCOUNT.fullmatch(name) else "claude-code-user"


def held(system: ClaudeDocker, commands: Host, user: str, service: str) -> Secret | None:
    """Return what the Keychain holds under a name, None for nothing.

    Raises:
        ToolMissing: there is no Keychain here.
        CannotTell: it is locked, or does not answer in time.
    """
    program = system.settings.security
    if not program:
        raise ToolMissing("no program for a Keychain is set")
    argv = (program, "find-generic-password", "-s", service, "-a", user, "-w")
    ran = commands.run(argv, deadline=_DEADLINE, limit=1 << 20)
    if ran.status == _NOT_FOUND:
        return None
    if ran.status:
        raise NoPermission(f"the Keychain cannot be read ({program} ended with {ran.status})")
    if ran.truncated:
        raise CannotTell("what the Keychain holds is too big to be a login")
    text = ran.out.decode("utf-8", "replace").strip()
    return Secret(_unwrapped(text)) if text else None


def _unwrapped(text: str) -> str:
    """`security -w` prints what is not plain text as hexadecimal digits."""
    if len(text) % 2 == 0 and re.fullmatch(r"[0-9a-f]{16,}", text):
        decoded = bytes.fromhex(text)
        if decoded.lstrip().startswith(b"{"):
            return decoded.decode("utf-8", "replace")
    return text
