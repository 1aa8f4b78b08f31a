"""The `docker run` commands of a launcher: each block of it, whatever its options are kept in."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from healthchecks.claude_docker.script import MARK, Command, commands
from plugins import CannotTell

_WORDS = 1000  # in a variable
_WAYS = 8  # in which a variable may have been filled
_SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ksh"})
# What is said or looked for, and not run.
_SAYING = re.compile(
    r"echo|printf?|[ef]?grep|rg|sed|awk|(?:un)?alias|cat|which|type|whence|pgrep|pkill|\[\[?|:|test"
    r"|complete|compdef|man|help|return|local|export"
)
_SAYERS = re.compile(r"_*(?:log|print|msg|message|info|warn|err|error|die|fail|debug|usage|say)")
_GLOBAL_WITH_VALUE = frozenset({"--context", "-c", "-H", "--host", "--config", "-l", "--log-level"})
_GLOBAL_WITH_VALUE |= {"--tlscacert", "--tlscert", "--tlskey"}
_FLAGS = re.compile(
    r"--(?:detach|interactive|tty|rm|init|privileged|read-only|no-healthcheck|quiet|help"
    r"|oom-kill-disable|publish-all|sig-proxy|disable-content-trust)"
)
_SHORT_FLAGS = re.compile(r"-[ditPq]+")
_DECLARING = frozenset({"local", "declare", "typeset", "export", "readonly"})
_SETTING = re.compile(r"([A-Za-z_]\w*)(\+?)=(.*)", re.DOTALL)


@dataclass(frozen=True)
class DockerRun:
    """One `docker run` of a script.

    Args:
        line: where it begins.
        options: for each way in which its variables may have been filled, the options before the
            image, each with its value behind "=".
        image: as it stands there, "" where none is seen.
        unknown: an expansion among its options of which the script does not say what it holds.
    """

    line: int
    options: tuple[tuple[str, ...], ...]
    image: str
    unknown: str

    def always(self, *wanted: str) -> bool:
        """Tell whether one of some options is given, in whatever way it is filled."""
        return all(any(_gives(option, wanted) for option in way) for way in self.options)

    @property
    def name(self) -> str:
        """What it calls its container, "" where it does not."""
        named = (one for way in self.options for one in way if one.startswith("--name="))
        return next(named, "").partition("=")[2]

    def __str__(self) -> str:
        image = MARK.sub(r"$\1", self.image)
        return f"line {self.line}: docker run … {image}".rstrip()


def _gives(option: str, wanted: Iterable[str]) -> bool:
    for one in wanted:
        if option == one or option.startswith(f"{one}="):
            return option.partition("=")[2].lower() not in {"false", "0", "f"}
        if not one.startswith("--") and option.startswith(one) and not option.startswith("--"):
            return True
    return False


def docker_runs(text: str) -> tuple[DockerRun, ...]:
    """Return every `docker run` of a script; raises `CannotTell` where it cannot be read."""
    return tuple(_Runs(commands(text)).found())


class _Runs:
    """A script's commands with what is known of its variables when each of them is run."""

    def __init__(self, found: list[Command]) -> None:
        self._commands = found
        self._values: dict[tuple[str, str], list[list[str]]] = {}
        self._aliases: dict[str, str] = {}
        self._calls: dict[str, list[list[str]]] = {}
        for command in found:
            if command.words:
                self._calls.setdefault(command.words[0], []).append(command.words[1:])

    def found(self) -> Iterator[DockerRun]:
        waiting = deque((command, 0) for command in self._commands)
        while waiting:
            command, depth = waiting.popleft()
            self._remember(command)
            if depth < 4:
                inner = self._spoken(command)
                waiting.extendleft((one, depth + 1) for one in reversed(inner))
            ways = [self._filled(command, way) for way in range(_WAYS)]
            ways = [way for at, way in enumerate(ways) if way not in ways[:at]]
            runs = [seen for way in ways if (seen := _run(way)) is not None]
            if runs:
                unknown = next((seen[2] for seen in runs if seen[2]), "")
                options = tuple(seen[0] for seen in runs)
                yield DockerRun(command.line, options, runs[-1][1], unknown)

    def _remember(self, command: Command) -> None:
        """Keep what a command sets."""
        words = command.words
        if words[0] == "alias":
            for word in words[1:]:
                name, _, value = word.partition("=")
                self._aliases[name] = value
            return
        declares = words[0] in _DECLARING
        for at, word in enumerate(words):
            match = _SETTING.fullmatch(word)
            if match is None:
                if declares:
                    continue
                return
            held = command.arrays.get(at)
            new = held if held is not None else [match[3]]
            self._set(command, match[1], new, adds=bool(match[2]), text=held is None)

    def _set(self, command: Command, name: str, new: list[str], *, adds: bool, text: bool) -> None:
        key = (command.function, name)
        if key not in self._values and (adds or command.perhaps) and ("", name) in self._values:
            key = ("", name)
        before = self._values.get(key)
        ways = [_joined(way, new, text) for way in before or [[]]] if adds else [new]
        if command.perhaps and before is not None:
            ways = before + ways
        elif command.perhaps and adds:
            ways = [[], *ways]
        self._values[key] = ways[:_WAYS]

    def _spoken(self, command: Command) -> list[Command]:
        """Return the commands in what `eval`, `sh -c`, an alias or a here-document says."""
        words, text = self._filled(command, 0), ""
        program = os.path.basename(words[0]) if words else ""
        if program == "eval":
            text = " ".join(words[1:])
        elif program in _SHELLS:
            said = [at for at, word in enumerate(words) if re.fullmatch(r"-[a-z]*c", word)]
            text = words[said[0] + 1] if said and said[0] + 1 < len(words) else command.text
        elif program in self._aliases:
            text = " ".join((self._aliases[program], *map(_quoted, words[1:])))
        elif program == "alias":
            texts = (word.partition("=")[2] for word in words[1:])
            found = (one for text in texts for one in commands(text, command.line))
            runs = (one for one in found if "run" in one.words)
            # An alias without an image is completed where it is used.
            return [one for one in runs if (seen := _run(one.words)) and seen[1]]
        text = MARK.sub(r"${\1}", text)
        return commands(text, command.line, command.function) if text.strip() else []

    def _filled(self, command: Command, way: int) -> list[str]:
        """Return the words, with what is known of its variables filled in, in one of the ways."""
        done: list[str] = []
        for word in command.words:
            done += self._word(word, command.function, way, 0)
        return done

    def _word(self, word: str, function: str, way: int, depth: int) -> list[str]:
        whole = MARK.match(word)
        if whole is None or depth > 6:
            inner = MARK.sub(lambda match: self._text(match, function, way), word)
            return [inner]
        held = self._held(whole[1].removesuffix("[@]"), function, way)
        rest = word[whole.end() :]
        if held is None:
            return rest.split() if rest.startswith(" ") else [word]
        if rest.startswith(" "):
            rest = ""
        if whole[1].endswith("[@]") and not rest:
            return [one for each in held for one in self._word(each, function, way, depth + 1)]
        text = " ".join(held) + rest
        parts = text.split() or [""]
        return [one for each in parts for one in self._word(each, function, way, depth + 1)]

    def _text(self, match: re.Match[str], function: str, way: int) -> str:
        held = self._held(match[1].removesuffix("[@]"), function, way)
        return match[0] if held is None else " ".join(held)

    def _held(self, name: str, function: str, way: int) -> list[str] | None:
        if name in {"@", "*"}:
            ways = self._calls.get(function, []) if function else []
        else:
            ways = self._values.get((function, name)) or self._values.get(("", name)) or []
        return ways[min(way, len(ways) - 1)] if ways else None


