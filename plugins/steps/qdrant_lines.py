"""The shell lines of steps on Qdrant: curl, with the API key taken from where it stands.

The key is handed to curl by a file descriptor: what stands in its arguments is seen by everybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from plugins.hands import qdrant_collections, qdrant_keys
from plugins.shell import line
from plugins.steps.programs import OnProgram
from plugins.steps.step import Hands, Refusal

_RESULT = 'import json,sys; r=json.load(sys.stdin)["result"]; '
_JSON = ("-H", "content-type: application/json")


@dataclass(frozen=True)
class OnQdrant(OnProgram):
    """A step on one collection of a Qdrant server.

    Args:
        url: of the server, as its host reaches it.
        collection: its name.
        key: the place of the API key on the host, as `qdrant_keys` has it, "" for none.
    """

    url: str
    collection: str
    key: str = field(default="", kw_only=True)

    @property
    def server(self) -> list[str]:
        """The server as hands take it."""
        if self.key and not qdrant_keys.is_place(self.key):
            raise Refusal(f"not a name of a variable, nor a place in a file: {self.key!r}")
        return [self.url, self.key]

    @property
    def bare(self) -> str:
        """Its URL, as an inverse is written down with it; refused where that holds a password."""
        if "@" in urlsplit(self.url).netloc:
            raise Refusal("its URL has a name and password, which would be written down; use a key")
        return self.url

    def curl(self, method: str, path: str, body: str = "", *more: str) -> str:
        """Return the line of one request.

        Args:
            method: "" where curl knows by itself.
            path: behind the server's URL, "" for the collection's, or what comes behind that.
            body: JSON.
            more: further words.
        """
        words = ["curl", "-fsS", *(("-X", method) if method else ())]
        words += [*_JSON, "-d", body] if body else []
        place = f"{self.url.rstrip('/')}/collections/{quote(self.collection, safe='')}{path}"
        said = line(*words, *more, place)
        return f"curl{_header(self.key)}{said.removeprefix('curl')}"

    def of(self, collection: str) -> OnQdrant:
        """Return the same server's other collection."""
        return OnQdrant(self.url, collection, key=self.key)

    def holds(self, number: int) -> str:
        """Return the line that succeeds when the collection holds so many points."""
        return f"[ {self.counted} = {number} ]"

    @property
    def counted(self) -> str:
        """The word of a line that becomes the number of its points, "" where it has none."""
        asked = self.curl("", "/points/count", '{"exact":true}')
        return f'"$({asked} | {picked("count")})"'


def _header(place: str) -> str:
    path, keys = qdrant_keys.parts(place)
    if not path:
        return f' -H @<(echo "api-key: ${place}")' if place else ""
    kind = "tomllib" if path.endswith(".toml") else "json"
    loaded = f'{kind}.load(open(sys.argv[1],"rb"))'
    read = f"import functools,{kind},sys; print(functools.reduce(dict.get, sys.argv[2:], {loaded}))"
    return f' -H @<(printf "%s: %s" api-key "$({line("python3", "-c", read, path, *keys)})")'


def picked(key: str) -> str:
    """Return the command that prints one entry of a result."""
    return line("python3", "-c", f'{_RESULT}print(r["{key}"])')


def copied(source: OnQdrant, target: OnQdrant, moved: tuple[str, ...]) -> str:
    """Return the line that copies every point, a page at a time; ids of 64 bits stay whole."""
    points = 'r["points"]'
    if moved:
        old, new = moved
        points = (
            '[{**p, "vector": {**{k: w for k, w in n(p).items() if k not in (o, t)},'
            f" t: n(p)[o]}}}} for p in {points} if o in n(p)]"
        )
        names = f"o, t = {old!r}, {new!r}; "
        named = 'n=lambda p: (lambda v: v if isinstance(v, dict) else {"": v})(p["vector"]); '
        points = f'{names}{named}print(json.dumps({{"points": {points}}}))'
    else:
        points = f'print(json.dumps({{"points": {points}}}))'
    asked = '{\\"limit\\":100,\\"with_payload\\":true,\\"with_vector\\":true,\\"offset\\":$at}'
    scroll = source.curl("", "/points/scroll", "ASKED").replace("-d ASKED", f'-d "{asked}"')
    written = target.curl("PUT", "/points?wait=true", "", *_JSON, "--data-binary", "@-")
    following = f'{_RESULT}print(json.dumps(r["next_page_offset"]))'
    # Between && and && a shell does not heed its own -e.
    return (
        f'(set -o pipefail; at=null; until [ "$at" = end ]; do page=$({scroll}) || exit;'
        f' printf %s "$page" | {line("python3", "-c", _RESULT + points)} | {written} || exit;'
        f' at=$(printf %s "$page" | {line("python3", "-c", following)}) || exit;'
        ' [ "$at" != null ] || at=end; done)'
    )


def numbers_of(hands: Hands, step: OnQdrant, *names: str) -> list[int]:
    """Return the exact number of points of collections, -1 where there is none."""
    told = hands.asked(qdrant_collections.numbers, step.server, list(names))
    numbers: list[int] = told["numbers"]
    return numbers
