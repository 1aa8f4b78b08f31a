"""The small server as a program: the real one's words, variables, files and ends.

Variables that begin with WORLD_ are its own: where it listens, and what it does wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import os
import re
import signal
import sqlite3
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from healthchecks.portagent import world_server_second as second
from healthchecks.portagent.world_database_schemas import opened
from healthchecks.portagent.world_server_routes import Routes
from healthchecks.portagent.world_server_sockets import Hub
from healthchecks.portagent.world_server_users import Users
from healthchecks.portagent.world_server_words import BANNER, NO_KEY, Words, say

_FLAGS = {
    "jwt_secret": "JWT_SECRET",
    "api_key": "LLM_PROVIDER_KEY",
    "api_url": "LLM_PROVIDER_URL",
    "model": "LLM_PROVIDER_MODEL",
    "data_dir": "AGENTX_DIR",
}


class Refusal(Exception):  # noqa: N818 - what the program says before it ends with status 1
    """It does not start."""


def _options(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="portagent")
    parser.add_argument("-V", "--version", action="version", version="0.0.1")
    parser.add_argument("-p", "--port", default="5200")
    parser.add_argument("-d", "--data-dir")
    parser.add_argument("-e", "--env-file")
    for name in ("--jwt-secret", "--api-key", "--api-url", "--model"):
        parser.add_argument(name)
    return parser.parse_args(words)


def _variables(options: argparse.Namespace) -> dict[str, str]:
    """Return what is set: by options, by the environment, by files; the first one wins."""
    files = [options.env_file] if options.env_file else [".env", ".env.local"]
    if options.env_file and not Path(options.env_file).is_file():
        raise Refusal(f"Error: Environment file not found: {options.env_file}")
    known = dict(os.environ)
    for file in map(Path, files):
        lines = file.read_text("utf-8").splitlines() if file.is_file() else []
        for line in lines:
            name, equals, value = line.removeprefix("export ").partition("=")
            if equals and not name.startswith("#"):
                known.setdefault(name.strip(), value.strip().strip("\"'"))
    told = {name: getattr(options, option) for option, name in _FLAGS.items()}
    return known | {name: value for name, value in told.items() if value}


def code_of_today() -> int:
    """Return today's invitation code: one second after midnight, where the server is."""
    today = datetime.datetime.now().replace(hour=0, minute=0, second=1, microsecond=0)
    return int(time.mktime(today.timetuple()))


def _invited(code: object) -> bool:
    digits = re.match(r"\s*(\d+)", code) if isinstance(code, str) else None
    return digits is not None and int(digits[1]) == code_of_today()


def faults_of(variables: Mapping[str, str]) -> dict[str, float]:
    """Return what it does wrong: `name` or `name=number`, with commas between."""
    named = (word.partition("=") for word in variables.get("WORLD_FAULTS", "").split(",") if word)
    return {name: float(number or 1) for name, _, number in named}


async def _run(variables: Mapping[str, str], port: str, data: Path, words: Words) -> None:
    faults = faults_of(variables)
    required = variables.get("INVITE_CODE_REQUIRED") == "true"
    agentx, queue, users_database = (
        opened(data / "data" / f"{name}.db", name) for name in ("agentx", "queue", "portagent")
    )
    users_database.row_factory = sqlite3.Row
    for line in ("Creating SystemBus", "Creating CommandHandler", "RuntimeImpl constructor done"):
        words("INF", "runtime/RuntimeImpl", line)
    words("INF", "queue/EventQueue", "EventQueue created", path=str(data / "data/queue.db"))
    hub = Hub(
        agentx, queue, words, float(variables.get("WORLD_HEARTBEAT", 30)), faults.get("cuts", 0.0)
    )
    secret = variables.get("JWT_SECRET") or str(uuid.uuid4())
    invited = _invited if required else (lambda code: True)
    users = Users(users_database, secret, hub.container, invited)
    key = variables["LLM_PROVIDER_KEY"][:15]
    invite = "required" if required else "disabled"
    promptx = "disabled" if variables.get("ENABLE_PROMPTX") == "false" else "enabled"
    say(BANNER.format(port=port, data=data, key=key, invite=invite, promptx=promptx))
    routes = Routes(users, hub, Path("dist/public"), required, faults)
    runner = web.AppRunner(routes.application(), access_log=None, shutdown_timeout=0.5)
    runner.app.on_shutdown.append(lambda _: hub.close())
    await runner.setup()
    if "deaf" not in faults:
        await listen(runner, variables, int(port))
    words(
        "INF", "network/WebSocketServer", "WebSocket attached to existing HTTP server", path="/ws"
    )
    say(f"\n🚀 Server running at http://localhost:{port}")
    say(f"🔌 WebSocket available at ws://localhost:{port}/ws\n")
    await until_told()
    say("Shutting down...")
    await runner.cleanup()
    words("INF", "network/WebSocketServer", "WebSocket server closed")
    for database in (users_database, agentx, queue):
        database.close()
    words("INF", "queue/EventQueue", "EventQueue closed")
    say("Server stopped")


async def listen(runner: web.AppRunner, variables: Mapping[str, str], port: int) -> None:
    """Listen at every address, as the real one always does, or where the world says."""
    try:
        await web.TCPSite(runner, variables.get("WORLD_HOST", "0.0.0.0"), port).start()  # noqa: S104
    except OSError:
        raise Refusal(f"Failed to start server. Is port {port} in use?") from None


async def until_told() -> None:
    """Return at SIGTERM or SIGINT."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()


def _start(words: list[str]) -> None:
    options = _options(words)
    variables = _variables(options)
    if variables.get("WORLD_GENERATION") == "2":
        asyncio.run(second.run(variables))
        return
    data = Path(variables.get("AGENTX_DIR") or Path.home() / ".agentx").absolute()
    try:
        for name in ("data", "logs"):
            (data / name).mkdir(parents=True, exist_ok=True)
    except PermissionError as error:
        told = f"EACCES: permission denied, mkdir '{error.filename}'"
        raise Refusal(f'{told}\n    path: "{error.filename}",\n    code: "EACCES"') from None
    if not variables.get("LLM_PROVIDER_KEY"):
        raise Refusal(NO_KEY)
    log = Words(data / "logs/portagent.log", variables.get("LOG_LEVEL", "info"))
    try:
        asyncio.run(_run(variables, options.port, data, log))
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
        raise Refusal(f'SQLiteError: {error}\n      errno: 26,\n       code: "{code}"') from None


def main(words: list[str]) -> int:
    """Run the server until it is told to stop; returns 1 when it does not start."""
    try:
        _start(words)
    except Refusal as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    return 0
