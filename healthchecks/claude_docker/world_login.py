"""The login and the configuration of a world: the files that Claude Code itself makes."""

from __future__ import annotations

import copy
import json
import os
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from healthchecks.claude_docker.world import World

SESSION = "a8db9301-7115-4cd3-953e-96fc0b618565"
# The home folder that the paths of MCP servers stand under on the host; the staging has /workspace.
HOST_HOME = "/home/me/"
_HOUR_MS = 3_600_000


class Login:
    """The login and the configuration of a world.

    Args:
        world: that it belongs to.

    `configuration` is what stands in the configuration file and `oauth` what stands in
    .credentials.json: change them and call `write`.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.project = world.folder / "proj"
        self.credentials = world.config_dir / ".credentials.json"
        self.settings_file = world.config_dir / "settings.json"
        self.own_backups = world.config_dir / "backups"
        self.settings: dict[str, Any] = {"permissions": {"allow": []}}
        self.oauth: dict[str, Any] = {
            "accessToken": "sk-ant-oat01-of-a-small-world-0000",
            "refreshToken": "sk-ant-ort01-of-a-small-world-0000",
            "expiresAt": int(time.time() * 1000) + 8 * _HOUR_MS,
            "scopes": ["user:inference", "user:profile"],
            "subscriptionType": "max",
        }
        self.configuration: dict[str, Any] = {
            "numStartups": 3,
            "firstStartTime": "2026-11-01T10:00:47.816Z",
            "machineID": "95e4f9b1e8a9737027c36364627b7ed42a668803821b48a4c4f4670ae0e16544",
            "userID": "a7b3d8385c27bc45c35780f3055683d314d8dc3800b566ebf0b0521a33721b6f",
            "migrationVersion": 13,
            "seenNotifications": {},
            "hasCompletedOnboarding": True,
            "oauthAccount": {"emailAddress": "me@example.invalid", "displayName": "Me"},
            "projects": {
                str(self.project): {
                    "allowedTools": [],
                    "mcpContextUris": [],
                    "mcpServers": {},
                    "enabledMcpjsonServers": [],
                    "disabledMcpjsonServers": [],
                    "hasTrustDialogAccepted": True,
                    "projectOnboardingSeenCount": 1,
                }
            },
            "mcpServers": {},
        }

    @property
    def staged_configuration(self) -> dict[str, Any]:
        """The configuration as a synchronisation leaves it in the staging folder."""
        text = json.dumps(self.configuration).replace(f'"{HOST_HOME}', '"/workspace/')
        staged: dict[str, Any] = json.loads(text)
        return staged

    def build(self) -> None:
        """Make the healthy state: logged in, private, whole, with a copy of Claude's own."""
        for folder in ("backups", "projects/-workspace-proj", "todos", "commands", "agents"):
            (self._world.config_dir / folder).mkdir(parents=True, mode=0o700)
        self.project.mkdir()
        if self._world.kit:
            self._add_what_the_guide_adds()
        self.write()
        self.safety_copy()
        self._converse()

    def write(self) -> None:
        """Write the configuration, the credentials and the settings as they are now."""
        self.put(self._world.config_file, self.configuration)
        self.put(self.credentials, {"claudeAiOauth": self.oauth})
        self.put(self.settings_file, self.settings)

    def put(self, path: Path, value: object, mode: int = 0o600) -> Path:
        """Write a JSON file with a mode, and return it; bytes are written as they are."""
        text = value if isinstance(value, bytes) else json.dumps(value, indent=2).encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
        path.chmod(mode)
        return path

    def safety_copy(self, value: object = None, *, ms: int = 1_795_168_847_816) -> Path:
        """Leave a copy of the configuration as Claude leaves them in backups/."""
        kept = copy.deepcopy(self.configuration) if value is None else value
        return self.put(self.own_backups / f".claude.json.backup.{ms}", kept)

    def serve(self, name: str = "notes", *, scope: str = "user", **server: object) -> None:
        """Configure an MCP server in a scope: user, project (local), file (.mcp.json), guide."""
        made = {"type": "stdio", "command": "python3", "args": [], "env": {}} | server
        if scope == "file":
            self.put(self.project / ".mcp.json", {"mcpServers": {name: made}}, 0o644)
            return
        project = self.configuration["projects"][str(self.project)]
        places = {
            "user": self.configuration,
            "project": project,
        }
        if scope == "guide":
            mcp = self.configuration.setdefault("mcp", {})
            mcp.setdefault("servers", {})[name] = made
        else:
            places[scope]["mcpServers"][name] = made
        self.write()

    def log_out(self) -> None:
        """Take away every token and every sign that somebody ever logged in."""
        self.forget_tokens()
        self.configuration.pop("oauthAccount", None)
        self.configuration["numStartups"] = 1
        self.put(self._world.config_file, self.configuration)
        for conversation in (self._world.config_dir / "projects").rglob("*.jsonl"):
            conversation.unlink()

    def forget_tokens(self) -> None:
        """Take away every token; the account and the conversations stay."""
        self.configuration.pop("claudeAiOauth", None)
        self.put(self._world.config_file, self.configuration)
        self.credentials.unlink(missing_ok=True)
        staged = self._world.state_dir / ".credentials.json"
        staged.unlink(missing_ok=True)
        for path in (self._world.state_dir / ".claude.json",):
            if path.exists():
                self.put(path, self.staged_configuration)

    def keychain(self, items: dict[str, object], status: int = 44) -> None:
        """Stand a program in the place of macOS's `security`.

        Args:
            items: what its Keychain holds by service name: a text, or what is written as JSON.
            status: how it ends for any other item; 44 is "not found", 36 "not allowed".
        """
        lines = ["#!/bin/sh", 'case "$1 $2 $3" in']
        for service, held in items.items():
            text = held if isinstance(held, str) else json.dumps(held)
            words = shlex.quote(f"find-generic-password -s {service}")
            lines.append(f"{words}) printf '%s\\n' {shlex.quote(text)}; exit 0;;")
        lines += ["esac", f"exit {status}"]
        program = self._world.folder / "bin" / "security"
        program.parent.mkdir(exist_ok=True)
        program.write_text("\n".join(lines) + "\n", "utf-8")
        program.chmod(0o755)
        self._world.change(security=str(program))

    def stage(self) -> None:
        """Bring the login and the configuration into the staging folder, where there is one."""
        if self._world.kit:
            self.put(self._world.state_dir / ".credentials.json", {"claudeAiOauth": self.oauth})
            self.put(self._world.state_dir / ".claude.json", self.staged_configuration)

    def _add_what_the_guide_adds(self) -> None:
        self.configuration["claudeAiOauth"] = dict(self.oauth)
        server = {"command": "python3", "args": ["-m", "notes", f"{HOST_HOME}notes"]}
        self.configuration["mcp"] = {"servers": {"notes": server}}
        self.configuration["mcpServers"] = {"notes": {"type": "stdio", **server, "env": {}}}

    def _converse(self) -> None:
        lines = (
            {"type": "user", "message": {"role": "user", "content": "hi"}},
            {"type": "assistant", "message": {"role": "assistant", "model": "claude-sonnet-4"}},
        )
        path = self._world.config_dir / "projects" / "-workspace-proj" / f"{SESSION}.jsonl"
        text = "".join(f"{json.dumps(line | {'sessionId': SESSION})}\n" for line in lines)
        path.write_text(text, "utf-8")
        path.chmod(0o600)
        said = {"display": "hi", "pastedContents": {}, "timestamp": int(time.time() * 1000)}
        history = self._world.config_dir / "history.jsonl"
        history.write_text(f"{json.dumps(said)}\n", "utf-8")
        os.chmod(history, 0o600)
