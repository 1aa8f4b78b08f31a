"""What the queries of the logs, which stand in the systems file, come to."""

from __future__ import annotations

from healthchecks.claude_docker.system import ClaudeDocker
from plugins import probe
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.logs import Logs
from plugins.queried import Answers, answers


def log_named(system: ClaudeDocker, name: str) -> str:
    """Return the path of a log by its short name, or of a path as a query has it."""
    settings = system.settings
    named = {
        "events": settings.events_log,
        "metrics": settings.metrics_log,
        "errors": settings.errors_log,
    }
    return settings.path(named.get(name, name))


@probe(deadline=55.0, every=30.0)
def log_answers(system: ClaudeDocker, logs: Logs, filesystem: Filesystem) -> Answers:
    """The answer to each query that is not switched off."""
    return answers(
        system.settings.queries,
        lambda name: log_named(system, name),
        logs,
        filesystem,
        deadline=system.settings.query_seconds,
    )
