"""The small server: a real TLS or plain WebSocket server that behaves as Pocket Agent's does.

Run it as `python -m healthchecks.pocket_agent.world_server --config FILE`; `--help` lists the real
flags and those that make it misbehave.
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
import sys
import threading
import time
from argparse import Namespace
from pathlib import Path
from types import FrameType

from healthchecks.pocket_agent import world_config, world_processes
from healthchecks.pocket_agent.world_config import Configuration, Refusal
from healthchecks.pocket_agent.world_log import ServerLog
from healthchecks.pocket_agent.world_replies import Replies, load_projects
from healthchecks.pocket_agent.world_wire import Wire

_PANIC = """panic: concurrent write to websocket connection

goroutine 41 [running]:
github.com/gorilla/websocket.(*messageWriter).flushFrame(0xc000118540, 0x1, {0x0?, 0x0?, 0x0?})
\tgithub.com/gorilla/websocket@v1.5.1/conn.go:617 +0x4b8
exit status 2"""


class _Signals:
    """What SIGTERM and SIGUSR1 do."""

    def __init__(self, replies: Replies, log: ServerLog, children: str) -> None:
        self._replies = replies
        self._log = log
        self._children = children
        self._started = time.monotonic()
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, self._spawn)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        log = self._log
        log("INFO", "server.go:264", "Received shutdown signal", signal=number)
        log("INFO", "server.go:280", "Starting graceful shutdown")
        log("INFO", "server.go:171", "Stopping WebSocket server")
        if self._replies.connections:
            # The real server panicked in seven of seven trials with a client connected.
            log.plain(_PANIC)
            os._exit(2)
        log("INFO", "server.go:201", "WebSocket server stopped gracefully")
        log("INFO", "server.go:324", "All goroutines stopped")
        uptime = f"{time.monotonic() - self._started:.9f}s"
        log("INFO", "server.go:497", "Final server metrics", uptime=uptime, total_errors=0)
        log("INFO", "server.go:335", "Server shutdown complete")
        os._exit(0)

    def _spawn(self, _number: int, _frame: FrameType | None) -> None:
        if self._children:
            world_processes.spawn_asked(Path(self._children))


def _listen(port: int, loopback: bool) -> socket.socket:
    """Listen as Go does: at every address of both families, unless only loopback is wanted."""
    family = socket.AF_INET if loopback or not socket.has_dualstack_ipv6() else socket.AF_INET6
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    try:
        listener.bind(("127.0.0.1" if loopback else "", port))
        listener.listen(128)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        said = f"server startup failed: listen tcp :{port}: bind: {reason}"
        raise Refusal("Server error", said) from error
    return listener


def _certificate(settings: Configuration) -> ssl.SSLContext | None:
    """Load the certificate, once and for all; raises Refusal when it cannot be used."""
    if not settings.tls:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2", "http/1.1"])
    file, key = settings.text("tls_cert_file"), settings.text("tls_key_file")
    try:
        context.load_cert_chain(file, key)
    except ssl.SSLError as error:
        said = "tls: failed to find any PEM data in certificate input"
        if error.reason == "KEY_VALUES_MISMATCH":
            said = "tls: private key does not match public key"
        raise Refusal("Server error", f"server startup failed: {said}") from error
    except OSError as error:
        said = f"open {key}: {os.strerror(error.errno or 0).lower()}"
        raise Refusal("Server error", f"server startup failed: {said}") from error
    return context


def _announce(log: ServerLog, settings: Configuration) -> None:
    """Write the start-up lines that the real server writes once it may start."""
    say, port, tls = settings.text, settings.number("port"), settings.tls
    version = {"version": "1.0.0", "platform": "linux", "arch": "amd64", "go_version": "go1.27.3"}
    log("INFO", "server.go:185", "Starting Pocket Agent Server", **version)
    network = {"host": say("host"), "port": port, "tls_enabled": tls}
    network |= {"tls_cert": say("tls_cert_file"), "tls_key": say("tls_key_file")}
    log("INFO", "server.go:193", "Network configuration", **network)
    timeouts = {"read_timeout": "10m0s", "write_timeout": "10s", "ping_interval": "5m0s"}
    sizes = {"max_message_size": settings.number("websocket.max_message_size"), "buffer_size": 1024}
    log("INFO", "server.go:202", "WebSocket configuration", **timeouts, pong_timeout="30s", **sizes)
    claude = {"claude_binary": say("execution.claude_binary_path"), "command_timeout": "0s"}
    log("INFO", "server.go:212", "Execution configuration", **claude, max_projects=100)
    limits = {"max_connections": 100, "max_projects": 100, "memory_limit_mb": 2048}
    log("INFO", "server.go:221", "Resource limits", **limits, goroutine_limit=1000)
    places = {key: say(key) for key in ("data_dir", "log_file", "log_level")}
    log("INFO", "server.go:229", "Data directories", **places)


def _spin() -> None:
    """Compute without an end."""
    while True:
        pass


def _run(options: Namespace, log: ServerLog) -> None:
    settings = world_config.load(options, os.environ)
    built = {"version": "e583d27", "build_time": "unknown", "git_commit": "e583d27"}
    log("INFO", "main.go:44", "Starting Pocket Agent Server", **built)
    data = Path(settings.text("data_dir"))
    replies = Replies(settings, options, load_projects(data, log))
    replies.resolved_claude()
    _announce(log, settings)
    wire = Wire(options, replies, log, _certificate(settings))
    wire.message_limit = settings.number("websocket.max_message_size")
    port = settings.number("port")
    listener = _listen(port, options.loopback)
    _Signals(replies, log, options.spawn)
    if options.spin:
        threading.Thread(target=_spin, daemon=True).start()
    if settings.tls:
        file = settings.text("tls_cert_file")
        log("INFO", "server.go:154", "Starting WebSocket server with TLS", port=port, cert=file)
    else:
        log("INFO", "server.go:160", "Starting WebSocket server", port=port)
    if options.debug:
        profiler = _listen(options.debug, options.loopback)
        threading.Thread(target=wire.debug, args=(profiler,), daemon=True).start()
    while True:
        stream, address = listener.accept()
        threading.Thread(target=wire.serve, args=(stream, address), daemon=True).start()


def main(arguments: list[str]) -> int:
    """Run the server until it is told to stop; returns 1 when it refuses to start."""
    options = world_config.options(arguments)
    log = ServerLog(options.dialect)
    if options.version:
        sys.stdout.write("Pocket Agent Server e583d27\n")
        return 0
    try:
        _run(options, log)
    except Refusal as refusal:
        source = "main.go:84" if refusal.msg == "Server error" else "main.go:38"
        log("ERROR", source, refusal.msg, error=refusal.error)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
