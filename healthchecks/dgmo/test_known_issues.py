"""No known issue shows in the logs: each signature of known_issues.toml is one check."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from healthchecks.dgmo.world import World
from plugins import fault, healthy, known_issues, listed, table_beside
from plugins.endpoints.hits import LogHits
from plugins.endpoints.signatures import Signature


@known_issues(table_beside(__file__), guide="DG35")
def test_no_known_issue_shows_in_the_logs(signature: Signature, log_hits: LogHits) -> None:
    """No known issue shows in the logs of the last day.

    Its cause and cure are known already: nobody has to search for them again.
    """
    hits = log_hits.of(signature)
    times = "once" if hits.count == 1 else f"{hits.count} times"
    assert not hits.count, listed(f"the logs show it {times}", hits.lines)


def _dated(hours: float) -> bytes:
    moment = datetime.now(UTC) - timedelta(hours=hours)
    return moment.strftime("%Y-%m-%dT%H:%M:%S").encode()


@healthy(test_no_known_issue_shows_in_the_logs)
@healthy(test_no_known_issue_shows_in_the_logs, layout="workspace")
def quiet(world: World) -> None:
    """A program in use, with nothing but its ordinary lines."""
    world.log_line(b"INFO  %s +3ms service=session created" % _dated(0))


@healthy(test_no_known_issue_shows_in_the_logs, only="no_space")
def days_ago(world: World) -> None:
    world.log_line(b"ERROR %s +1500ms service=x ENOSPC: no space left on device" % _dated(30))
    world.log_line(b"INFO  %s +3ms service=x started" % _dated(1))


@fault(test_no_known_issue_shows_in_the_logs, only="too_many_open_files")
def hours_ago(world: World) -> None:
    """The program's times are UTC, wherever it runs."""
    world.log_line(b"ERROR %s +1500ms service=x EMFILE: too many open files" % _dated(23))


@fault(test_no_known_issue_shows_in_the_logs, only="session_cut", layout="workspace")
def in_the_log_of_the_guide(world: World) -> None:
    world.log_line(b"[ERROR] JSON.parse error at position 17")


@fault(test_no_known_issue_shows_in_the_logs, only="snapshot_called_corrupted")
def in_the_log_of_a_script(world: World) -> None:
    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S").encode()
    world.log.script_line(b"[%s] [ERROR] Snapshot file appears corrupted" % now)


@fault(test_no_known_issue_shows_in_the_logs, only="no_space", becomes="absent")
def without_logs(world: World) -> None:
    world.log.path.unlink()
    world.log.scripts.unlink()
