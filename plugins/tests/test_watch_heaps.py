"""A watch gives big pieces of memory back as soon as it lets them go."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from plugins.tests.toy import ROOT, Toy, check
from plugins.tests.watched import watched

# After a piece of 8 MiB came and went, glibc takes pieces of that size from a heap, and keeps them.
_LOOK = """
import ctypes
from plugins.watch import heaps
if {told}:
    assert heaps.keep_few()

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "abcdefghij"]

library = ctypes.CDLL(None)
library.mallinfo2.restype = Info
bytes(8 << 20)
before = library.mallinfo2().d
kept = [bytes(100_000) for _ in range(40)]
print(library.mallinfo2().d - before)
"""


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="needs glibc 2.33, which tells of its heaps"
)
@pytest.mark.parametrize("told", [True, False])
def test_big_pieces_stand_apart(told: bool) -> None:
    argv = [sys.executable, "-c", _LOOK.format(told=told)]
    ran = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True)
    assert (int(ran.stdout) > 30) is told  # one or the other fits where something stood


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="needs glibc 2.33, which tells of its heaps"
)
def test_a_watch_has_them_so(pytester: pytest.Pytester) -> None:
    toy = Toy(pytester)
    body = _LOOK.format(told=False).replace("print(", "apart = (").replace("\n", "\n    ")
    toy.probes(f"\n@probe\ndef apart(system) -> int:\n    {body}\n    return apart\n")
    toy.checks(check("apart", "assert apart > 30, str(apart)", facts="apart", cure="hint='Look.'"))
    with watched(toy) as watch:
        watch.began()
        watch.end()
    assert toy.came() == {"apart": "healthy"}
