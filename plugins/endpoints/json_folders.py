"""Trees of JSON files, read once a look for all that is asked of them, and not again unchanged."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from plugins.endpoints import history
from plugins.endpoints.errors import in_words
from plugins.endpoints.memory import Memory
from plugins.eyes import json_folders as eye
from plugins.hosts import Host
from plugins.outcomes import TimedOut
from plugins.redaction import redact
from plugins.text import printable

# A look that meets a change is made once more; after so many it is told that somebody writes.
_PASSES = 3

# What is known of so many bytes fits into a far host's command line beside the eye.
_FAR = 40_000
LIMIT = 64 << 20

Folders = Mapping[str, dict[str, Any]]
Judge = Callable[[Folders], dict[str, Any]]


class Wanted(NamedTuple):
    """One folder below the top whose JSON files are looked at.

    Args:
        folder: below the top.
        nested: the files stand in folders of it.
        shape: what each file must hold: "object", "list" or "any".
        fields: what is told of each file, the first being what should be its name; of `?title` no
            more than the kind is told.
        every: whether every file is told of, or those alone whose first field is not their name.
    """

    folder: str
    nested: bool
    shape: str
    fields: tuple[str, ...] = ()
    every: bool = True


@dataclass(frozen=True)
class Surveyed:
    """What a look at a tree came to.

    Args:
        top: the folder.
        judged: what the judge made of it; plain JSON values.
        odd: (folder, what stands there instead of one).
        denied: (folder, why it was not looked into).
        moving: what changed again and again while it was read.
        print: of everything together, by which it is told whether anything changed since.
        read: files that were read, 0 when nothing had changed.
        now: the host's time in seconds since 1970.
    """

    top: str
    judged: dict[str, Any]
    odd: tuple[tuple[str, str], ...]
    denied: tuple[tuple[str, str], ...]
    moving: tuple[str, ...]
    print: str
    read: int
    now: float


class JsonFolders:
    """The JSON trees of a host; each is surveyed once in a look, whoever asks."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._memory = Memory()

    def survey(
        self,
        top: str,
        wanted: Sequence[Wanted],
        judge: Judge,
        *,
        form: str,
        cursor_folder: str | None,
        deadline: float,
    ) -> Surveyed:
        """Look at every file, and judge all of them together.

        Args:
            top: the folder.
            wanted: what is looked at below it.
            judge: makes JSON values of what the folders' files told; by nothing but that, as its
                word is kept for as long as no file changes.
            form: another one whenever the judge judges otherwise than before.
            cursor_folder: a folder on this machine to remember in; None reads everything.
            deadline: seconds.

        Raises:
            TimedOut: not all could be read; the next look goes on from there.
        """
        question = (top, tuple(wanted), form)
        rows = [[*one[:3], list(one.fields), one.every] for one in wanted]

        def ask() -> Surveyed:
            return self._survey(top, rows, judge, form, cursor_folder, deadline)

        return self._memory.once(question, ask)

    def _survey(
        self,
        top: str,
        wanted: list[list[Any]],
        judge: Judge,
        form: str,
        folder: str | None,
        deadline: float,
    ) -> Surveyed:
        question = (self._host.spec, "json folders", top, form, json.dumps(wanted))
        before = history.recall(folder, question)
        prints = dict.fromkeys(before.get("unsure", ()), "")
        found = self._settled(top, wanted, {**before.get("prints", {}), **prints}, deadline)
        judged = before.get("judged", {})
        if found["told"] or found["print"] != before.get("print"):
            kept = history.recall(folder, (*question, "rows")) if before else {}
            unread = found["prints"].keys() - found["told"].keys()
            if unread and kept.get("print") != before.get("print"):
                # Half of what was kept is gone: everything is read anew.
                found, unread = self._settled(top, wanted, {}, deadline), set()
            folders = {**{name: kept["folders"][name] for name in unread}, **found["told"]}
            judged = judge(folders)
            part = {name: found[name] for name in ("prints", "unsure", "print")}
            secrets = _secrets(folders)
            history.keep(folder, question, {**part, "judged": _without(secrets, judged)})
            rows = {"folders": _without(secrets, folders), "print": found["print"]}
            history.keep(folder, (*question, "rows"), rows)
        if found["late"]:
            raise TimedOut(f"reading {found['late']} folders of {printable(top)}", deadline)
        odd, denied = (tuple((a, b) for a, b in found[name]) for name in ("odd", "denied"))
        moving = tuple(found["moving"])
        return Surveyed(
            top, judged, odd, denied, moving, found["print"], found["read"], found["now"]
        )

    def _settled(
        self, top: str, wanted: list[list[Any]], prints: dict[str, str], deadline: float
    ) -> dict[str, Any]:
        """Return what the folders told, looked at until nothing changed behind the look's back.

        A file that is written while others are read makes the two disagree that do not.
        """
        told: dict[str, Any] = {}
        unsure: set[str] = set()
        read, ends = 0, time.monotonic() + deadline
        for number in range(_PASSES):
            # A far host that cannot be told what is known reads all of it, once.
            fits = self._host.is_local or len(json.dumps(prints)) <= _FAR
            if number and not fits:
                break
            left = max(0.1, ends - time.monotonic())
            with in_words(top):
                found = self._host.call(
                    eye.survey, top, wanted, prints if fits else {}, left, LIMIT, deadline=left + 5
                )
            changed, prints = set(found["told"]) if fits else set(), found["prints"]
            told |= found["told"]
            unsure |= set(found["unsure"])
            read += found["read"]
            if found["late"] or not changed:
                break
        if changed and not found["late"]:
            found["moving"] += sorted(changed)
        told = {name: one for name, one in told.items() if name in prints}
        return {**found, "told": told, "unsure": sorted(unsure & prints.keys()), "read": read}


def _secrets(folders: Folders) -> dict[str, str]:
    """Return what stands in the place of ids and is a secret, with what is kept instead of it."""
    odd = {text for folder in folders.values() for text in folder.get("odd", ())}
    masked = {text: redact(text) for text in odd}
    return {text: short for text, short in masked.items() if short != text}


def _without(secrets: Mapping[str, str], values: Any) -> Any:
    """Return JSON values as they may be kept between runs."""
    if not secrets:
        return values
    text = json.dumps(values)
    for secret, short in secrets.items():
        text = text.replace(json.dumps(secret)[1:-1], json.dumps(short)[1:-1])
    return json.loads(text)
