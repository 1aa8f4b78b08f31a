"""What lets Claude in, wherever it may stand; no token is kept."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from healthchecks.claude_docker import keychain
from healthchecks.claude_docker.logins import (
    Access,
    Lifetime,
    Login,
    in_force,
    in_keychain,
    is_on,
    is_token,
    lifetime,
    oauth_in,
)
from healthchecks.claude_docker.shell_profiles import assigned, profiles
from healthchecks.claude_docker.system import ClaudeDocker
from plugins import Absent, Blocked, CannotTell, NoPermission, TimedOut, ToolMissing, probe
from plugins.documents import document, known, mapping
from plugins.endpoints.filesystem import Entry, Filesystem
from plugins.hosts import Host

CAN_LOG_IN = "claude_docker.claude_can_log_in"
NOT_EXPIRED = "claude_docker.the_login_has_not_expired"
_ANSWERED = re.compile(rb'"model"\s*:\s*"(?!<synthetic>)[^"\\]')
_CONVERSATIONS = 20  # the newest: who is logged in is answered in one of them
_TAIL = 256 << 10


@dataclass
class _Search:
    """A search for logins: what was found, where, and what could not be looked at."""

    system: ClaudeDocker
    filesystem: Filesystem
    commands: Host
    logins: list[Login] = field(default_factory=list)
    looked_in: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def add(self, place: str, login: Login | None) -> None:
        """Take in what a place holds."""
        self.looked_in.append(place)
        if login is not None:
            self.logins.append(login)

    def object(self, path: str, *, unmarked: bool = False) -> dict[str, Any] | None:
        """Return the JSON object of a file; None, with a note, where there is none."""
        try:
            found = document(self.filesystem, path)
        except CannotTell as why:
            self.unseen.append(str(why))
            return None
        trouble = found.trouble if found is not None else ""
        if found is not None and unmarked and found.text.startswith(codecs.BOM_UTF8):
            trouble = trouble or "a byte order mark stands before the JSON: Claude reads none of it"
        if trouble:
            self.without.append(f"{path}: {trouble}")
        return None if found is None or trouble else found.value

    def credentials(self, path: str) -> None:
        """Look into a file in which Claude keeps its login; with a mark before it is no JSON."""
        value = self.object(path, unmarked=True)
        login = None if value is None else oauth_in(value, path, read=True)
        self.add(path, login)
        if value is not None and login is None:
            self.without.append(f"{path}: no access token in it")

    def configuration(self, path: str) -> None:
        """Look into a configuration: an API key, which Claude reads, and the guide's tokens."""
        value = self.object(path) or {}
        self.add(path, oauth_in(value, f"claudeAiOauth of {path}", read=False))
        if is_token(value.get("primaryApiKey")):
            self.logins.append(Login(f"primaryApiKey of {path}", "key", read=True))

    def settings(self, path: str) -> None:
        """Look into settings: a helper that prints a key, and variables."""
        self.looked_in.append(path)
        value = mapping(getattr(known(self.filesystem, path), "value", None))
        if is_token(value.get("apiKeyHelper")):
            self.logins.append(Login(f"apiKeyHelper of {path}", "key", read=True))
        self.variables(mapping(value, "env"), f" of {path}")

    def variables(self, given: Any, whose: str) -> None:
        """Look at variables that hold a key, or send Claude to another provider."""
        for name in self.system.settings.token_variables:
            if is_token(given.get(name)):
                self.logins.append(Login(f"${name}{whose}", "key", read=True))
        for name in self.system.settings.cloud_variables:
            if is_on(given.get(name)):
                self.logins.append(Login(f"${name}{whose}", "key", read=True))

    def profiles(self) -> None:
        """Look at what shells are told to export: we may run without a shell."""
        names = self.system.settings.token_variables
        try:
            for path, text in profiles(self.system, self.filesystem):
                self.variables({name: assigned(text, name)[1] for name in names}, f" of {path}")
        except CannotTell as why:
            self.unseen.append(str(why))

    def keychain(self) -> None:
        """Ask the Keychain, for what today's Claude does not read only where nothing else is."""
        try:
            user = keychain.account(self.system, self.filesystem)
            for service in keychain.service_names(self.system):
                own = service.startswith("Claude Code")
                if own or not self.logins:
                    place = f"the Keychain's item {service}"
                    text = keychain.held(self.system, self.commands, user, service)
                    self.add(place, in_keychain(text.reveal(), place, read=own) if text else None)
        except ToolMissing:
            return  # no Mac
        except (NoPermission, TimedOut, CannotTell) as why:
            self.unseen.append(str(why))


