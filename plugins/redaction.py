"""Secrets are masked in everything that is shown; names of variables are kept.

`redact` knows secrets by their shape. A `Redactor` also knows the very values that a run holds.
`Secret` is what such a value is carried in. Each rule takes time that grows with the length of the
text and no faster, as the text comes from strangers: a token is tried only where a run of its
characters begins, and every repetition that can fail is bounded or followed by what it excludes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Never
from urllib.parse import quote

from plugins import tokens

MASK = "***"

# A known value that is shorter stands in too many innocent words.
SHORTEST_KNOWN = 5


class Secret:
    """A text that is shown to nobody: it prints as `***`; `reveal` gives the text itself."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, for the one call that sends it."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memory: object) -> Secret:
        return self

    def __reduce__(self) -> Never:
        raise TypeError("a secret is not written down")


@dataclass(frozen=True)
class Rule:
    """One known shape of a secret.

    Args:
        name: what it is the shape of.
        pattern: where it stands.
        replace: the text to show in its place.
    """

    name: str
    pattern: re.Pattern[str]
    replace: Callable[[re.Match[str]], str]


def _wholly(match: re.Match[str]) -> str:
    return MASK


def _after_first_group(match: re.Match[str]) -> str:
    return f"{match[1]}{MASK}"


_NAMES = (
    r"password|passwd|passphrase|(?<=_)pass|(?<=_)pwd|secret|token|credentials?"
    r"|api[_-]?key|provider[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key|encryption[_-]?key|auth[_-]?key"
)
# What follows such a word in the name of what is no secret itself: max_tokens, token_file.
_HARMLESS_ENDS = (
    r"(?!s\b|s?[_-]?(?:counts?|limits?|usage|used|files?|paths?|dirs?|env|urls?|uri|endpoints?|name"
    r"|types?|expir[a-z_]{0,40}|ttl|len|length|izer|ized|ization|policy|age|budget|window|size"
    r"|per_[a-z_]{1,40}|max|min|total|authentication|id|ids|store|helper|manager)(?![A-Za-z0-9]))"
)
_ASSIGNED = re.compile(
    rf"(?i)(?P<head>(?:{_NAMES}){_HARMLESS_ENDS}[A-Za-z0-9_-]{{0,40}}"
    r"\\{0,3}[\"']?[ \t]{0,8}(?::=|=>|[:=])[ \t]{0,8})"
    r"(?:(?P<escaped>\\{1,3}\")(?P<inner>[^\"\\\n]*)"
    r"|(?P<quote>[\"'])(?P<quoted>(?:(?!(?P=quote))[^\\\n]|\\.)*)"
    r"|(?P<bare>[^\s\"'&]+))"
)
# A state or the name of a variable stands where the value would: it is the diagnosis, not a secret.
_NO_VALUE = re.compile(
    r"(?i)(?:true|false|null|none|nil|yes|no|not|missing|unset|empty|required|expired|invalid"
    r"|absent|readable|\*+|\$[A-Z_][A-Z0-9_]*|\$\{[A-Z0-9_:-]+\}|\{[a-z0-9_.]*\}|<[a-z0-9 _-]+>"
    r"|…|%s|[\[{(]+)"
    r"[.,;:)\]}`]*"
)
_PATH = re.compile(r"(?:~|\.{1,2})?(?:/[\w.@+-]+){2,}/?[,;:)\]}]*|~/[\w.@+-]+[,;:)\]}]*")
_CLOSING = ",;)]}>`"


def _is_file_message(match: re.Match[str]) -> bool:
    """Tell `/etc/api_token: Permission denied`, a message about a file, from a value."""
    if not match["head"].endswith((": ", ":\t")):
        return False
    before = match.string[max(0, match.start() - 300) : match.start()]
    word = before.rsplit(None, 1)[-1] if before and not before[-1].isspace() else ""
    return "/" in word and "?" not in word


def _assigned(match: re.Match[str]) -> str:
    head = match["head"]
    value = match["inner"] or match["quoted"] or match["bare"] or ""
    if not value or _NO_VALUE.fullmatch(value) or _PATH.fullmatch(value):
        return match[0]
    if match["bare"] is None:
        return f"{head}{match['escaped'] or match['quote']}{MASK}"
    if _is_file_message(match):
        return match[0]
    kept = value.rstrip(_CLOSING)
    return f"{head}{MASK}{value[len(kept) :]}" if kept else match[0]


