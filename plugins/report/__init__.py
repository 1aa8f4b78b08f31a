"""What a run came to, for people and for machines: terminal, HTML, JSON, JUnit, exit status."""

from plugins.report.document import document
from plugins.report.status import exit_status

__all__ = ["document", "exit_status"]
