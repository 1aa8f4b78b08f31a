"""Every command that a page or a hint tells people to type exists, with its options."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from plugins.tests.test_docs import PAGES
from plugins.tests.test_house_rules import catalog
from plugins.tests.typed import (
    blocks,
    is_known,
    looks_typed,
    program,
    simple_commands,
    spans,
    words_of_pytest,
)

# Pieces of code in sentences that look like commands and are none.
NO_COMMANDS = {"undefined is not an object"}


def wrong(config: pytest.Config, line: str) -> list[str]:
    """Return what is wrong with a line that somebody is told to type."""
    found = []
    for command in simple_commands(line):
        words = words_of_pytest(command)
        if words is not None:
            found += refused(config, words)
        name = program(command)
        if not is_known(name):
            found.append(f"{name}: no such program is known")
    return found


def refused(config: pytest.Config, words: list[str]) -> list[str]:
    """Return what the real parser of the command line does not take."""
    try:
        _, unknown = config._parser.parse_known_and_unknown_args(words, argparse.Namespace())
    except pytest.UsageError as why:
        return [str(why)]
    return [f"{word}: no such option" for word in unknown if word.startswith("-")]


def options(config: pytest.Config) -> set[str]:
    """Return every option that the command line has."""
    parser = config._parser
    every = [parser._anonymous, *parser._groups]
    return {name for group in every for one in group.options for name in one.names()}


def of_sentences(config: pytest.Config, text: str, *, strict: bool) -> list[str]:
    """Return what is wrong with the commands in a text's sentences.

    Where it is not strict, what names no known program and no option is taken for no command.
    """
    return [
        f"{span}: {what}"
        for span in spans(text)
        if looks_typed(span) and span not in NO_COMMANDS
        if strict or " -" in span or is_known(span.partition(" ")[0])
        for what in wrong(config, span)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_exists(pytestconfig: pytest.Config, page: Path) -> None:
    text = page.read_text("utf-8")
    found = [f"{line}: {what}" for line in blocks(text) for what in wrong(pytestconfig, line)]
    assert found + of_sentences(pytestconfig, text, strict=False) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_that_a_page_names_exists(pytestconfig: pytest.Config, page: Path) -> None:
    text = page.read_text("utf-8")
    pieces = list(spans(text))
    named = {re.split("[ =]", each)[0] for each in pieces if each.startswith("--")}
    # One that stands alone may be of another program, whose command line names it nearby.
    others = {word for each in [*pieces, *blocks(text)] if each[0] != "-" for word in each.split()}
    assert named - options(pytestconfig) - others == set()


def test_every_command_of_a_hint_exists(pytestconfig: pytest.Config) -> None:
    found = [
        f"{row['id']}: {what}"
        for row in catalog()
        for what in of_sentences(pytestconfig, f"{row['hint']}\n{row['why']}", strict=True)
    ]
    assert found == []
    judged = [one for row in catalog() for one in spans(row["hint"]) if looks_typed(one)]
    assert len(judged) > 400


@pytest.mark.parametrize(
    "line",
    [
        "pytest healthchecks/ --fial-on P1",
        "pytest healthchecks/ --fail-on P7",
        "cd x && .venv/bin/python -m pytest healthchecks/ --no-such",
        "ls | no-such-program --help",
        "echo $(no-such-program)",
    ],
)
def test_a_command_that_does_not_exist_is_found(pytestconfig: pytest.Config, line: str) -> None:
    assert wrong(pytestconfig, line)
