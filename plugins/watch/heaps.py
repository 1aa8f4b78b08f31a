"""How the C library keeps the memory of a watch, which lives for months."""

from __future__ import annotations

import ctypes

# Of malloc.h, where the C library is glibc.
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_HEAPS = 2
_BIG = 64 << 10  # bytes


def keep_few() -> bool:
    """Have few heaps, and let big pieces go back to the system as soon as they are let go.

    Each look has a thread, and each thread would get a heap of its own, of which the pieces that
    stay keep the rest: under many short-lived processes some KiB more a round. To be called before
    any thread begins. Tells whether the C library was told; those of macOS and Alpine are not.
    """
    tell = getattr(ctypes.CDLL(None), "mallopt", None)
    if tell is None:
        return False
    # A threshold that is given stays: else it grows to that of the biggest piece there ever was.
    return bool(tell(_M_ARENA_MAX, _HEAPS)) and bool(tell(_M_MMAP_THRESHOLD, _BIG))