def _searched(system: ClaudeDocker, filesystem: Filesystem, commands: Host) -> _Search:
    search = _Search(system, filesystem, commands)
    if commands.is_local:
        search.variables(os.environ, "")
        search.looked_in += [f"${name}" for name in system.settings.token_variables]
    for name in ("settings.json", "settings.local.json"):
        search.settings(os.path.join(system.config_dir, name))
    for path in system.settings.paths(system.settings.managed_settings):
        search.settings(path)
    search.profiles()
    search.credentials(os.path.join(system.config_dir, ".credentials.json"))
    search.configuration(system.config_file)
    if system.kit and system.state_dir:
        search.credentials(os.path.join(system.state_dir, ".credentials.json"))
        search.configuration(os.path.join(system.state_dir, ".claude.json"))
    search.keychain()
    return search


def conversations(system: ClaudeDocker, filesystem: Filesystem) -> list[Entry]:
    """Return the conversations on the host, the newest first; none where we cannot tell."""
    projects = os.path.join(system.config_dir, "projects")
    try:
        entries = filesystem.walk(projects, depth=2, lenient=True)
    except CannotTell:
        return []
    found = [one for one in entries if one.kind == "file" and one.name.endswith(".jsonl")]
    return sorted(found, key=lambda one: -one.mtime_ns)


def _signs_of_a_login(
    system: ClaudeDocker, filesystem: Filesystem, talks: list[Entry]
) -> Iterator[str]:
    """Yield what tells that somebody has been logged in here once."""
    if system.kit:
        yield "the kit is here"
    if filesystem.exists(os.path.join(system.config_dir, ".credentials.json")):
        yield "there is a credentials file"
    seen = known(filesystem, system.config_file)
    if seen is not None and mapping(seen.value, "oauthAccount"):
        yield "an account is known"
    for talk in talks[:_CONVERSATIONS]:
        try:
            if _ANSWERED.search(filesystem.tail(talk.path, _TAIL)):
                yield "a conversation was answered"
        except CannotTell:
            continue


def _access(system: ClaudeDocker, filesystem: Filesystem, commands: Host) -> Access:
    search = _searched(system, filesystem, commands)
    talks = conversations(system, filesystem)
    if not search.logins:
        if search.unseen:
            raise NoPermission(f"no login was seen, and not all could be: {search.unseen[0]}")
        if next(_signs_of_a_login(system, filesystem, talks), None) is None:
            raise Absent("a login: nobody has logged in here yet", tuple(search.looked_in))
    return Access(
        logins=in_force(search.logins),
        looked_in=tuple(search.looked_in),
        without=tuple(search.without),
        last_used=talks[0].mtime if talks else 0.0,
    )


@probe
def access(system: ClaudeDocker, filesystem: Filesystem, commands: Host) -> Access:
    """What lets Claude in; absent where nobody has ever logged in."""
    return _access(system, filesystem, commands)


@probe
def unread_logins(
    system: ClaudeDocker, filesystem: Filesystem, commands: Host
) -> tuple[Login, ...]:
    """The logins there are, where today's Claude reads none of them."""
    logins = _access(system, filesystem, commands).logins
    if not logins:
        raise Blocked(CAN_LOG_IN, "there is no login at all")
    return () if logins[0].read else logins


@probe
def oauth_login(system: ClaudeDocker, filesystem: Filesystem, commands: Host) -> Login:
    """The login in force, where it is one that expires and is renewed."""
    return _oauth(_access(system, filesystem, commands))


@probe
def login_lifetime(system: ClaudeDocker, filesystem: Filesystem, commands: Host) -> Lifetime:
    """How long the login in force lasts."""
    return _lifetime(_access(system, filesystem, commands))


@probe
def days_login(system: ClaudeDocker, filesystem: Filesystem, commands: Host) -> Lifetime:
    """How long the login in force lasts, where it has not expired."""
    seen = _lifetime(_access(system, filesystem, commands))
    if seen.is_over:
        raise Blocked(NOT_EXPIRED, "the login has expired")
    return seen


def _oauth(seen: Access) -> Login:
    if not seen.logins:
        raise Blocked(CAN_LOG_IN, "there is no login at all")
    login = seen.logins[0]
    if login.kind != "oauth":
        raise Absent(f"a login that expires: {login.place} lets Claude in", (login.place,))
    return login


def _lifetime(seen: Access) -> Lifetime:
    login = _oauth(seen)
    if login.expires is None:
        raise Absent("an expiry of the login", (login.place,))
    return lifetime(login, seen.last_used)
