"""What the small server knows and answers: its projects, its health, its error frames."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from argparse import Namespace
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from healthchecks.pocket_agent.world_config import Configuration, Refusal
from healthchecks.pocket_agent.world_log import ServerLog, moment

Reply = dict[str, object]
_IDENTIFIER = 36


@dataclass(frozen=True)
class Project:
    """A project as the real server keeps it in memory; times are RFC 3339 text."""

    id: str
    path: str
    session_id: str
    created_at: str
    last_active: str


def _unzoned(text: str) -> str:
    """Return a time as the real list gives it, bug and all: local time with a literal Z."""
    short = re.sub(r"\.(\d{1,6})\d*", r".\1", text.replace("Z", "+00:00"))
    try:
        then = datetime.fromisoformat(short)
    except ValueError:
        return text
    return then.astimezone().strftime("%Y-%m-%dT%H:%M:%SZ")


def _project(folder: Path) -> Project:
    """Read a project's metadata; raises ValueError with the real text when it cannot be used."""
    file = folder / "metadata.json"
    try:
        text = file.read_text("utf-8", "replace")
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise ValueError(f"failed to read metadata file: open {file}: {reason}") from error
    try:
        held = json.loads(text)
    except json.JSONDecodeError as error:
        rest = text[error.pos : error.pos + 1]
        why = f"invalid character '{rest}' in literal" if rest else "unexpected end of JSON input"
        raise ValueError(f"failed to unmarshal metadata: {why}") from error
    if not isinstance(held, dict):
        raise ValueError("failed to unmarshal metadata: json: cannot unmarshal array into Go value")
    if not held.get("id") or not held.get("path"):
        raise ValueError("invalid metadata: missing required fields")
    keys = ("id", "path", "session_id", "created_at", "last_active")
    return Project(*(str(held.get(key) or "") for key in keys))


def load_projects(data: Path, log: ServerLog) -> list[Project]:
    """Load the projects of a data folder; those that cannot be used are logged and dropped."""
    try:
        (data / "projects").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        said = f"failed to create data directory: mkdir {data}: {reason}"
        raise Refusal("Failed to create server", said) from error
    folders = sorted(entry for entry in (data / "projects").iterdir() if entry.is_dir())
    log("INFO", "manager.go:94", "Loading projects from disk", count=len(folders))
    loaded: list[Project] = []
    for folder in folders:
        try:
            loaded.append(_project(folder))
        except ValueError as error:
            msg = "Failed to load project"
            log("ERROR", "manager.go:104", msg, project_id=folder.name, error=str(error))
    counts = {"total": len(folders), "loaded": len(loaded), "failed": len(folders) - len(loaded)}
    if counts["failed"]:
        log("WARN", "manager.go:111", "Some projects failed to load", **counts)
    else:
        log("INFO", "manager.go:116", "Projects loaded successfully", total=len(folders))
    return loaded


