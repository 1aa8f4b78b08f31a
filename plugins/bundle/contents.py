"""What goes into a bundle: gathered whole, then masked in one place, then listed and scanned."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from plugins.bundle import looks
from plugins.bundle.collecting import Collected
from plugins.bundle.masking import in_document, in_fact
from plugins.bundle.packing import FIRST
from plugins.bundle.pseudonyms import Pseudonyms
from plugins.configuration import Configuration, printed
from plugins.past import RunBefore

FORMAT = 1
DOCUMENT, HISTORY, CONFIGURATION = "health.json", "history.json", "configuration.json"
_OURS = (FIRST, DOCUMENT, HISTORY, CONFIGURATION)


@dataclass(frozen=True)
class Listed:
    """A file of a bundle: where it comes from, its bytes, and bytes of it that were left out."""

    name: str
    source: str
    size: int
    cut: int = 0


@dataclass
class Contents:
    """All that is gathered for a bundle, with secrets in it still.

    Args:
        facts: what was seen, as `looks.written` gives it.
        configuration: the systems files in force.
        document: the result document.
        runs: earlier runs, the oldest first.
        files: what the systems wanted.
        head: further words of the manifest, plain JSON.
    """

    facts: Mapping[str, Mapping[str, Any]]
    configuration: Configuration
    document: Mapping[str, Any]
    runs: tuple[RunBefore, ...]
    files: tuple[Collected, ...]
    head: dict[str, Any] = field(default_factory=dict)

    def _documents(self) -> Iterator[tuple[str, str, Any]]:
        yield DOCUMENT, "the result document of the run", self.document
        yield HISTORY, "the runs before", [dataclasses.asdict(one) for one in self.runs]
        yield CONFIGURATION, "the systems files in force", plain(self.configuration)

    def masked(self, names: Pseudonyms) -> Masked:
        """Return the files, with pseudonyms in the place of secrets."""
        self._note(names)
        facts = masked_facts(self.facts, names)
        members, listed = dict[str, bytes](), list[Listed]()
        for name, source, document in self._documents():
            shown = in_document(document, partial(names.hide, where=name))
            _add(members, listed, name, source, _json(shown))
        toml = names.hide(printed(self.configuration), "configuration.toml")
        _add(members, listed, "configuration.toml", "the systems files in force", toml.encode())
        for name, content in looks.files(facts).items():
            _add(members, listed, name, "what the probes saw", content)
        unread = []
        for one in self.files:
            name, source = f"collected/{one.name}", names.hide(one.source, FIRST)
            if one.why:
                unread.append({"name": name, "source": source, "why": names.hide(one.why, FIRST)})
                continue
            text = names.hide(one.text, name).encode("utf-8", "backslashreplace")
            _add(members, listed, name, source, text, one.cut)
        head = in_document(self.head, lambda text: names.hide(text, FIRST))
        return Masked(members, tuple(listed), {**head, "unread": unread})

    def _note(self, names: Pseudonyms) -> None:
        """Find every secret first, wherever it stands, so that it is masked everywhere."""
        note_facts(self.facts, names)
        for _, _, document in self._documents():
            in_document(document, _noting(names.note))
        names.note(printed(self.configuration))
        in_document(self.head, _noting(names.note))
        for one in self.files:
            for text in (one.text, one.source, one.why):
                names.note(text)


@dataclass
class Masked:
    """The files of a bundle without secrets, and what the manifest says of them."""

    members: dict[str, bytes]
    listed: tuple[Listed, ...]
    head: dict[str, Any]

    def with_manifest(self, names: Pseudonyms, unlike: Mapping[str, str]) -> dict[str, bytes]:
        """Return all files of the bundle.

        Args:
            names: what was masked, by rule and file.
            unlike: ids of checks that do not judge what is masked as they judged what was seen.
        """
        manifest = {
            "format": FORMAT,
            **self.head,
            "files": [dataclasses.asdict(one) for one in self.listed],
            "masked": self.rules(names),
            "unlike": dict(unlike),
        }
        return {**self.members, FIRST: _json(manifest)}

    @staticmethod
    def rules(names: Pseudonyms) -> list[dict[str, Any]]:
        """Return how often each rule masked something in each file."""
        rows = sorted(names.masked.items(), key=lambda row: (row[0][1], row[0][0]))
        return [{"file": file, "rule": rule, "times": n} for (rule, file), n in rows if n]


def note_facts(facts: Mapping[str, Mapping[str, Any]], names: Pseudonyms) -> None:
    """Find every secret in what was seen."""
    for table in facts.values():
        for one in table.values():
            in_fact(one.get("fact"), _noting(names.note), _noting(names.know))


def masked_facts(
    facts: Mapping[str, Mapping[str, Any]], names: Pseudonyms
) -> dict[str, dict[str, Any]]:
    """Return what was seen with pseudonyms in the place of secrets that were noted before."""

    def masked(fact: Any, where: str) -> Any:
        return in_fact(
            fact,
            lambda text: names.hide(text, where),
            lambda text, _: names.secret(text, where),
        )

    return looks.with_facts(facts, masked)


def _noting(take: Callable[..., None]) -> Callable[..., str]:
    def noted(text: str, *name: str) -> str:
        take(text, *name)
        return text

    return noted


def _add(
    members: dict[str, bytes],
    listed: list[Listed],
    name: str,
    source: str,
    content: bytes,
    cut: int = 0,
) -> None:
    members[name] = content
    listed.append(Listed(name, source, len(content), cut))


def _json(document: Any) -> bytes:
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def plain(configuration: Configuration) -> dict[str, Any]:
    """Return a configuration as plain JSON types."""
    return {
        "tables": {
            system: {
                key: {"value": setting.value, "origin": setting.origin}
                for key, setting in table.items()
            }
            for system, table in configuration.tables.items()
        },
        "require": list(configuration.require),
        "waivers": {name: dataclasses.asdict(one) for name, one in configuration.waivers.items()},
        "origin": configuration.origin,
    }


def moment_of(head: Mapping[str, Any]) -> datetime:
    """Return when a bundle was made; raises `ValueError`."""
    made = datetime.fromisoformat(str(head.get("made")))
    if made.tzinfo is None:
        raise ValueError("a moment without its offset from UTC")
    return made


def left_in(members: Mapping[str, bytes], names: Pseudonyms) -> list[tuple[str, str]]:
    """Return (rule, file) for each secret that stands in the files, or their names, still."""
    found = set()
    for name, content in members.items():
        text = content.decode("utf-8", "backslashreplace")
        found |= {(rule, name) for rule in names.left_in(name)}
        if name in _OURS or name.startswith(looks.FOLDER):
            # Between the words of our own JSON most rules would see secrets that are none.
            found |= {(rule, name) for rule in names.left_in(text, unmistakable=True)}
            found |= {(rule, name) for one in _texts(name, content) for rule in names.left_in(one)}
        else:
            found |= {(rule, name) for rule in names.left_in(text)}
    return sorted(found)


def _texts(name: str, content: bytes) -> set[str]:
    """Return every text in a file of our own JSON, as it was masked."""
    seen = set[str]()

    def kept(text: str) -> str:
        seen.add(text)
        return text

    document = json.loads(content)
    if name.startswith(looks.FOLDER):
        for one in document.values():
            in_fact(one.get("fact"), kept, lambda text, _: kept(text))
    else:
        in_document(document, kept)
    return seen
