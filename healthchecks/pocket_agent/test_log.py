"""The server's log: no failed start, no crash, few errors, and nobody who probes for paths."""

from __future__ import annotations

import time
from collections.abc import Iterator

from healthchecks.pocket_agent.probes_server_log import LastStart, LogErrors
from healthchecks.pocket_agent.records import RefusedPath
from healthchecks.pocket_agent.world import World
from plugins import P1, check, fault, healthy, listed

# What no user's mistake looks like: one is enough.
ATTACKS = ("traversal", "restricted", "invalid characters", "outside allowed", "tilde")
# Mistyped paths are common; so many of them are a search.
MANY = 10


@check(
    P1,
    guide="PA26",
    hint="""The last line says what the start failed with: correct that, then
    `systemctl restart pocket-agent-server`, or start its command by hand to see it at once.""",
)
def test_the_last_start_succeeded(last_start: LastStart) -> None:
    """The latest start of the server succeeded.

    A server that fails to start says why once, in its last line, and is then silent.
    """
    assert not last_start.failures, listed("the latest start failed", last_start.failures)


@check(
    P1,
    guide="PA26",
    hint="""Keep the whole text that follows the line, `grep -n -A 40 'panic: ' <log>`, for a report
    to its authors. Stop the server only when no client is connected: it crashes otherwise.""",
)
def test_the_server_does_not_crash(last_start: LastStart) -> None:
    """The server has not crashed of late.

    A crash ends every execution under way, and what they had not written is lost.
    """
    assert not last_start.crashes, listed("the server crashed", last_start.crashes)


@check(
    P1,
    guide="PA26",
    hint="""Look at the most frequent kind first: `grep -i '"level":"error"' <log> | tail -50`.
    errors_per_hour in the systems file says how many are too many.""",
)
def test_the_log_shows_few_errors(log_errors: LogErrors) -> None:
    """The log shows few errors of the server itself.

    Clients that close normally, and are logged as errors, are not counted, nor are scanners and the
    mistakes of clients.
    """
    worst = log_errors.busiest
    assert worst.value <= (worst.limit or 0.0), listed(
        f"{worst.value:.0f} errors that matter within an hour; {worst.limit or 0:g} is the limit",
        log_errors.kinds,
    )


@check(
    P1,
    guide="PA27",
    hint="""See who it was: `grep -B 3 INVALID_PATH <log>` names the session, and the line
    "WebSocket connection established" of that session the address. The server has no login: let
    only known addresses reach its port, with a firewall or a VPN.""",
)
def test_nobody_probes_for_paths(refused_paths: tuple[RefusedPath, ...]) -> None:
    """Nobody probes the server for paths.

    A client that asks for `..` or /etc is no user who mistyped; whoever reaches the port may have
    the CLI work in any folder that is not refused.
    """
    probing = tuple(_probing(refused_paths))
    assert not probing, listed("paths that were asked for and refused", map(_row, probing))


def _probing(refused: tuple[RefusedPath, ...]) -> Iterator[RefusedPath]:
    """Those that look like an attack by themselves, and all of them where there are many."""
    many = sum(each.count for each in refused) >= MANY
    for each in refused:
        if many or any(word in each.reason.lower() for word in ATTACKS):
            yield each


def _row(each: RefusedPath) -> str:
    """One path, how often it was asked for, when last, and why it was refused."""
    then = (
        f", last {time.strftime('%Y-%m-%d %H:%M', time.localtime(each.when))}" if each.when else ""
    )
    return f"{each.path}: {each.count} x{then}: {each.reason}"


@healthy(test_the_last_start_succeeded)
@healthy(test_the_server_does_not_crash)
@healthy(test_the_log_shows_few_errors)
@healthy(test_nobody_probes_for_paths)
def in_use(world: World) -> None:
    """A server in use: clients that close, a scanner, a mistyped path."""
    world.start()
    for _ in range(40):
        error = "websocket: close 1000 (normal)"
        world.log_line({"level": "ERROR", "msg": "WebSocket read error", "error": error})
        world.log_line("2026/11/20 09:56:57 http: TLS handshake error from 10.0.0.7:51664: EOF")
    _asks(world, "/srv/mistyped", "path does not exist")


@healthy(test_the_last_start_succeeded, layout="guide")
@healthy(test_the_server_does_not_crash, layout="guide")
@healthy(test_the_log_shows_few_errors, layout="guide")
@healthy(test_nobody_probes_for_paths, layout="guide")
def in_use_the_guides_way(world: World) -> None:
    """A server whose log is in the guide's dialect."""
    world.start()


@healthy(test_the_last_start_succeeded)
def started_at_last(world: World) -> None:
    """A start failed, and a later one did not."""
    _fails_to_start(world)
    world.log_line({"msg": "Starting Pocket Agent Server", "version": "1.0.0"})


@fault(test_the_last_start_succeeded)
def wrong_port(world: World) -> None:
    """A real refusal: the port in the configuration is none."""
    world.configure(port=70000)
    world.start_refused()


@fault(test_the_server_does_not_crash)
def crashed(world: World) -> None:
    """What a stop with a client connected leaves in the log."""
    world.log_line("panic: concurrent write to websocket connection")
    world.log_line("goroutine 41 [running]:")


@healthy(test_the_server_does_not_crash)
def told_to_stop(world: World) -> None:
    """It panics at its end, while clients are connected: a known issue, and no crash."""
    world.log_line('{"level":"INFO","msg":"Received shutdown signal","signal":15}')
    world.log_line("panic: runtime error: invalid memory address or nil pointer dereference")


@fault(test_the_log_shows_few_errors)
def failing(world: World) -> None:
    """One execution after the other fails."""
    for _ in range(45):
        error = "EXECUTION_FAILED: Claude execution failed: exit status 1"
        world.log_line({"level": "ERROR", "msg": "Claude execution failed", "error": error})


@fault(test_the_log_shows_few_errors, layout="guide")
def failing_the_guides_way(world: World) -> None:
    """The same in the guide's dialect."""
    failing(world)


@fault(test_the_last_start_succeeded, becomes="cannot_tell")
@fault(test_the_log_shows_few_errors, becomes="cannot_tell")
def with_a_log_that_went(world: World) -> None:
    """The log that the systems file names is not there: silence is not health."""
    world.log.unlink()


@fault(test_nobody_probes_for_paths)
def climbing(world: World) -> None:
    """Somebody climbs out with dots."""
    _asks(world, "/tmp/../etc", "path traversal detected")  # noqa: S108 - it is what was asked for


@fault(test_nobody_probes_for_paths)
def searching(world: World) -> None:
    """Somebody tries one path after the other."""
    for number in range(MANY):
        _asks(world, f"/srv/{number}", "path does not exist")


def _fails_to_start(world: World) -> None:
    error = "server startup failed: listen tcp :8443: bind: address already in use"
    world.log_line({"level": "ERROR", "msg": "Server error", "error": error})


def _asks(world: World, path: str, reason: str) -> None:
    """A client asks for a path and is refused, as the server logs it."""
    session = f"ws_1795168735467157922_{len(path)}"
    world.log_line({"msg": "Creating project", "session_id": session, "path": path})
    world.log_line(
        {
            "level": "ERROR",
            "msg": "Handler error",
            "session_id": session,
            "type": "project_create",
            "error": f"INVALID_PATH: invalid path: {reason}",
        }
    )
