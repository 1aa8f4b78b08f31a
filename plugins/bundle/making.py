"""How a bundle is made: gathered, masked, judged once more from what is masked, and scanned."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plugins.bundle import contents, judging, packing
from plugins.bundle.collecting import collected
from plugins.bundle.contents import Contents, Masked
from plugins.bundle.looks import Looks, written
from plugins.bundle.pseudonyms import Pseudonyms
from plugins.catalog import checks_of
from plugins.options import secrets_of
from plugins.redaction import redact
from plugins.report.account import opened
from plugins.report.conclusion import Conclusion
from plugins.report.document import tool
from plugins.report.terminal import say
from plugins.run import RUN
from plugins.text import printable

_PATIENCE = 40.0  # seconds for all that is collected


@dataclass(frozen=True)
class Made:
    """A bundle that may be handed out: its files, and what was gathered for it."""

    members: dict[str, bytes]
    masked: Masked
    names: Pseudonyms
    moment: datetime


class NotHandedOut(Exception):  # noqa: N818 - a promise that is kept, not an error
    """The bundle is not handed out; the message says why, and shows no secret."""


def made(
    config: pytest.Config, conclusion: Conclusion, items: list[pytest.Item]
) -> tuple[Made, bytes]:
    """Return a bundle that may be handed out, and its file's content; raises `NotHandedOut`."""
    run, moment = config.stash[RUN], datetime.now(UTC).astimezone()
    say(config, "collecting for the bundle")
    # What somebody asked for by name is all that they want to hand out.
    files = collected(run.round, run.only or run.round.systems, time.monotonic() + _PATIENCE)
    gathered = Contents(
        facts=written(run.round.asked()),
        configuration=run.configuration,
        document=conclusion.document,
        runs=conclusion.account.runs_before,
        files=files,
        head=_head(config, moment, items),
    )
    names = Pseudonyms(_known(config), ("e-mail", *config.option.bundle_mask))
    masked = gathered.masked(names)
    saved = Looks(masked.members, tool()["version"])
    over = judging.over(run, saved, moment)
    other = dict(judging.unlike(items, over, opened(config).reported))
    shown = {name: names.hide(said, packing.FIRST) for name, said in other.items()}
    ready = Made(masked.with_manifest(names, shown), masked, names, moment)
    content = packing.packed(ready.members, moment.timestamp())
    _refuse_leaks(packing.unpacked(content), names)
    return ready, content


def _known(config: pytest.Config) -> Iterator[str]:
    """Yield the values of secrets that this process holds."""
    yield from secrets_of(config.stash[RUN].configuration)
    for name, value in os.environ.items():
        if redact(f"{name}={value}") != f"{name}={value}":
            yield value


def _head(config: pytest.Config, moment: datetime, items: list[pytest.Item]) -> dict[str, object]:
    run, account = config.stash[RUN], opened(config)
    rows = {item.nodeid: check for item, check in checks_of(items)}
    checks = [
        {
            "id": check.id,
            "system": check.system,
            "severity": check.severity.value,
            "title": check.title,
            "outcome": account.reported[node].outcome.value if node in account.reported else "",
        }
        for node, check in rows.items()
    ]
    return {
        "tool": tool(),
        "made": moment.isoformat(timespec="seconds"),
        "host": {"spec": account.host, "name": account.name},
        "run": {
            "id": run.id,
            "only": list(run.only),
            "deep": run.deep,
            "deadline": run.deadline,
            "require": sorted(run.required),
        },
        "checks": checks,
        "left_aside": sorted(run.known - {check.id for check in rows.values()}),
    }


def _refuse_leaks(members: dict[str, bytes], names: Pseudonyms) -> None:
    left = contents.left_in(members, names)
    if left:
        shown = "; ".join(f"{file} ({rule})" for rule, file in left[:10])
        more = f" and {len(left) - 10} more" if len(left) > 10 else ""
        raise NotHandedOut(f"a secret would have been in it: {shown}{more}. Please report this.")


def hand_out(path: Path, content: bytes) -> None:
    """Write the file whole or not at all, for its owner alone, and over nothing.

    Raises:
        OSError: the disk is full, or something stands there by now.
    """
    descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(beside, path)  # unlike a rename, it replaces nothing
    finally:
        os.unlink(beside)


def lines_of(config: pytest.Config, made: Made, size: int) -> Iterator[str]:
    """Yield what a person is told of a bundle, or of one that was not written."""
    masked, listed = made.masked, made.masked.listed
    if config.option.bundle_dry_run:
        yield "The bundle would hold:"
        for one in listed:
            cut = f", the last part; {one.cut} bytes before it left out" if one.cut else ""
            yield f"  {one.name}  {one.size} bytes  {one.source}{cut}"
        for row in masked.head["unread"]:
            yield f"  not {row['name']}  {row['source']}: {row['why']}"
        for row in masked.rules(made.names):
            yield f"  masked in {row['file']}: {row['rule']}, {row['times']} times"
    whole = f"{len(listed) + 1} files, {size} bytes packed"
    if config.option.bundle_dry_run:
        yield f"{whole}; nothing was written (--bundle-dry-run)"
    else:
        yield f"Bundle: {printable(config.option.bundle)} ({whole})"
        yield "  Judge it anywhere: pytest healthchecks/ --from-bundle FILE"
