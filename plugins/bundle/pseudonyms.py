"""Stable pseudonyms: in one bundle the same secret is the same word, such as `<secret-3>`.

Everything is noted first and hidden then, so that a secret which a rule knows in one place is
hidden in all others too, where nothing around it tells what it is. Nothing else in a bundle masks.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from plugins.redaction import MASK, RULES, SHORTEST_KNOWN, Rule, forms_of, parted, redact

KNOWN = "known value"
_WINDOW = 8
_LONGEST = 8192  # characters of what is hunted: more is no key, but a file that lacks its end
_COOKIE = re.compile(r"=([^;\s]+)")
_LINE_OF_KEY = re.compile(r"[A-Za-z0-9+/=]{16,}")
_HIDDEN = re.compile(r"(?:<(?:secret|mail|user|address)-\d+>|\*\*\*)+")
# Names of variables, words and plain numbers stand in too much that is no secret.
_TOO_COMMON = re.compile(
    r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]?[a-z]{1,15}|[A-Z]{1,15}|[\d.:]{1,15}"
)


def _kept_head(match: re.Match[str]) -> str:
    return f"{match[1]}{MASK}"


# Not secrets, but nobody's business: masked always, and the others where `--bundle-mask` says so.
PERSONAL = {
    "e-mail": Rule(
        "e-mail address",
        re.compile(
            r"(?<![A-Za-z0-9._%+-])(?!git@)[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}"
            r"(?!service\b|timer\b|socket\b|target\b|scope\b|slice\b|mount\b)[A-Za-z]{2,24}\b"
        ),
        lambda match: MASK,
    ),
    "home": Rule(
        "name of a home folder",
        re.compile(r"(/(?:home|Users)/)(?![<*])[^/\s\"':,;)\]}]{1,64}"),
        _kept_head,
    ),
    "address": Rule(
        "IP address",
        re.compile(
            r"(?<![\d.])(?!127\.|0\.0\.0\.0)(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}"
            r"(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.])"
        ),
        lambda match: MASK,
    ),
}
_WORDS = {"e-mail address": "mail", "name of a home folder": "user", "IP address": "address"}

# Folders, lists of them, and URLs without a name and a password in them.
_NO_SECRET = re.compile(r"[~.]?/[^\s=]*|[a-z]{2,10}://[^\s@]*")
_UNMISTAKABLE = {"token", "token in a name", "token behind a letter", "JSON Web Token"}


def is_hidden(text: str) -> bool:
    """Tell whether a text that stands where a secret would is a pseudonym."""
    return _HIDDEN.fullmatch(text) is not None


def _in_base64(value: str) -> Iterator[str]:
    """Yield what of a value's base64 does not depend on what stands before and after it."""
    raw = value.encode()
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        text = text[(before * 8 + 5) // 6 : len(text) - 1]
        if len(text) >= _WINDOW:
            yield from (text, text.replace("+", "-").replace("/", "_"))


class Pseudonyms:
    """The pseudonyms of one bundle.

    Args:
        known: values of secrets that the run holds; of under 5 characters they are left to rules.
        masked: which of `PERSONAL` are masked.
    """

    def __init__(self, known: Iterable[str] = (), masked: Iterable[str] = ("e-mail",)) -> None:
        self._rules = (*RULES, *(PERSONAL[name] for name in masked))
        self._words: dict[tuple[str, str], str] = {}
        self._counted: Counter[str] = Counter()
        self._long: dict[str, dict[str, str]] = {}
        self._lengths: dict[str, list[int]] = {}
        self._short: dict[str, str] = {}
        self._rule_of: dict[str, str] = {}
        self._noted: set[str] = set()
        self._seen: dict[str, tuple[str, Counter[str]]] = {}
        self.masked: Counter[tuple[str, str]] = Counter()
        for value in known:
            self.know(value)

    def know(self, value: str, name: str = "") -> None:
        """Take a value that is carried as a secret; it is hidden wherever it stands.

        Args:
            value: the secret.
            name: of the variable that holds it: by it, or by its look, a value may be no secret,
                such as a folder, and is then hidden only where it is carried as one.
        """
        said = f"{name}={value}"
        if (name and redact(said) == said) or _NO_SECRET.fullmatch(value):
            self.note(value)
        elif len(value.strip()) >= SHORTEST_KNOWN:
            self._hunt(value.strip(), KNOWN)

    def note(self, text: str) -> None:
        """Look for secrets; what is found is hidden everywhere."""
        if text in self._noted:
            return
        self._noted.add(text)

        for rule in self._rules:

            def taken(match: re.Match[str], rule: Rule = rule) -> str:
                parts = parted(rule, match)
                if parts is None:
                    return match[0]
                if not is_hidden(parts[1]) and MASK not in parts[1]:
                    self._take(rule.name, parts[1])
                return f"{parts[0]}{MASK}{parts[2]}"

            text = rule.pattern.sub(taken, text)

    def _take(self, rule: str, secret: str) -> None:
        if rule in _WORDS:
            return
        parts: list[str] = []
        if rule == "cookie header":
            parts = _COOKIE.findall(secret)
        elif rule == "private key":  # a log, or a finding, may hold a line of it alone
            parts = _LINE_OF_KEY.findall(secret)
        for value in (secret, *parts):
            if _WINDOW <= len(value) <= _LONGEST and not _TOO_COMMON.fullmatch(value):
                self._hunt(value, rule)

    def _hunt(self, value: str, rule: str) -> None:
        word = self.word(rule, value)
        self._rule_of.setdefault(word, rule)
        for form in (*forms_of(value), *_in_base64(value)):
            if len(form) < _WINDOW:
                self._short[form] = word
            else:
                head = form[:_WINDOW]
                self._long.setdefault(head, {})[form] = word
                lengths = self._lengths.setdefault(head, [])
                if len(form) not in lengths:
                    lengths.append(len(form))
                    lengths.sort(reverse=True)

    def word(self, rule: str, secret: str) -> str:
        """Return the pseudonym of a secret, always the same."""
        kind = _WORDS.get(rule, "secret")
        if (kind, secret) not in self._words:
            self._counted[kind] += 1
            self._words[kind, secret] = f"<{kind}-{self._counted[kind]}>"
        return self._words[kind, secret]

    def found(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield (start, end, pseudonym) of each value that is hidden, wherever it stands."""
        end, long, short = 0, self._long, self._short
        starts = {form[0] for form in short}
        for at in range(len(text)):
            if at < end:
                continue
            head = text[at : at + _WINDOW]
            begun = long.get(head)
            if begun is None and text[at] not in starts:
                continue
            # By length, as thousands of keys of one kind begin alike.
            ends = (at + length for length in self._lengths.get(head, ()))
            form = next((text[at:to] for to in ends if text[at:to] in (begun or {})), "")
            form = form or max((f for f in short if text.startswith(f, at)), key=len, default="")
            if form:
                end = at + len(form)
                yield at, end, (begun or {}).get(form) or short[form]

    def hide(self, text: str, where: str) -> str:
        """Return the text with a pseudonym in the place of every secret.

        Args:
            text: what may hold secrets.
            where: the name of the file that it goes into, for the list of what was masked.
        """
        if text not in self._seen:
            self._seen[text] = self._hidden(text)
        shown, rules = self._seen[text]
        for rule, times in rules.items():
            self.masked[rule, where] += times
        return shown

    def _hidden(self, text: str) -> tuple[str, Counter[str]]:
        rules: Counter[str] = Counter()
        pieces, end = [], 0
        for start, stop, word in self.found(text):
            pieces += [text[end:start], word]
            rules[self._rule_of[word]] += 1
            end = stop
        text = "".join((*pieces, text[end:]))
        for rule in self._rules:

            def hidden(match: re.Match[str], rule: Rule = rule) -> str:
                parts = parted(rule, match)
                if parts is None or is_hidden(parts[1]):
                    return match[0]
                rules[rule.name] += 1
                return f"{parts[0]}{self.word(rule.name, parts[1])}{parts[2]}"

            text = rule.pattern.sub(hidden, text)
        return text, rules

    def secret(self, text: str, where: str) -> str:
        """Return the pseudonym of a text that is carried as a secret."""
        word = text if is_hidden(text) else self.word(KNOWN, text)
        self.masked[KNOWN, where] += 1
        return word

    def left_in(self, text: str, *, unmistakable: bool = False) -> Iterator[str]:
        """Yield the name of the rule for each secret that stands in the text still.

        Args:
            text: what was masked.
            unmistakable: try only the rules that need nothing around a secret to know it.
        """
        for start, end, word in self.found(text):
            if not (unmistakable and _TOO_COMMON.fullmatch(text[start:end])):
                yield self._rule_of[word]
        for rule in RULES:
            if unmistakable and rule.name not in _UNMISTAKABLE:
                continue
            for match in rule.pattern.finditer(text):
                parts = parted(rule, match)
                if parts is not None and not is_hidden(parts[1]):
                    yield rule.name
