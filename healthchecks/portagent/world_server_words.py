"""What a small server writes: its log, its console, its banner."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Mapping
from pathlib import Path

LEVELS = {"debug": "DBG", "info": "INF", "warning": "WRN", "warn": "WRN", "error": "ERR"}
_RANKS = {"DBG": 0, "INF": 1, "WRN": 2, "ERR": 3}

NO_KEY = """Error: LLM_PROVIDER_KEY is required

Set it via environment variable:
  export LLM_PROVIDER_KEY=sk-ant-xxx
"""
BANNER = r"""
  ____            _                         _
 |  _ \ ___  _ __| |_ __ _  __ _  ___ _ __ | |_
 | |_) / _ \| '__| __/ _` |/ _` |/ _ \ '_ \| __|
 |  __/ (_) | |  | || (_| | (_| |  __/ | | | |_
 |_|   \___/|_|   \__\__,_|\__, |\___|_| |_|\__|
                           |___/

  AgentX Portal - Your AI Agent Gateway (Multi-User Mode)

Configuration:
  Port: {port}
  Data Dir: {data}
  API Key: {key}...
  User DB: {data}/data/portagent.db
  AgentX DB: {data}/data/agentx.db
  Logs: {data}/logs
  Invite Code: {invite}
  PromptX MCP: {promptx}

Endpoints:
  GET  /health                    - Health check
  POST /api/auth/register         - Register new user
  POST /api/auth/login            - Login
  GET  /api/auth/verify           - Verify token
  GET  /agentx/info               - Platform info
  WS   /ws                        - WebSocket connection
"""


def say(words: str) -> None:
    """Print on the console, at once."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def literal(context: Mapping[str, object], gap: str = "'") -> str:
    """Return what belongs to a line as the program writes objects; long ones over several lines."""
    shown = {
        key: f"{gap}{value}{gap}" if isinstance(value, str) else str(value).lower()
        for key, value in context.items()
    }
    pairs = [f"{key}: {value}" for key, value in shown.items()]
    line = "{ " + ", ".join(pairs) + " }"
    return line if len(line) <= 72 else "{\n  " + ",\n  ".join(pairs) + "\n}"


class Words:
    """The log file and the console.

    Args:
        path: the log file.
        level: LOG_LEVEL; an unknown one means info.
    """

    def __init__(self, path: Path, level: str) -> None:
        self._path = path
        self._least = _RANKS[LEVELS.get(level, "INF")]

    def __call__(self, level: str, category: str, message: str, /, **context: object) -> None:
        """Write a line: into the log, and in the console's own shape.

        Args:
            level: DBG, INF, WRN or ERR.
            category: such as "network/WebSocketServer".
            message: in words.
            context: what belongs to it.
        """
        if _RANKS[level] < self._least:
            return
        now = datetime.datetime.now(datetime.UTC)
        moment = now.isoformat(" ", "milliseconds").removesuffix("+00:00")
        behind = f" {literal(context)}" if context else ""
        with self._path.open("ab") as log:
            line = f"{moment} +00:00 [{level}] portagent·{category}: '{message}'{behind}\n"
            log.write(line.encode())
        behind = f" {literal(context, chr(34))}" if context else ""
        say(f"{moment[11:]} {level} portagent·{category} {message}{behind}")