def _joined(way: list[str], new: list[str], text: bool) -> list[str]:
    if len(way) > _WORDS:
        raise CannotTell(f"a variable of the launcher holds more than {_WORDS} words")
    if text and len(way) <= 1:
        return ["".join((*way, *new))]
    return [*way, *new]


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'" if "\0" not in word else word


def _run(words: list[str]) -> tuple[tuple[str, ...], str, str] | None:
    """Return (options, image, what is unknown among them), None where nothing is run by Docker."""
    if not words or _SAYING.fullmatch(words[0]) or _SAYERS.match(words[0]):
        return None
    for at, word in enumerate(words):
        if os.path.basename(word) in {"docker", "podman"} or _names_docker(word):
            rest = _after_globals(words[at + 1 :])
            if rest and rest[0] == "container":
                rest = rest[1:]
            if rest and rest[0] == "run":
                return _options(rest[1:])
    return None


def _names_docker(word: str) -> bool:
    match = MARK.fullmatch(word)
    return match is not None and re.search(r"docker", match[1], re.IGNORECASE) is not None


def _after_globals(words: list[str]) -> list[str]:
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in _GLOBAL_WITH_VALUE else 1
    return words[at:]


def _options(words: list[str]) -> tuple[tuple[str, ...], str, str]:
    at, unknown, options = 0, "", []
    while at < len(words):
        word = words[at]
        match = MARK.fullmatch(word)
        if match is not None and match[1].endswith("[@]"):
            unknown = unknown or f"${match[1].removesuffix('[@]')}"
            at += 1
        elif not word:
            at += 1
        elif word == "--" or not word.startswith("-"):
            break
        elif _alone(word):
            options.append(word)
            at += 1
        else:
            options.append("=".join(words[at : at + 2]))
            at += 2
    image = words[at] if at < len(words) else ""
    return tuple(options), image, unknown


def _alone(word: str) -> bool:
    """Tell whether an option has no value, or has it in its own word, as -m2g does."""
    if "=" in word or _FLAGS.fullmatch(word) or _SHORT_FLAGS.fullmatch(word):
        return True
    return len(word) > 2 and not word.startswith("--")
