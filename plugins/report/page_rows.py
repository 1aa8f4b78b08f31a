"""The findings as the page's script takes them: plain data, of which empty fields are left out.

The script makes text nodes of every string, so none of them can become a tag. What a person should
type, and what may become a link, is decided here.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from plugins.finding import Finding, Outcome, Safety
from plugins.past import Past
from plugins.report.account import FOLDER
from plugins.report.page_words import LONGEST, ago, moment, took
from plugins.report.summary import ability
from plugins.text import printable

_ROOT = Path(__file__).parents[2]
MOST_LINES = 5000  # of one list; more than that is not read in a page
# As a URL's own characters alone, it can neither end an attribute nor show as another one.
_URL = re.compile(r"https?://[\w.~:/?#@!$&'()*+,;=%\[\]-]+", re.ASCII)
_ACT = frozenset({Outcome.ILL, Outcome.CANNOT_TELL, Outcome.SILENCED})


def is_link(text: str) -> bool:
    """Tell whether a reference may be followed: http and https alone, with a host."""
    if not _URL.fullmatch(text):
        return False
    try:
        return bool(urlsplit(text).hostname)
    except ValueError:
        return False


@dataclass(frozen=True)
class Docs:
    """Where the pages of the checks are.

    Args:
        url: of the project's root folder, where people can read its files; "" where none is known.
        known: ids of the checks that have a section in one of the pages.
    """

    url: str = ""
    known: frozenset[str] = frozenset()

    @classmethod
    def of(cls, url: str, systems: Iterable[str]) -> Docs:
        """Read which checks of the systems the pages beside this project tell of."""
        known: set[str] = set()
        for system in systems:
            page = _ROOT / "docs" / "checks" / f"{system}.md"
            if system.isidentifier() and page.is_file():
                known.update(re.findall(r"^## (\S+)$", page.read_text("utf-8"), re.MULTILINE))
        return cls(url if is_link(url) else "", frozenset(known))

    def of_check(self, finding: Finding) -> dict[str, str]:
        """Return the place of the check's section, what prints it, and its URL if one is known."""
        if finding.id not in self.known:
            return {}
        # As Markdown renderers make the anchor of a heading.
        place = f"docs/checks/{finding.system}.md#{finding.id.replace('.', '').lower()}"
        url = f"{self.url.rstrip('/')}/{place}" if self.url else ""
        told = f"pytest {FOLDER}/ --explain {shlex.quote(finding.id)}"
        return {"page": place, "pageLink": url, "explain": told}


def commands(finding: Finding, command: str) -> list[str]:
    """Return what a person may type about the finding, the hint's own lines first.

    Args:
        finding: what is shown.
        command: how a command line over its host begins; "" where it cannot be cured from here.
    """
    if finding.outcome not in _ACT:
        return []
    typed = finding.hint.split("`")[1:-1:2]  # between backticks; a last one alone begins nothing
    found = [each for each in typed if " " in each and not each.startswith("-")]
    curable = finding.outcome is Outcome.ILL and finding.safety > Safety.MANUAL
    if command and curable and finding.fix is None:
        only = f"--fix-only {shlex.quote(finding.id)}"
        consent = "--fix" if finding.safety is Safety.SAFE else "--fix=unsafe"
        found += [f"{command} --fix=plan {only}", f"{command} {consent} {only}"]
    return list(dict.fromkeys(found))


def cure(finding: Finding) -> str:
    """Return in two words how the finding can be cured, or what became of its cure."""
    if finding.outcome is Outcome.FIXED:
        return "fixed"
    if finding.fix is not None:
        return finding.fix.state.replace("_", " ")
    if finding.outcome is not Outcome.ILL:
        return ""
    return {"safe": "--fix", "unsafe": "--fix=unsafe"}.get(finding.safety.name.lower(), "by hand")


def _past(past: Past | None, now: datetime) -> dict[str, Any]:
    if past is None:
        return {}
    moments = (
        ("so since", past.since),
        ("first seen ill", past.first_seen),
        ("last seen ill", past.last_seen),
    )
    told = [
        f"{word} {moment(text)}" + (f" ({since} ago)" if (since := ago(text, now)) else "")
        for word, text in moments
        if text
    ]
    return {
        "change": past.change,
        "age": ago(past.since, now),
        "flapping": past.flapping,
        "past": told,
    }


def _fix(finding: Finding, command: str) -> dict[str, Any]:
    fix = finding.fix
    if fix is None:
        return {"ability": ability(finding)} if finding.outcome is Outcome.ILL else {}
    taken = command and fix.run and fix.state == "taken"
    undo = f"{command} --undo {shlex.quote(fix.run)}" if taken else ""
    return {
        "ability": f"Fix {fix.state.replace('_', ' ')}. {fix.message}".strip(),
        "plan": fix.plan,
        "diff": fix.diff,
        "undo": undo,
    }


def row_of(finding: Finding, now: datetime, docs: Docs, command: str) -> dict[str, Any]:
    """Return the data of one row, and of what opens under it.

    Args:
        finding: what is shown.
        now: when the run ended; ages are told against it.
        docs: where the pages of the checks are.
        command: as `commands` takes it.
    """
    waiver = finding.silenced
    row = {
        "id": finding.id,
        "system": finding.system,
        "severity": finding.severity.value,
        "outcome": finding.outcome.value,
        "title": finding.title,
        "message": finding.message,
        "evidence": finding.evidence,
        "measures": [f"{each.name}: {each}" for each in finding.measures],
        "why": finding.why,
        "hint": finding.hint,
        "commands": commands(finding, command),
        "cure": cure(finding),
        "blocked": finding.blocked_by or "",
        "silenced": f"until {waiver.until}, because {waiver.because} ({waiver.owner})"
        if waiver
        else "",
        "guide": finding.guide,
        "links": [ref for ref in finding.refs if is_link(ref)],
        "refs": [ref for ref in finding.refs if not is_link(ref)],
        "seconds": finding.duration_s,
        "took": took(finding.duration_s),
        **_past(finding.past, now),
        **_fix(finding, command),
        **docs.of_check(finding),
    }
    return {name: _fit(value) for name, value in row.items() if value}


def _fit(value: object) -> object:
    if isinstance(value, str):
        return printable(value, LONGEST)
    if isinstance(value, list | tuple):
        some = [printable(str(each), LONGEST) for each in value[:MOST_LINES]]
        rest = len(value) - len(some)
        return [*some, f"… and {rest} more"] if rest else some
    return value


def as_data(rows: Iterable[dict[str, Any]]) -> str:
    """Return the rows as JSON that stands in a script element and cannot end it."""
    text = json.dumps(list(rows), separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
