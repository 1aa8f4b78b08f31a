"""The logs are asked by jq programs of the systems file; each answer is one check."""

from __future__ import annotations

from healthchecks.claude_docker.world import World
from plugins import fault, healthy, listed, log_queries
from plugins.queried import Answers
from plugins.queries import Query


@log_queries(guide=("CD22", "CD23", "CD24"))
def test_the_logs_are_within_a_limit(query: Query, log_answers: Answers) -> None:
    """What a query of the logs gives is within its limit.

    Each query stands in the systems file, with what it is for.
    """
    answer = log_answers.of(query)
    assert not answer.ill, listed(answer.sentence, answer.evidence)


@healthy(test_the_logs_are_within_a_limit)
def a_day_of_work(world: World) -> None:
    world.logs.event("claude_start", duration_ms=1300)


@fault(test_the_logs_are_within_a_limit, becomes="absent", layout="own")
def nothing_is_logged_here(world: World) -> None:
    assert not world.logs.events.exists()


@fault(test_the_logs_are_within_a_limit, becomes="absent")
def nothing_was_ever_logged(world: World) -> None:
    for log in (world.logs.events, world.logs.metrics, world.logs.errors):
        log.write_bytes(b"")


@fault(test_the_logs_are_within_a_limit, becomes="cannot_tell")
def folders_in_their_place(world: World) -> None:
    for log in (world.logs.events, world.logs.metrics):
        log.unlink()
        log.mkdir()


@healthy(test_the_logs_are_within_a_limit, only="error_percent")
def one_of_thirty(world: World) -> None:
    for number in range(30):
        world.logs.event("claude_end", "INFO", trace_id=str(number))
    world.logs.event("claude_end", "ERROR")


@healthy(test_the_logs_are_within_a_limit, only="error_percent")
def many_but_hours_ago(world: World) -> None:
    for _ in range(30):
        world.logs.event("sync_failed", "ERROR", ago=7300)
    world.logs.raw(world.logs.events.read_bytes()[::-1].replace(b"\n", b"") + b"\n")


@fault(test_the_logs_are_within_a_limit, only="error_percent")
def errors_in_small_letters(world: World) -> None:
    for _ in range(3):
        world.logs.event("sync_failed", "error")


@fault(test_the_logs_are_within_a_limit, only="error_percent")
def errors_among_every_shape(world: World) -> None:
    for line in (b"7", b"[]", b'"ERROR"', b"null", b'{"level":["ERROR"]}', b"{", b"\xff", b"}"):
        world.logs.raw(line + b"\n")
    world.logs.event("sync_failed", "Error")
    world.logs.raw(b'{"level":"ERROR","event":{"a":[1]},"timestamp":[]}\n')


@fault(test_the_logs_are_within_a_limit, only="error_percent")
def only_a_stream_of_errors(world: World) -> None:
    world.logs.events.unlink()
    world.logs.error("rsync failed")
    world.logs.raw(b'}\n{ "half\n', world.logs.errors)
    world.logs.error('he said "stop" and \\ left')


@fault(test_the_logs_are_within_a_limit, only="critical_events")
def one_critical(world: World) -> None:
    world.logs.event("disaster_recovery_failed", "critical")


@fault(test_the_logs_are_within_a_limit, only="critical_events")
def one_critical_object(world: World) -> None:
    world.logs.error("No valid backup found", level="CRITICAL")


@healthy(test_the_logs_are_within_a_limit, only="critical_events")
def critical_yesterday(world: World) -> None:
    world.logs.event("disaster_recovery_failed", "critical", ago=86_400)


@fault(test_the_logs_are_within_a_limit, only="last_events")
def seven_failures_in_a_row(world: World) -> None:
    for _ in range(7):
        world.logs.event("sync_failed", "ERROR", ago=86_400)


@fault(test_the_logs_are_within_a_limit, only="invocation_p95_ms")
def two_slow_of_twenty_six(world: World) -> None:
    for seconds in (11, 12):
        world.logs.metric(seconds * 1000)


@fault(test_the_logs_are_within_a_limit, only="invocation_p95_ms")
def slow_as_the_plan_writes_it(world: World) -> None:
    world.logs.metrics.write_bytes(b'{"metric":"claude.invocation.duration","value":null}\n')
    for seconds in (1, 2, 30):
        world.logs.metric(seconds * 1000, form="plan")


@fault(test_the_logs_are_within_a_limit, only="invocation_p95_ms", becomes="absent")
def no_invocation_was_timed(world: World) -> None:
    world.logs.metrics.write_bytes(b'{"metric":"claude.tokens","value":3}\n')


@fault(test_the_logs_are_within_a_limit, only="startup_p95_ms")
def slow_to_start(world: World) -> None:
    for _ in range(3):
        world.logs.event("claude_start", duration_ms=6100)
