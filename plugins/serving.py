"""`--serve HOST:PORT`: hands out what the last round of a watch came to; see docs/serve.md.

However many ask, nothing is looked at for them: they get bytes that the last round left.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING

import pytest

from plugins.redaction import Secret
from plugins.report.account import on_worker, opened
from plugins.report.conclusion import Conclusion
from plugins.report.document import as_text, verdict
from plugins.run import RUN
from plugins.serve import VARIABLE

if TYPE_CHECKING:  # most runs serve nothing, and import nothing for it
    from plugins.serve.address import Place
    from plugins.serve.desk import Desk

_DESK: pytest.StashKey[Desk] = pytest.StashKey()
_UNSAID = pytest.StashKey[list[str]]()
_ROUNDS_MISSED = 3  # so many may be late before nothing is known any more
# The page names its own scripts, by their hashes, in a policy that holds beside this one.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_KINDS = {
    "/report": ("text/html; charset=utf-8", POLICY),
    "/report.json": ("application/json", ""),
    "/metrics": ("text/plain; version=0.0.4; charset=utf-8", ""),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.getgroup("health").addoption(
        "--serve",
        metavar="HOST:PORT",
        help="with --watch: answer GET /healthz, /report, /report.json and /metrics there",
    )


@pytest.hookimpl
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Listen before anything is looked at; the watch has its lock by now."""
    asked = config.option.serve
    if asked is None or on_worker(config):
        return None
    if config.option.watch is None:
        raise pytest.UsageError("--serve hands out what a watch sees: add --watch 60")
    from plugins.serve.address import Place, Unusable, listening, token_in, url
    from plugins.serve.desk import Desk

    try:
        # Programs that the checks start have no business with it.
        token, place = token_in(os.environ), Place.of(asked)
        os.environ.pop(VARIABLE, None)
        made = listening(place, guarded=bool(token))
    except Unusable as why:
        raise pytest.UsageError(f"--serve {asked}: {why}") from None
    desk = config.stash[_DESK] = Desk(made, _rules(config, place, token))
    config.stash[_UNSAID] = [f"serving {url(made)}/report, /report.json, /metrics and /healthz"]
    config.add_cleanup(partial(_close, config))
    trouble = desk.open()
    if trouble:
        raise pytest.UsageError(f"--serve {asked}: {trouble}")
    return None


def _rules(config: pytest.Config, place: Place, token: Secret) -> dict[str, object]:
    late = _ROUNDS_MISSED * float(config.option.watch) + config.stash[RUN].deadline
    return {"token": token.reveal(), "names": [place.host.lower()], "stale_after": late}


def pytest_health_concluded(config: pytest.Config, conclusion: Conclusion) -> None:
    """Hand out what the run came to."""
    desk = config.stash.get(_DESK, None)
    if desk is not None and not conclusion.final:
        from plugins.outputs.prometheus import text as metrics
        from plugins.report.page import page_of

        made = {
            "/report": page_of(conclusion.account, conclusion.document),
            "/report.json": as_text(conclusion.document),
            "/metrics": metrics(conclusion),
        }
        kinds = {path: _KINDS[path] for path in made}
        bodies = [text.encode("utf-8", "replace") for text in made.values()]
        config.stash[_UNSAID].append(desk.give("pages", kinds, bodies))


def pytest_health_round(config: pytest.Config, rounds: int, status: int) -> list[str]:
    """Let it be known that the rounds go on; one that the end cut short is none."""
    desk = config.stash.get(_DESK, None)
    if desk is None or config.stash[RUN].ending:
        return []
    from plugins.serve.answers import now

    told = verdict(opened(config).findings())
    known = {"rounds": rounds, "status": status, "verdict": told, "at": now()}
    said, config.stash[_UNSAID] = config.stash[_UNSAID], []
    return [line for line in (*said, desk.give("round", known)) if line]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Close before the reports are written: what is handed out is of a watch that goes on."""
    _close(session.config)
    return (yield)


def _close(config: pytest.Config) -> None:
    desk = config.stash.get(_DESK, None)
    if desk is not None:
        del config.stash[_DESK]
        desk.close()
