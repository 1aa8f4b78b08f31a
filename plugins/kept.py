"""What the probes of one system remember while the program runs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

MOST = 200_000


class Kept:
    """A memo of one system: it lives as long as the program, so over all rounds of a watch.

    For what is dear to work out and known by its key alone, such as the hash of a file by its
    identity. The entries that were asked for longest ago are forgotten first, so what is not there
    is worked out again; nothing may be lost by that. Safe to use from many threads.

    Args:
        most: entries that are kept.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable, otherwise: Any = None) -> Any:
        """Return what is kept under the key, or `otherwise`."""
        with self._lock:
            if key not in self._values:
                return otherwise
            self._values.move_to_end(key)
            return self._values[key]

    def __getitem__(self, key: Hashable) -> Any:
        """Return what is kept under the key; raises KeyError."""
        with self._lock:
            self._values.move_to_end(key)
            return self._values[key]

    def __setitem__(self, key: Hashable, value: Any) -> None:
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._values

    def __len__(self) -> int:
        with self._lock:
            return len(self._values)

    def pop(self, key: Hashable, otherwise: Any = None) -> Any:
        """Forget the key; return what was kept under it, or `otherwise`."""
        with self._lock:
            return self._values.pop(key, otherwise)
