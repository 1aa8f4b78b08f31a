"""The log of a world: records as the program writes them."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.portagent.world import World


class Log:
    """The log of a world, which its server writes too; `path` is the newest file of it."""

    def __init__(self, world: World) -> None:
        self.path = world.data_dir / "logs" / "portagent.log"

    def build(self) -> None:
        """Make it as a healthy host has it."""
        self.record("INF", "queue/EventQueue", "EventQueue created", "path: '/d/queue.db'")

    def close(self) -> None:
        """End its processes: there are none."""

    def line(self, line: bytes) -> None:
        """Add a line."""
        with self.path.open("ab") as file:
            file.write(line.removesuffix(b"\n") + b"\n")

    def record(
        self, level: str, category: str, said: str, *inner: str, hours_ago: float = 0.0
    ) -> None:
        """Add a record, over several lines where it has more than one word of context."""
        now = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=hours_ago)
        head = f"{now:%Y-%m-%d %H:%M:%S}.{now.microsecond // 1000:03} +00:00 [{level}] "
        head += f"portagent·{category}: '{said}'"
        if len(inner) > 1:
            rows = ",\n".join(f"  {one}" for one in inner)
            head += f" {{\n{rows}\n}}"
        elif inner:
            head += f" {{ {inner[0]} }}"
        self.line(head.encode())
