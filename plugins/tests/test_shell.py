"""What is quoted is read back by bash byte for byte, and is fit for a terminal."""

from __future__ import annotations

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.shell import line, printed, quoted

_WORDS = st.binary(max_size=40).map(lambda raw: raw.replace(b"\0", b""))


@settings(max_examples=20, deadline=None)
@given(st.lists(_WORDS, min_size=1, max_size=30))
def test_words_are_read_back(words: list[bytes]) -> None:
    text = " ".join(map(quoted, words))
    assert text.isprintable()
    ran = subprocess.run(["bash", "-c", f"printf '%s\\0' {text}"], capture_output=True, check=True)
    assert ran.stdout == b"".join(word + b"\0" for word in words)


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=200))
def test_contents_are_printed_whole(content: bytes) -> None:
    command = printed(content)
    assert command.isprintable()
    assert (
        subprocess.run(["bash", "-c", command], capture_output=True, check=True).stdout == content
    )


def test_contents_that_look_like_formats_and_options_are_printed_whole() -> None:
    for content in (b"-n", b"%s%d\\n", b"\0%s\\012", b"-\0-", b"", b"'\0'", b"\\\0\\"):
        ran = subprocess.run(["bash", "-c", printed(content)], capture_output=True, check=True)
        assert ran.stdout == content


def test_plain_words_stay_plain() -> None:
    assert line("mv", "-n", "--", "/a/b.c", "ü x") == "mv -n -- /a/b.c 'ü x'"
