"""What Qdrant's answers say in words, and whether it is Qdrant that says it."""

from __future__ import annotations

import json

from plugins.endpoints.http import Answer
from plugins.outcomes import NoPermission, NotThere, Refused, WrongKind
from plugins.text import printable

# Of its own page for health; those of other programs have words such as "Health check passed".
_WELL = b"healthz check passed"


def is_page(answer: Answer) -> bool:
    """Tell whether it is a web page."""
    return answer.content_type == "text/html" or answer.body[:200].lstrip()[:1] == b"<"


def error_of(answer: Answer) -> str | None:
    """Return the words of an error of Qdrant's, None where the answer is none."""
    try:
        return str(json.loads(answer.body)["status"]["error"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def said(answer: Answer) -> str:
    """Return the words of an error, fit to be shown."""
    if is_page(answer):
        return "a web page"
    error = error_of(answer)
    return printable(answer.body, 120) if error is None else printable(error, 200)


def says_well(answer: Answer) -> str:
    """Return "yes" where a page for health is Qdrant's, and says so; raises kinds of `NoFact`."""
    if answer.status == 404:
        raise NotThere("status 404")
    if answer.status in {401, 403}:
        raise NoPermission(f"status {answer.status}")
    if answer.status != 200 or is_page(answer):
        raise Refused(f"status {answer.status}, {said(answer)}".rstrip(", "))
    # Many a server has such a page, and tells there of a Qdrant that it uses.
    if answer.body.strip().lower() != _WELL and not _titled(answer):
        raise WrongKind(f"answers, and not as Qdrant does: {said(answer)}")
    return "yes"


def _titled(answer: Answer) -> bool:
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return False
    title = told.get("title") if isinstance(told, dict) else None
    return isinstance(title, str) and title.lower().startswith("qdrant")


def says_ready(answer: Answer) -> str:
    """Return "no" where a server says that some of its shards are not ready."""
    # Older servers have no such page: 404 says nothing of them.
    return "no" if answer.status == 503 and b"not ready" in answer.body else "yes"
