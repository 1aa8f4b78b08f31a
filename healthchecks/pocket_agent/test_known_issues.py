"""No known issue shows in the log: each signature of known_issues.toml is one check."""

from __future__ import annotations

from healthchecks.pocket_agent.probes_issues import LogHits
from healthchecks.pocket_agent.world import World
from plugins import fault, healthy, known_issues, listed, table_beside
from plugins.endpoints.signatures import Signature


@known_issues(table_beside(__file__), guide="PA33")
def test_no_known_issue_shows_in_the_log(signature: Signature, log_hits: LogHits) -> None:
    """No known issue shows in the log.

    Its cause and cure are known already: nobody has to search for them again.
    """
    hits = log_hits.of(signature)
    assert not hits.count, listed(f"the log shows it {_times(hits.count)}", hits.lines)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


@healthy(test_no_known_issue_shows_in_the_log)
def in_use(world: World) -> None:
    """A server in use, with nothing but normal closes in its log."""
    world.start()


@fault(test_no_known_issue_shows_in_the_log, becomes="absent")
def without_a_log(world: World) -> None:
    """No file, and no unit whose journal could be read."""
    world.change(logs=[], start_log="")
    world.log.unlink()
