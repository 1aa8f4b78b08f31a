"""No known issue shows in the logs: each signature of known_issues.toml is one check."""

from __future__ import annotations

from healthchecks.portagent.world import World
from healthchecks.portagent.world_containers import NEEDS
from plugins import fault, healthy, known_issues, listed, table_beside
from plugins.endpoints.hits import LogHits
from plugins.endpoints.signatures import Signature


@known_issues(table_beside(__file__), guide="PT29")
def test_no_known_issue_shows_in_the_logs(signature: Signature, log_hits: LogHits) -> None:
    """No known issue shows in the logs of the last day.

    Its cause and cure are known already: nobody has to search for them again.
    """
    hits = log_hits.of(signature)
    times = "once" if hits.count == 1 else f"{hits.count} times"
    assert not hits.count, listed(f"the logs show it {times}", hits.lines)


@healthy(test_no_known_issue_shows_in_the_logs)
def in_use(world: World) -> None:
    """A server in use, which writes its own log and console."""
    world.server.start()


@healthy(test_no_known_issue_shows_in_the_logs, only="message_not_saved")
def days_ago(world: World) -> None:
    world.log.record("ERR", "runtime/Session", "Failed to persist message", hours_ago=30)
    world.log.record("INF", "runtime/Session", "Message persisted")


@healthy(test_no_known_issue_shows_in_the_logs, only="message_not_saved")
def said_by_somebody(world: World) -> None:
    """What stands in a record that is no error is what people talk about."""
    world.log.record(
        "DBG", "agentx/LocalAgentX", "Received", "a: 1", "t: 'Failed to persist message'"
    )


@fault(test_no_known_issue_shows_in_the_logs, only="disk_full")
def within_a_record(world: World) -> None:
    world.log.record("ERR", "queue/EventQueue", "Write failed", "id: 1", "error: 'SQLITE_FULL'")


@fault(test_no_known_issue_shows_in_the_logs, only="port_in_use")
def refused_to_start(world: World) -> None:
    """Its console alone says why, and the file is named by the systems file."""
    world.server.another_program()
    world.server.start_refused()
    world.change(log_files=[str(world.server.console)])


@healthy(test_no_known_issue_shows_in_the_logs, only="port_in_use")
def started_since(world: World) -> None:
    """What kept it from starting is over where it runs."""
    world.log.record("INF", "runtime/RuntimeImpl", "Started", hours_ago=1)
    world.log_line(b"error: Failed to start server. Is port 5200 in use?")
    world.server.start()


@fault(test_no_known_issue_shows_in_the_logs, only="no_provider_key", needs=NEEDS)
def in_what_the_container_printed(world: World) -> None:
    world.containers.ended("echo 'Error: LLM_PROVIDER_KEY is required'; exit 1")


@fault(test_no_known_issue_shows_in_the_logs, only="disk_full", becomes="absent")
def without_logs(world: World) -> None:
    world.log.path.unlink()
