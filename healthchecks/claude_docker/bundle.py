"""What the guide gathers of Claude in Docker: its logs and its settings; no conversation."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.claude_docker.system import ClaudeDocker
from plugins.bundle.collecting import LAST, File, collect, numbered


@collect()
def logs(system: ClaudeDocker) -> Iterator[File]:
    """The ends of the kit's logs: errors, events, metrics."""
    settings = system.settings
    yield File("errors.log", settings.path(settings.errors_log), LAST, follow=True)
    yield File("events.jsonl", settings.path(settings.events_log), LAST, follow=True)
    yield File("metrics.jsonl", settings.path(settings.metrics_log), LAST, follow=True)
    yield from numbered("text-log", settings.paths(settings.text_logs))


@collect()
def settings(system: ClaudeDocker) -> Iterator[File]:
    """The settings of Claude; its main file is left out, as it holds what was typed."""
    yield File("settings.json", f"{system.config_dir}/settings.json", follow=True)
