"""`--serve HOST:PORT`: hands out what the last round of a watch came to; see docs/serve.md.

However many ask, nothing is looked at for them: they get bytes that the last round left.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from functools import partial

import pytest

from plugins.redaction import Secret
from plugins.report.account import on_worker, opened
from plugins.report.conclusion import Conclusion
from plugins.report.document import as_text, verdict
from plugins.run import RUN
from plugins.serve import VARIABLE
from plugins.serve.address import Place, Unusable, listening, token_in, url
from plugins.serve.answers import now
from plugins.serve.desk import Desk

_DESK = pytest.StashKey[Desk]()
_URL = pytest.StashKey[str]()
_ROUNDS_MISSED = 3  # so many may be late before nothing is known any more
_JSON = "application/json"


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
    try:
        # Programs that the checks start have no business with it.
        token, place = token_in(os.environ), Place.of(asked)
        os.environ.pop(VARIABLE, None)
        made = listening(place, guarded=bool(token))
    except Unusable as why:
        raise pytest.UsageError(f"--serve {asked}: {why}") from None
    desk = config.stash[_DESK] = Desk(made, _rules(config, place, token))
    config.stash[_URL] = url(made)
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
        pages = {"/report.json": (_JSON, "", as_text(conclusion.document).encode())}
        kinds = {path: (kind, policy) for path, (kind, policy, _) in pages.items()}
        desk.give("pages", kinds, [body for _, _, body in pages.values()])


def pytest_health_round(config: pytest.Config, rounds: int, status: int) -> list[str]:
    """Let it be known that the rounds go on; one that the end cut short is none."""
    desk = config.stash.get(_DESK, None)
    if desk is None or config.stash[RUN].ending:
        return []
    told = verdict(opened(config).findings())
    known = {"rounds": rounds, "status": status, "verdict": told, "at": now()}
    trouble = desk.give("round", known)
    where = f"serving {config.stash[_URL]}/report, /report.json, /metrics and /healthz"
    return [line for line in (trouble, where if rounds == 1 else "") if line]


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
