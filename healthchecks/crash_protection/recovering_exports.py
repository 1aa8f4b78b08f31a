"""Exports: everything that stands, and an account of it that a person can read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from healthchecks.crash_protection.recovering_lines import date, flat, places_of, size
from healthchecks.crash_protection.recovering_places import EXPORT, Standing, Summary
from plugins.endpoints.filesystem import Filesystem
from plugins.hands import tree
from plugins.outcomes import CannotTell, NotThere
from plugins.redaction import redact
from plugins.shell import quoted
from plugins.steps import CopyTree, Hands, Mkdir, Refusal, Step, Write
from plugins.text import printable

# What means something in Markdown or HTML within a line, and what is made a link of.
_MARKS = re.compile(r"[\\`*_\[\]<>&|~$@]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_SHOWN = 400  # characters of a prompt
_INSTRUCTIONS = """# What this is, and what to do with it

Everything that stood of Claude's conversations on {when}: see SUMMARIES.md for what each is about.

- `copies/` is the folder of copies: `realtime/` the newest of each conversation, `crash-recovery/`
  earlier ones, `conversations/` those of the backups.
- `host/` and `volume/` are the folders in which Claude itself writes, as far as they could be read.

To bring a conversation back to where Claude finds it (`ID` stands in SUMMARIES.md):

    pytest healthchecks/ --recover crash_protection.find --with id=ID
    pytest healthchecks/ --recover crash_protection.restore_one --with id=ID

By hand: copy its file into its project's folder, `~/.claude/projects/<project>/`, make it its
owner's alone (`chmod 600`), then `claude --resume ID` in the folder that the project is about.
Into a container: `docker cp FILE CONTAINER:/home/USER/.claude/projects/-workspace/`.

Nothing here is encrypted: keep it where nobody else can read it.
"""


@dataclass(frozen=True)
class WriteAccount(Write):
    """Write a text that is shown by its name alone; it is read back before it counts."""

    def take(self, hands: Hands) -> None:
        """Write it, and compare what stands there."""
        super().take(hands)
        state = hands.host.call(tree.state, self.path, hands.folders())
        if state.get("content") != hashlib.sha256(self.content).hexdigest():
            raise Refusal(f"{self.path}: what was written is not what stands there")

    def __str__(self) -> str:
        return f": # write {len(self.content)} bytes of summary to {quoted(self.path)}"


def plain(text: str, limit: int = _SHOWN) -> str:
    """Return a stranger's text as Markdown shows it: no mark-up, no link, nothing obeyed."""
    return _MARKS.sub(lambda mark: f"&#{ord(mark[0])};", redact(flat(text, limit)))


def verbatim(text: str) -> str:
    """Return a stranger's name or path as a code span, in which nothing means anything."""
    return f"`{printable(redact(text), 600).replace('`', chr(39))}`" if text else "?"


def exported(
    filesystem: Filesystem, target: str, copies: str, origins: Mapping[str, Sequence[str]]
) -> Iterator[Step]:
    """Yield the steps that copy what there is.

    Args:
        filesystem: of the host.
        target: the folder to make.
        copies: the folder of copies.
        origins: "host" and "volume" with their folders.
    """
    yield Mkdir(target)
    if filesystem.exists(copies):
        yield CopyTree(f"{target}/copies", filesystem.resolve(copies))
    for name, folders in origins.items():
        for number, folder in enumerate(folders):
            try:
                real = filesystem.resolve(folder)
            except (NotThere, CannotTell):
                continue
            yield CopyTree(f"{target}/{name}{number + 1 if number else ''}", real)


def free(filesystem: Filesystem, folder: str, now: datetime) -> str:
    """Return the name of a new export in a folder."""
    name = f"{folder}/{EXPORT}{now:%Y%m%d_%H%M%S}"
    number = 2
    while filesystem.exists(name):
        name, number = f"{folder}/{EXPORT}{now:%Y%m%d_%H%M%S}-{number}", number + 1
    return name


def instructions(now: datetime) -> bytes:
    """Return what to do with an export."""
    return _INSTRUCTIONS.format(when=date(now)).encode()


def account(
    by_key: Mapping[str, list[Standing]],
    told: Mapping[str, Summary | CannotTell],
    now: datetime,
    unseen: Sequence[str],
) -> bytes:
    """Return the summaries of all conversations, the newest first, in Markdown."""
    sections = []
    for key, files in by_key.items():
        known = [(one, said) for one in files if isinstance(said := told[one.path], Summary)]
        if not known:
            why = "; ".join(str(told[one.path]) for one in files)
            sections.append(("", f"\n## {verbatim(key)}\n\nIt cannot be read: {plain(why)}\n"))
            continue
        best, said = max(known, key=lambda pair: (pair[1].valid, pair[0].size, pair[0].mtime_ns))
        ended = said.ended(best.mtime_ns)
        sections.append((ended.isoformat(), _section(key, files, best, said)))
    sections.sort(reverse=True)
    missing = "".join(f"- not looked at: {plain(why)}\n" for why in unseen)
    head = f"# {len(sections)} conversations, as they stood on {date(now)}\n\n{missing}"
    return (head + "".join(text for _, text in sections)).encode("utf-8", "replace")


def _section(key: str, files: list[Standing], best: Standing, said: Summary) -> str:
    project = next((one.project for one in files if one.project), "") or said.cwd
    title = plain(said.title or said.opening, 80) or "(no prompt)"
    rows = [
        ("ID", verbatim(key)),
        ("Date", f"{verbatim(said.first)} to {verbatim(said.last)}"),
        ("Messages", f"{said.messages}, of which {said.prompts} are prompts"),
        ("Size", f"{size(best.size)} ({best.size} bytes)"),
        ("Project", verbatim(project)),
        ("First prompt", plain(said.opening) or "(none)"),
        ("Last prompt", plain(said.closing) or "(none)"),
        ("Stands in", places_of(files)),
    ]
    if not said.valid:
        rows.append(("Broken", f"line {said.bad or said.lines} is no record"))
    kind = " (a sub-agent's)" if best.sub_agent else ""
    files_there = "".join(f"    - {verbatim(one.path)} ({size(one.size)})\n" for one in files)
    listed = "".join(f"- {name}: {value}\n" for name, value in rows)
    return f"\n## {title}{kind}\n\n{listed}{files_there}"
