"""What runs are told apart by, and where what they came to is kept."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugins.run import Run


@dataclass(frozen=True)
class Subject:
    """What runs look at; runs over different ones are never compared.

    Args:
        demo: whether it is the demo host.
        spec: testinfra specs of the hosts.
        name: as people call it.
        systems: the path of the systems file, "" for none.
    """

    demo: bool
    spec: str
    name: str
    systems: str

    @classmethod
    def of(cls, run: Run) -> Subject:
        """Return what a run looks at."""
        file = "" if run.demo else run.configuration.origin
        return cls(bool(run.demo), *run.looked_at, file and os.path.realpath(file))


def number(run: Run, key: str, otherwise: int) -> int:
    """Return a whole number of the table [suite], which a project of checks may lack."""
    table = run.configuration.tables.get("suite", {})
    return int(table[key].value) if key in table else otherwise
