"""What a conversation's file says of itself, and whether it is whole.

Standard library only, and no import from this project: a far host's python3 runs this source.
"""

from __future__ import annotations

import json
import os
import stat
from typing import Any

LONGEST = 64 << 20  # bytes of a line that is still taken in
SHOWN = 2000  # characters of a prompt that are kept
# What Claude Code writes in a user's name, and what no person typed.
_NO_PROMPT = ("<command-", "<local-command-", "<bash-", "<system-reminder>", "[Request interrupted")


def summary(path: str) -> dict[str, Any]:
    """Return what a file says.

    Keys: bad (number of the first line, from 1, that is no object with a `type`, other than the
    last; 0 for none), cut (whether the last line is no record, or has no end), lines, messages,
    prompts, first and last (ISO times, "" for none), opening and closing (the first and the last
    prompt, "" for none), title, cwd, session, identity and size (of what was read).
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=1 << 20) as file:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            raise OSError(71, "is no regular file", path)
        told: dict[str, Any] = {
            "bad": 0, "cut": False, "lines": 0, "messages": 0, "prompts": 0, "first": "",
            "last": "", "opening": "", "closing": "", "title": "", "cwd": "", "session": "",
        }  # fmt: skip
        left, broken, answer = seen.st_size, 0, ""
        while left > 0 and (line := file.readline(min(LONGEST, left))):
            left -= len(line)
            told["lines"] += 1
            whole = line.endswith(b"\n")
            while left > 0 and not line.endswith(b"\n"):  # too long to be judged
                line = file.readline(min(LONGEST, left))
                left -= len(line)
                whole = False
            if broken and not told["bad"]:
                told["bad"] = broken
            broken = 0
            row = _record(line) if whole else None
            told["cut"] = row is None or not whole
            if row is None:
                broken = told["lines"]
            elif row:
                answer = _heard(row, told, answer)
    told["identity"] = f"{seen.st_dev}:{seen.st_ino}:{seen.st_size}:{seen.st_mtime_ns}"
    told["size"] = seen.st_size
    return told


def _record(line: bytes) -> dict[str, Any] | None:
    """Return a line's object, {} for an empty line, None for what is no record."""
    if not line.strip():
        return {}
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and isinstance(row.get("type"), str) else None


def _heard(row: dict[str, Any], told: dict[str, Any], answer: str) -> str:
    """Take one record into the account; return the id of the answer that it is part of."""
    for key, name in (("cwd", "cwd"), ("sessionId", "session")):
        if not told[name] and isinstance(row.get(key), str):
            told[name] = row[key][:SHOWN]
    moment = row.get("timestamp")
    if isinstance(moment, str) and moment:
        told["first"] = told["first"] or moment[:40]
        told["last"] = moment[:40]
    if row["type"] == "summary" and isinstance(row.get("summary"), str):
        told["title"] = row["summary"][:SHOWN]
    message = row.get("message")
    if not isinstance(message, dict) or row.get("isSidechain") is True:
        return answer
    if row["type"] == "assistant":
        name = str(message.get("id") or row.get("uuid"))
        told["messages"] += name != answer  # one answer is written in several records
        return name
    prompt = "" if row["type"] != "user" or row.get("isMeta") else _prompt(message)
    if prompt and not row.get("isCompactSummary"):
        told["messages"] += 1
        told["prompts"] += 1
        told["opening"] = told["opening"] or prompt
        told["closing"] = prompt
    return answer


def _prompt(message: dict[str, Any]) -> str:
    """Return what a person typed; "" for the result of a tool and the like."""
    content = message.get("content")
    blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
    texts = []
    for block in blocks:
        if isinstance(block, dict) and block.get("type") == "tool_result":
            return ""
        text = block.get("text") if isinstance(block, dict) else block
        if isinstance(text, str) and not text.lstrip().startswith(_NO_PROMPT):
            texts.append(text.strip()[:SHOWN])
    return " ".join(filter(None, texts))[:SHOWN]


def summaries(paths: list[str]) -> dict[str, dict[str, Any]]:
    """Return the summary of each path, or {"errno": number, "why": words} where there is none."""
    found: dict[str, dict[str, Any]] = {}
    for path in paths:
        try:
            found[path] = summary(path)
        except OSError as error:
            found[path] = {"errno": error.errno or 5, "why": error.strerror or str(error)}
    return found
