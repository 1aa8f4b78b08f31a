"""The server's metrics can be read, and tell nothing bad."""

from __future__ import annotations

from pathlib import Path

from healthchecks.pocket_agent.probes_metrics import Metrics
from healthchecks.pocket_agent.world import World
from plugins import P3, check, fault, healthy, listed


@check(
    P3,
    guide="PA32",
    hint="""See what a collector gets: `curl -ki https://127.0.0.1:<port>/metrics`. Where a proxy or
    a page answers instead, correct metrics_path or metrics_port in the systems file.""",
)
def test_its_metrics_can_be_read(metrics: Metrics) -> None:
    """The server's metrics are Prometheus text.

    A collector drops the whole page for one bad line, and its alarms fall silent.
    """
    told = f"{metrics.url} is not Prometheus text"
    assert not metrics.unread, listed(told, metrics.unread)


@check(
    P3,
    guide="PA32",
    hint="""Look for what they failed with: `grep -E 'EXECUTION_(FAILED|TIMEOUT)' <log> | tail`.""",
)
def test_its_counters_show_few_failures(metrics: Metrics) -> None:
    """The server's counters show few failed executions.

    They go back to its start, and so tell of what the log has forgotten.
    """
    assert metrics.failed.value <= (metrics.failed.limit or 0.0), listed(
        f"{metrics.failed.value:g} % of the executions failed; "
        f"{metrics.failed.limit or 0:g} % is the limit",
        metrics.counts,
    )


@healthy(test_its_metrics_can_be_read)
@healthy(test_its_counters_show_few_failures)
@healthy(test_its_metrics_can_be_read, layout="guide")
@healthy(test_its_counters_show_few_failures, layout="guide")
def with_metrics(world: World) -> None:
    """A server with the metrics that the guide promises."""
    world.start(metrics="own")


@fault(test_its_metrics_can_be_read, becomes="absent")
def without_metrics(world: World) -> None:
    """The real server has none, and is well."""
    world.start()


@fault(test_its_metrics_can_be_read)
def a_web_page(world: World) -> None:
    """Something answers with a page."""
    world.start(metrics=_page(world, "<html><body>It works</body></html>\n"))


@fault(test_its_counters_show_few_failures)
def failing(world: World) -> None:
    """Every third execution failed or ran out of time."""
    name = "pocket_agent_executions_total"
    rows = {"success": 120, "failed": 50, "timeout": 12}
    text = "".join(f'{name}{{status="{status}"}} {count}\n' for status, count in rows.items())
    world.start(metrics=_page(world, f"# TYPE {name} counter\n{text}"))


def _page(world: World, text: str) -> Path:
    page = world.folder / "metrics.txt"
    page.write_text(text, "utf-8")
    return page
