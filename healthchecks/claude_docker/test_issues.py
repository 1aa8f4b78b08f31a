"""No known issue shows in the kit's logs: each signature of known_issues.toml is one check."""

from __future__ import annotations

from healthchecks.claude_docker.world import World
from plugins import fault, healthy, known_issues, listed, table_beside
from plugins.endpoints.hits import LogHits
from plugins.endpoints.signatures import Signature


@known_issues(table_beside(__file__), guide="CD39")
def test_no_known_issue_shows_in_the_logs(signature: Signature, log_hits: LogHits) -> None:
    """No known issue shows in the logs of the last day.

    Its cause and cure are known already: nobody has to search for them again.
    """
    hits = log_hits.of(signature)
    times = "once" if hits.count == 1 else f"{hits.count} times"
    assert not hits.count, listed(f"the logs show it {times}", hits.lines)


@healthy(test_no_known_issue_shows_in_the_logs, only="no_space")
def days_ago(world: World) -> None:
    world.logs.text("[ERROR] No space left on device", ago=3 * 86_400)
    world.logs.text("[INFO] Backup completed")


@fault(test_no_known_issue_shows_in_the_logs, only="no_space")
def in_the_stream_of_errors(world: World) -> None:
    world.logs.error("cp: No space left on device")


@fault(test_no_known_issue_shows_in_the_logs, only="no_space")
def in_the_events(world: World) -> None:
    world.logs.event("sync_failed", "error", reason="No space left on device")


@healthy(test_no_known_issue_shows_in_the_logs, only="no_space")
def in_the_stream_of_errors_days_ago(world: World) -> None:
    world.logs.error("cp: No space left on device", ago=3 * 86_400)


@fault(test_no_known_issue_shows_in_the_logs, becomes="absent", layout="own")
def without_a_log(world: World) -> None:
    assert not world.logs.sync.exists()