RULES = (
    Rule(
        "private key",
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?!\*\*\*|\s?<secret-\d).*?"
            r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
            re.DOTALL,
        ),
        lambda match: f"{match[0].split('-----', 2)[1].join(('-----', '-----'))}{MASK}",
    ),
    Rule(
        "end of a private key",  # the last bytes of a log may begin within one
        re.compile(
            r"\A[A-Za-z0-9+/=\s\\]{16,8192}(?=-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)"
        ),
        _wholly,
    ),
    Rule(
        "cookie header",
        re.compile(r"(?i)(?<![A-Za-z0-9_])((?:set-)?cookie:[ \t]{0,8})[^\s][^\n]*"),
        _after_first_group,
    ),
    Rule(
        "authorization header",
        re.compile(
            r"(?i)(authorization\\{0,3}[\"']?[ \t]{0,8}[:=][ \t]{0,8}\\{0,3}[\"']?"
            r"(?:(?:Bearer|Basic|Token|Digest)[ \t]{1,8})?+)(?!\*\*\*)[^\s\"'\\]{3,}"
        ),
        _after_first_group,
    ),
    Rule(
        "bearer token",
        re.compile(
            rf"(?i)(?<![A-Za-z0-9_])(bearer[ \t]{{1,8}}){tokens.PROSE}[A-Za-z0-9._~+/=-]{{6,}}"
        ),
        _after_first_group,
    ),
    Rule(
        "basic credentials",
        re.compile(
            r"(?<![A-Za-z0-9_])([Bb]asic[ \t]{1,8})"
            r"(?=[a-z]{0,200}[A-Z0-9+/=])[A-Za-z0-9+/]{6,}={0,2}(?![A-Za-z0-9+/])"
        ),
        _after_first_group,
    ),
    Rule(
        "password in a URL",
        re.compile(r"(://[^\s/:@\"'<>]{0,128}:)(?!\*\*\*@)[^\s/\"'<>]{1,256}(?=@)"),
        _after_first_group,
    ),
    Rule(
        # A path, or a name that was made of a URL, has other signs where its slashes were.
        "password in a flattened URL",
        re.compile(
            rf"({tokens.FLATTENED}[^\s/:@\"'<>]{{0,128}}:)(?!\*\*\*@)"
            r"[^\s/\"'<>]{1,256}(?=@(?!sha256:))"
        ),
        _after_first_group,
    ),
    Rule(
        "password in an encoded URL",
        re.compile(r"(?i)(%3A%2F%2F[^\s/:@\"'<>%]{0,128}%3A)(?!\*\*\*)[^\s/\"'<>&]{1,256}?(?=%40)"),
        _after_first_group,
    ),
    Rule(
        "token in a URL",
        re.compile(r"(://)[A-Za-z0-9_-]{20,256}(?=@)"),
        _after_first_group,
    ),
    Rule(
        "key in a URL",
        re.compile(
            r"(?i)([?&](?:key|api_?key|access_?key|auth|sig|signature)=)(?!\*\*\*)[^\s&\"'<>#]{3,}"
        ),
        _after_first_group,
    ),
    Rule(
        "webhook",
        re.compile(rf"({tokens.WEBHOOKS})(?!\*\*\*)[A-Za-z0-9_/-]{{16,256}}"),
        _after_first_group,
    ),
    Rule("token", re.compile(rf"{tokens.RUN_BEGINS}(?:{tokens.TOKENS})"), _wholly),
    Rule("token in a name", re.compile(rf"(?<![A-Za-z0-9])(?:{tokens.IN_A_NAME})"), _wholly),
    Rule("token behind a letter", re.compile(tokens.BEHIND_A_LETTER), _wholly),
    Rule("JSON Web Token", re.compile(rf"{tokens.RUN_BEGINS}{tokens.JWT}"), _wholly),
    Rule("assignment", _ASSIGNED, _assigned),
    Rule(
        "beginning of a key",
        re.compile(r"(?i)(?<![A-Za-z0-9_])(api key:[ \t]{1,8})(?!\*\*\*)[^\s\"']{1,64}?(?=\.\.\.)"),
        _after_first_group,
    ),
    Rule(
        "command-line option",
        re.compile(
            r"(?i)((?<![A-Za-z0-9_-])--?(?:[a-z]{1,20}-){0,3}"
            r"(?:password|passwd|passphrase|secret|token|api-key|apikey)[ \t]{1,8})"
            r"(?!-|\*\*\*)[^\s\"']{3,}"
        ),
        _after_first_group,
    ),
    Rule(
        "password of a program",
        re.compile(rf"({tokens.COMMANDS})(?!-|\*\*\*)[^\s\"']{{3,}}"),
        _after_first_group,
    ),
)


def parted(rule: Rule, match: re.Match[str]) -> tuple[str, str, str] | None:
    """Return what stands before the secret of a match, the secret, and what stands after it.

    None where the rule leaves the match as it is.
    """
    shown = rule.replace(match)
    if shown == match[0]:
        return None
    before, _, after = shown.rpartition(MASK)
    return before, match[0][len(before) : len(match[0]) - len(after)], after


def redact(text: str) -> str:
    """Return the text with every secret of a known shape shown as `***`.

    Names stay (`password=***`), and so do paths, digests, UUIDs and ids of checks.
    """
    for rule in RULES:
        text = rule.pattern.sub(rule.replace, text)
    return text


def forms_of(value: str) -> set[str]:
    """Return the forms in which a secret stands in text: as it is, in a URL, and in JSON."""
    stripped = value.strip()
    return {stripped, quote(stripped, safe=""), json.dumps(stripped)[1:-1]}


class Redactor:
    """Masks the values that a run holds, then all that `redact` knows.

    Args:
        known: values of secret variables; a value of under 5 characters is left to the shapes.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        forms: set[str] = set()
        for value in known:
            if len(value.strip()) >= SHORTEST_KNOWN:
                forms |= forms_of(value)
        ordered = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        self._remembered = lru_cache(maxsize=1024)(self._masked)  # each report has the same texts

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        return self._remembered(text) if len(text) <= 512 else self._masked(text)

    def _masked(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return redact(text)