class Replies:
    """Answers to messages, in one dialect or both."""

    def __init__(
        self, settings: Configuration, options: Namespace, projects: list[Project]
    ) -> None:
        self.options = options
        self.projects = projects
        self.connections = 0
        self._data = settings.text("data_dir")
        self._claude = settings.text("execution.claude_binary_path")
        self._limit = settings.number("execution.max_projects")
        self._started = time.monotonic()
        pairs = (each.partition("=") for each in options.unhealthy)
        self._ill = {name: status or "critical" for name, _, status in pairs}
        self._states = dict(each.partition("=")[::2] for each in options.state)

    def resolved_claude(self) -> str:
        """Return the CLI's path; raises Refusal without it, as the real server does."""
        found = shutil.which(self._claude)
        if found is None:
            said = f"CLAUDE_NOT_FOUND: Claude CLI not found at path: {self._claude}"
            said = f"failed to create Claude executor: {said}"
            raise Refusal("Failed to create server", said)
        return found

    def answer(self, text: str) -> tuple[Reply, str] | None:
        """Return the reply to a message and the error to log ("" for none).

        Returns None where the real server goes silent: the text is no JSON object.
        """
        try:
            message = json.loads(text)
        except ValueError:
            return None
        if not isinstance(message, dict):
            return None
        kind = message.get("type")
        if not isinstance(kind, str) or not kind:
            return self._error("VALIDATION_FAILED", "invalid message", ""), ""
        real, guide = self.options.dialect != "guide", self.options.dialect != "real"
        known = {
            "health_check": (real, self._health),
            "health": (guide, self._health_status),
            "project_list": (True, self._list),
        }
        allowed, reply = known.get(kind, (False, self._list))
        if allowed:
            return reply(), ""
        return self._refused(kind, message)

    def _refused(self, kind: str, message: dict[str, object]) -> tuple[Reply, str]:
        code, said = "VALIDATION_FAILED", f"unknown message type: {kind}"
        identifier = message.get("project_id")
        logged = True
        if self.options.dialect == "guide" and not kind.startswith("project_"):
            code = "INVALID_MESSAGE"
        if kind == "execute":
            said = "not subscribed to a project"
        elif kind in ("project_join", "project_leave", "project_delete", "get_messages"):
            if not identifier:
                said = "project_id is required"
            elif len(str(identifier)) != _IDENTIFIER:
                said = "invalid project ID format"
            else:
                code, said = "PROJECT_NOT_FOUND", "project not found"
        else:
            logged = False
        return self._error(code, said, kind), f"{code}: {said}" if logged else ""

    @staticmethod
    def _error(code: str, said: str, kind: str) -> Reply:
        data = {"code": code, "message": said, "details": {"message_type": kind}}
        return {"type": "error", "data": data}

    def _list(self) -> Reply:
        guide = self.options.dialect == "guide"
        rows: list[Reply] = []
        for each in self.projects:
            row: Reply = {"id": each.id, "path": each.path}
            row["state"] = self._states.get(each.id, "IDLE")
            if each.session_id or guide:
                row["session_id"] = each.session_id or None
            row["created_at"] = each.created_at if guide else _unzoned(each.created_at)
            row["last_active"] = each.last_active if guide else _unzoned(each.last_active)
            if not guide:
                row["metadata"] = {"subscriber_count": 0}
            rows.append(row)
        if guide:
            return {"type": "project_list_response", "data": {"projects": rows}}
        return {"type": "project_list", "data": {"projects": rows, "total": len(rows)}}

    def _version(self) -> str:
        """Run the CLI, as every health check does: its output counts, not its exit code."""
        try:
            done = subprocess.run(
                [self._claude, "--version"], capture_output=True, timeout=5, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return (done.stdout + done.stderr).decode("utf-8", "replace")

    def _checks(self) -> dict[str, dict[str, object]]:
        found = shutil.which(self._claude)
        # Fixed figures: the world is equally well on a busy machine and on an idle one.
        checks: dict[str, dict[str, object]] = {
            "cpu": {"status": "healthy", "usage_percent": 3.25, "cores": os.cpu_count() or 1},
            "memory": {"total_mb": 16000, "available_mb": 12000, "used_percent": 25.0},
            "disk": {"path": self._data, "total_gb": 100, "free_gb": 60, "used_percent": 40.0},
            "claude_cli": {
                "path": self._claude,
                "resolved_path": found,
                "version": self._version(),
            },
        }
        if found is None:
            checks["claude_cli"] = {
                "status": "critical",
                "path": self._claude,
                "error": "not in PATH",
            }
        for name, row in checks.items():
            row["status"] = self._ill.get(name, row.get("status", "healthy"))
            if name in self._ill:
                row["message"] = f"{name} is {row['status']}"
        return checks

    def _health(self) -> Reply:
        time.sleep(self.options.health_delay)
        checks = self._checks()
        well = all(row["status"] == "healthy" for row in checks.values())
        data = {
            "status": "healthy" if well else "unhealthy",
            "timestamp": moment(),
            "checks": checks,
        }
        return {"type": "health_check", "data": data}

    def _health_status(self) -> Reply:
        time.sleep(self.options.health_delay)
        checks = self._checks()
        ill = {name for name, row in checks.items() if row["status"] != "healthy"}
        critical = "critical" in {row["status"] for row in checks.values()}
        executing = sum(state == "EXECUTING" for state in self._states.values())
        data: Reply = {
            "status": ("unhealthy" if critical else "degraded") if ill else "healthy",
            "uptime": int(time.monotonic() - self._started),
            "version": "1.0.0",
            "connections": {"active": self.connections, "limit": self.options.max_connections},
            "projects": {"count": len(self.projects), "limit": self._limit, "executing": executing},
            "resources": {name: checks[name] for name in ("cpu", "memory", "disk")},
            "claude": {
                "available": "claude_cli" not in ill,
                "version": str(checks["claude_cli"].get("version", "")).strip(),
            },
        }
        return {"type": "health_status", "timestamp": moment(), "data": data}

    def metrics(self) -> bytes:
        """Return the metrics page: the guide's families, or the bytes of the file given."""
        if self.options.metrics != "own":
            return Path(self.options.metrics).read_bytes()
        rows = [
            "# HELP pocket_agent_connections_active Active WebSocket connections",
            "# TYPE pocket_agent_connections_active gauge",
            f"pocket_agent_connections_active {self.connections}",
            "# HELP pocket_agent_projects_total Total number of projects",
            "# TYPE pocket_agent_projects_total gauge",
            f"pocket_agent_projects_total {len(self.projects)}",
            "# HELP pocket_agent_executions_total Total executions",
            "# TYPE pocket_agent_executions_total counter",
            'pocket_agent_executions_total{status="success"} 1234',
            'pocket_agent_executions_total{status="failed"} 0',
            'pocket_agent_executions_total{status="timeout"} 0',
            "# HELP pocket_agent_execution_duration_seconds Execution duration",
            "# TYPE pocket_agent_execution_duration_seconds histogram",
            'pocket_agent_execution_duration_seconds_bucket{le="1"} 100',
            'pocket_agent_execution_duration_seconds_bucket{le="10"} 1000',
            'pocket_agent_execution_duration_seconds_bucket{le="+Inf"} 1234',
            "pocket_agent_execution_duration_seconds_sum 5678.5",
            "pocket_agent_execution_duration_seconds_count 1234",
        ]
        return ("\n".join(rows) + "\n").encode()
