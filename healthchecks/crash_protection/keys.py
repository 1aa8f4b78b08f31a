"""The names of copies.

A copy is named after its conversation: `<session>.jsonl`, as the guide has it. What else there is:

- A sub-agent's file is named after its parent too: `<session>.agent-1f2e.jsonl`. A dot and no `_`,
  as the guide's own recovery takes what stands before the first `_` for the session.
- Where several origins have one name, the one that the present copy was taken from keeps it (the
  copy is a prefix of it; of several such the longest; without a copy the first by its path). Any
  other gets a short hash of its place, `<session>.3f9a0c12.jsonl`, and keeps that from then on.
- A name that leaves no room for a time behind it is cut, with a short hash in its stead.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.crash_protection.places import Conversation, Copy

ENDING = ".jsonl"
_STAMPED = re.compile(r"(?s)(.*)_(\d{8}-\d{6})\.jsonl")
_LONGEST = 180  # bytes of a name: a time and a temporary's own words come behind it


def stamped(name: str) -> tuple[str, float | None]:
    """Return the key and the time (local, as seconds since 1970) in a crash copy's name."""
    told = _STAMPED.fullmatch(name)
    if told is None:
        return name.removesuffix(ENDING), None
    try:
        return told[1], datetime.strptime(told[2], "%Y%m%d-%H%M%S").timestamp()
    except (ValueError, OverflowError, OSError):
        return told[1], None


def short(key: str, tail: str = "") -> str:
    """Return a key that leaves room behind it; a long one is cut."""
    raw = os.fsencode(key)
    if len(raw) > _LONGEST:
        cut = raw[:_LONGEST].decode("utf-8", "ignore")
        return f"{cut}.{hashlib.sha256(raw).hexdigest()[:12]}{tail}"
    return f"{key}{tail}"


def suffixed(one: Conversation) -> str:
    """Return the key of a conversation whose plain one is another's."""
    place = f"{one.where}/{one.path[len(one.within) :]}"
    return short(one.key, "." + hashlib.sha256(os.fsencode(place)).hexdigest()[:8])


def named_apart(
    conversations: Iterable[Conversation],
    copies: Iterable[Copy],
    begins: Callable[[list[tuple[Copy, Conversation]]], list[bool]],
) -> list[Conversation]:
    """Give those that share a name names of their own; see the top of this file.

    Args:
        conversations: sorted, with plain keys.
        copies: all of them.
        begins: tells of each pair whether the conversation begins with the whole copy.
    """
    shared: dict[str, list[Conversation]] = defaultdict(list)
    for one in conversations:
        shared[one.key].append(one)
    if all(len(group) == 1 for group in shared.values()):
        return [group[0] for group in shared.values()]
    realtime = {copy.session: copy for copy in copies if copy.place == "realtime"}
    named = []
    for key, group in shared.items():
        free = [one for one in group if len(group) > 1 and suffixed(one) not in realtime] or group
        first, copy = free[0], realtime.get(key)
        if len(free) > 1 and copy is not None:
            told = zip(free, begins([(copy, one) for one in free]), strict=True)
            first = max((one for one, begun in told if begun), key=_size, default=first)
        named += [one if one is first else replace(one, key=suffixed(one)) for one in group]
    return named


def _size(one: Conversation) -> int:
    return one.size
