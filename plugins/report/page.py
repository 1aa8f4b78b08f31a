"""The page: one file that holds everything, asks nobody for anything and runs nobody's script.

Its top stands in it as HTML. The table is made by its script, of text alone, from the data at the
page's end; without scripts a list of what is not well stands in its place.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from plugins.finding import Finding, Outcome
from plugins.report.account import Account
from plugins.report.document import worst_first
from plugins.report.page_overview import cards, changes, tiles
from plugins.report.page_rows import Docs, as_data, row_of
from plugins.report.page_words import moment, shown, took
from plugins.report.status import meaning

_FOLDER = Path(__file__).parent
_THEME = "theme.js"  # before anything is drawn
_SCRIPTS = ("page.js", "pane.js")
_LISTED = 300  # findings that are told where no script runs
_LINES = 20  # lines of evidence of each
_TOLD = (Outcome.ILL, Outcome.CANNOT_TELL, Outcome.NOT_RUN, Outcome.FIXED)

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
<script>{theme}</script>
</head>
<body>
<a class="skip" href="#findings">To the findings</a>
<header>
<div><h1>{heading}</h1><p class="quiet">{facts}</p></div>
<button type="button" id="theme" hidden></button>
</header>
<main>
<section class="verdict {sick}" aria-labelledby="verdict"><h2 id="verdict">{verdict}</h2>
<p>{status}</p>{tiles}</section>
{notes}
<section aria-labelledby="changed"><h2 id="changed">What changed</h2>{changes}</section>
<section aria-labelledby="systems"><h2 id="systems">Systems</h2>{cards}</section>
<section aria-labelledby="findings"><h2 id="findings" tabindex="-1">Findings</h2>
<noscript>{plain}</noscript>
<div id="table"></div><p id="said" class="away" role="status"></p></section>
{guests}
</main>
<footer><p class="quiet">{made}</p></footer>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def style() -> str:
    """Return the page's own style."""
    return _FOLDER.joinpath("page.css").read_text("utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _policy(styles: str, scripts: Iterable[str]) -> str:
    """Return a policy under which nothing runs but these scripts, and nothing is asked for."""
    allowed = " ".join(f"'sha256-{_hash(script)}'" for script in scripts)
    return (
        f"default-src 'none'; style-src 'sha256-{_hash(styles)}'; script-src {allowed}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _facts(account: Account, body: dict[str, Any]) -> str:
    started, finished = (datetime.fromisoformat(body[name]) for name in ("started", "finished"))
    zone, lasted = f"{started:%z}", took((finished - started).total_seconds())
    parts = [
        account.host if account.host not in {account.name, "local://"} else "",
        f"{moment(body['started'])} UTC{zone[:3]}:{zone[3:]}",
        f"took {lasted}" if lasted else "",  # a clock that was set back tells no length
        f"{len(body['findings']):,} checks",
    ]
    return " · ".join(shown(part) for part in parts if part)


def _notes(body: dict[str, Any]) -> str:
    errors = "".join(
        f"<li><b>{shown(error['nodeid'])}</b><pre>"
        + "\n".join(shown(line) for line in error["text"].splitlines())
        + "</pre></li>"
        for error in body["summary"]["errors"]
    )
    warnings = "".join(f"<li>{shown(text)}</li>" for text in body["summary"]["warnings"])
    told = f'<h2>Failed, and is no finding</h2><ul class="notes errors">{errors}</ul>'
    noted = f'<h2>Take note</h2><ul class="notes">{warnings}</ul>'
    both = (told if errors else "") + (noted if warnings else "")
    return f"<section>{both}</section>" if both else ""


def _plain(rows: Sequence[Finding]) -> str:
    """Return the list that stands in place of the table where scripts are off."""
    wanted = [row for row in rows if row.outcome in _TOLD]
    items = ""
    for row in wanted[:_LISTED]:
        word = row.outcome.value.replace("_", " ")
        level = row.severity.value if row.outcome is Outcome.ILL else word
        evidence = "".join(f"<li>{shown(line, 600)}</li>" for line in row.evidence[:_LINES])
        unseen = len(row.evidence) - _LINES
        evidence += f"<li>… and {unseen:,} more</li>" if unseen > 0 else ""
        items += (
            f"<li><b>{level} {shown(row.id)}</b> {shown(row.message)}"
            + (f"<ul>{evidence}</ul>" if evidence else "")
            + (f"<br>What to do: {shown(row.hint)}" if row.hint else "")
            + "</li>"
        )
    rest = len(wanted) - _LISTED
    more = f"<p>… and {rest:,} more.</p>" if rest > 0 else ""
    told = f'<ul class="plain">{items}</ul>{more}' if items else "<p>Nothing is ill.</p>"
    return f"<p>The table needs scripts, which are off. This is what is not well.</p>{told}"


def page_of(
    account: Account, document: dict[str, Any], *, styles: str = "", guests: str = ""
) -> str:
    """Return the text of the page.

    It is made of what both hold and of files beside this one, in some milliseconds; it can be
    called at any time of a run, from the thread that changes the account.

    Args:
        account: what the run gathered; its findings hold no secret.
        document: the result document of the same moment, as `report.document.document` makes it.
        styles: CSS of the user, to stand behind the page's own.
        guests: HTML of other plugins, which is trusted.
    """
    rows = worst_first(account.findings())
    now = datetime.fromisoformat(document["finished"])
    docs = Docs.of(account.docs, {row.system for row in rows})
    css = style() + styles
    theme = _FOLDER.joinpath(_THEME).read_text("utf-8")
    script = "".join(_FOLDER.joinpath(name).read_text("utf-8") for name in _SCRIPTS)
    summary, status = document["summary"], document["exit_status"]
    held = any(row.outcome is Outcome.ILL and row.severity >= account.fail_on for row in rows)
    name = shown(account.name)
    return _PAGE.format(
        policy=_policy(css, (theme, script)),
        title=f"Health of {name}",
        heading=f"Health of {name}",
        style=css,
        theme=theme,
        facts=_facts(account, document),
        sick="well" if status == 0 else "sick",
        verdict=shown(summary["verdict"]),
        status=f"Exit status {status}: {meaning(status, account.fail_on, held=held)}.",
        tiles=tiles(rows),
        notes=_notes(document),
        changes=changes(account, rows, now),
        cards=cards(account, rows),
        plain=_plain(rows),
        guests=f"<section>{guests}</section>" if guests else "",
        made=shown(f"Made by {' '.join(document['tool'].values())} with pytest-html."),
        data=as_data(row_of(row, now, docs, account.command) for row in rows),
        script=script,
    )
