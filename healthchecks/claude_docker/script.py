"""Shell scripts, read as far as their simple commands: bash and zsh, from whoever wrote them.

Nothing is run. A word keeps what is expanded in it as a mark: NUL, the name (`name[@]` for an
array), NUL. Comments, the text of here-documents and quoted words are told from commands.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

from healthchecks.claude_docker.script_parts import closed, mark, parameter, unclosed

DEPTH = 24
MARK = re.compile("\0([^\0]*)\0")

_PIECE = re.compile(
    r"""
      (?P<blank>(?:[ \t\r]|\\\r?\n)+)
    | (?P<newline>\n)
    | (?P<document><<-?(?!<))
    | (?P<redirection><<<|(?:>>|>\||<>|[<>])&?(?!\()|&>>?)
    | (?P<end>;;&?|;&|;|&&|\|\||\|&|\||&)
    | (?P<paren>[<>=]?\(|\))
    | (?P<single>'[^']*')
    | (?P<ansi>\$'(?:[^'\\]|\\.)*')
    | (?P<double>\$?")
    | (?P<inner>\$\(|`|\$\{)
    | (?P<name>\$(?:[A-Za-z_]\w*|[@*\#?$!0-9-]))
    | (?P<escaped>\\.)
    | (?P<plain>[^\s;&|<>()'"`$\\=]+|[=$<>\\])
    | (?P<open>')
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_QUOTES = re.compile(
    r"""[^"\\$`]+|\\.|\$\(|\$\{|`|\$(?:[A-Za-z_]\w*|[@*#?$!0-9-])|\$|\\|\"""", re.DOTALL
)
_ARRAY = re.compile(r"[A-Za-z_]\w*\+?=")
_BEGIN = frozenset({"if", "case", "while", "until", "for", "select"})
_END = frozenset({"fi", "esac", "done"})


@dataclass
class Command:
    """A simple command.

    Attributes:
        line: where it begins, from 1.
        words: without quotes, expansions as marks.
        arrays: what `name=(…)` and `name+=(…)` among its words hold, by the position of the word.
        function: in whose body it stands, "" outside of any.
        perhaps: whether a condition decides about it.
        text: of a here-document that it reads.
    """

    line: int
    words: list[str] = field(default_factory=list)
    arrays: dict[int, list[str]] = field(default_factory=dict)
    function: str = ""
    perhaps: bool = False
    text: str = ""


def commands(text: str, line: int = 1, function: str = "", depth: int = 0) -> list[Command]:
    """Return the simple commands of a script in their order, those in `$(…)` too.

    Raises:
        CannotTell: a quotation, or another bracket of it, is never closed.
    """
    if depth > DEPTH:
        return []
    reader = _Reader(text.replace("\0", ""), line, function)
    reader.read()
    found = reader.found
    for inner, at, where in reader.inner:
        if inner.strip():
            found += commands(inner, at, where, depth + 1)
    return found


class _Reader:
    def __init__(self, text: str, line: int, function: str) -> None:
        self.text = text
        self.found: list[Command] = []
        self.inner: list[tuple[str, int, str]] = []
        self._first = line
        self._lines = [match.start() for match in re.finditer("\n", text)]
        self._word: str | None = None
        self._functions = [function]
        self._named = ""
        self._conditions = 0
        self._joined = False
        self._array = False
        self._here: list[tuple[str, bool, bool, Command]] = []
        self._awaited = ""
        self._command = Command(line, function=function)

    def _line(self, at: int) -> int:
        return self._first + bisect_right(self._lines, at - 1)

    def read(self) -> None:
        at, size = 0, len(self.text)
        while at < size:
            if self._word is None and self.text[at] == "#":
                end = self.text.find("\n", at)
                at = size if end < 0 else end
                continue
            match = _PIECE.match(self.text, at)
            assert match is not None, at  # one of its pieces takes any character
            at = getattr(self, f"_{match.lastgroup}")(match)
        self._close_command()

    def _add(self, text: str, at: int) -> None:
        if self._word is None:
            self._word = ""
            if not self._command.words:
                self._command.line = self._line(at)
        self._word += text

    def _close_word(self) -> None:
        if self._word is None:
            return
        if self._awaited:
            quoted = self._word != self._word.strip("\"'\1")
            word = self._word.strip("\1")
            if self._awaited.startswith("<<") and self._awaited != "<<<":
                row = (word, self._awaited == "<<-", quoted, self._command)
                self._here.append(row)
            self._awaited = ""
        elif self._array:
            self._command.arrays[len(self._command.words) - 1].append(self._word.replace("\1", ""))
        else:
            self._command.words.append(self._word.replace("\1", ""))
        self._word = None

    def _close_command(self) -> None:
        self._close_word()
        command = self._command
        if command.words:
            command.function = self._functions[-1]
            self._structure(command)
            command.perhaps = self._joined or self._conditions > 0
            if command.words:
                self.found.append(command)
        self._command = Command(self._first)
        self._array = False

    def _structure(self, command: Command) -> None:
        """Follow functions and conditions, whose words are taken off the command."""
        words = command.words
        while words:
            word = words[0]
            if word in _BEGIN:
                self._conditions += 1
            elif word in _END:
                self._conditions = max(0, self._conditions - 1)
            elif word == "{":
                self._functions.append(self._named or self._functions[-1])
                self._named = ""
            elif word == "}":
                if len(self._functions) > 1:
                    self._functions.pop()
            elif word == "function" and len(words) > 1:
                self._named = words[1].removesuffix("()")
                del words[0]
            elif word not in {"then", "else", "elif", "do", "!"}:
                break
            del words[0]
            command.arrays = {at - 1: held for at, held in command.arrays.items() if at}
            command.function = self._functions[-1]
            if word in {"case", "for", "select"}:
                words.clear()

    def _blank(self, match: re.Match[str]) -> int:
        self._close_word()
        return match.end()

    def _newline(self, match: re.Match[str]) -> int:
        self._close_word()
        if not self._array:
            self._close_command()
            self._joined = False
        return self._bodies(match.end()) if self._here else match.end()

    def _bodies(self, at: int) -> int:
        for word, dashed, quoted, command in self._here:
            begin = at
            closing = re.compile(
                rf"^{chr(9) + '*' if dashed else ''}{re.escape(word)}$", re.MULTILINE
            )
            match = closing.search(self.text, at)
            end = match.start() if match else len(self.text)
            at = min(len(self.text), match.end() + 1) if match else end
            command.text = self.text[begin:end]
            if not quoted:
                self._expanded(command.text, self._line(begin))
        self._here = []
        return at

    def _expanded(self, text: str, line: int) -> None:
        """Keep the commands that the shell runs for a here-document."""
        for match in re.finditer(r"(?<!\\)(?:\$\((?!\()|`)", text):
            end = closed(text, match.end(), match[0][-1])
            if end:
                where = line + text.count("\n", 0, match.start())
                self.inner.append((text[match.end() : end - 1], where, self._functions[-1]))

    def _document(self, match: re.Match[str]) -> int:
        self._close_word()
        self._awaited = match[0]
        return match.end()

    def _redirection(self, match: re.Match[str]) -> int:
        if self._word is not None and self._word.isdigit():
            self._word = None
        self._close_word()
        self._awaited = match[0]
        return match.end()

    def _end(self, match: re.Match[str]) -> int:
        self._close_command()
        self._joined = match[0] in {"&&", "||"}
        return match.end()

    def _paren(self, match: re.Match[str]) -> int:
        if match[0] == "=(" and self._word is not None:
            self._word += "="
        if self._word is not None and _ARRAY.fullmatch(self._word):
            self._command.words.append(self._word)
            self._command.arrays[len(self._command.words) - 1] = []
            self._word, self._array = None, True
        elif match[0] == ")" and self._array:
            self._close_word()
            self._array = False
        elif match[0] == "(" and self.text[match.end() : match.end() + 1] == ")":
            self._close_word()
            if self._command.words:
                self._named = self._command.words[-1]
            self._command = Command(self._first)
            return match.end() + 1
        elif not self._array:
            self._close_command()
        return match.end()

    def _single(self, match: re.Match[str]) -> int:
        self._add("\1" + match[0][1:-1], match.start())
        return match.end()

    def _ansi(self, match: re.Match[str]) -> int:
        self._add("\1" + match[0][2:-1], match.start())
        return match.end()

    def _double(self, match: re.Match[str]) -> int:
        begin = at = match.end()
        self._add("\1", match.start())
        while True:
            part = _IN_QUOTES.match(self.text, at)
            if part is None:
                raise unclosed(self._line(begin))
            at = part.end()
            if part[0] == '"':
                return at
            if part[0] in {"$(", "${", "`"}:
                at = self._inner(part)
            elif part[0][0] == "$" and len(part[0]) > 1:
                self._add(mark(part[0][1:]), begin)
            else:
                escaped = part[0][0] == "\\" and part[0][1:] in {'"', "\\", "$", "`", "\n"}
                self._add(part[0][1:].strip("\n") if escaped else part[0], begin)

    def _inner(self, match: re.Match[str]) -> int:
        end = closed(self.text, match.end(), match[0][-1])
        if not end:
            raise unclosed(self._line(match.start()))
        inner = self.text[match.end() : end - 1]
        if match[0] == "${":
            self._add(parameter(inner), match.start())
        else:
            self._add("\0(\0", match.start())
            self.inner.append((inner, self._line(match.end()), self._functions[-1]))
        return end

    def _name(self, match: re.Match[str]) -> int:
        self._add(mark(match[0][1:]), match.start())
        return match.end()

    def _escaped(self, match: re.Match[str]) -> int:
        self._add("\1" + match[0][1], match.start())
        return match.end()

    def _plain(self, match: re.Match[str]) -> int:
        self._add(match[0], match.start())
        return match.end()

    def _open(self, match: re.Match[str]) -> int:
        raise unclosed(self._line(match.start()))
