"""The conversations of a world, where they are written and where copies of them stand."""

from __future__ import annotations

import json
import os
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks.crash_protection.world import World

SESSIONS = (
    "54f1b9b6-a2a2-4a91-9836-f98330b15c20",
    "a8db9301-7115-4cd3-953e-96fc0b618565",
    "0c9d3c3e-5a39-4a55-8b66-0e2d6d5a7f11",
)


def message(session: str, number: int, text: str = "", moment: datetime | None = None) -> bytes:
    """Return one line of a conversation, as Claude Code writes it: user and assistant in turn."""
    at = (moment or datetime.now(UTC)) + timedelta(seconds=number)
    who = "user" if number % 2 == 0 else "assistant"
    said = text or f"message {number} about the dashboard"
    body: dict[str, object] = {"role": who, "content": said}
    if who == "assistant":
        body["content"] = [{"type": "text", "text": said}]
        body |= {"id": f"msg_{number}", "model": "claude-sonnet-4-5", "stop_reason": "end_turn"}
    row = {
        "parentUuid": None,
        "isSidechain": False,
        "type": who,
        "message": body,
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{session}{number}")),
        "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "userType": "external",
        "cwd": "/workspace",
        "sessionId": session,
        "version": "2.1.197",
    }
    return json.dumps(row).encode() + b"\n"


def talk(session: str, messages: int, moment: datetime | None = None) -> bytes:
    """Return a conversation of so many messages."""
    return b"".join(message(session, number, "", moment) for number in range(messages))


class Conversations:
    """The conversations of a world.

    Args:
        world: that they belong to.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def build(self, *, copies: bool) -> None:
        """Make the healthy state: two in the volume, one on the host, each with its copies."""
        where = (self._world.volume / "projects" / "-workspace", self._world.projects / "-srv-app")
        for session, folder in zip(SESSIONS, (where[0], where[0], where[1]), strict=True):
            origin = self.origin(session, talk(session, 6), folder)
            if copies:
                self.copy(origin)

    def origin(self, session: str, content: bytes, folder: Path | None = None) -> Path:
        """Write a conversation where Claude writes it, and return its path."""
        place = folder or self._world.projects / "-srv-app"
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = place / f"{session}.jsonl"
        path.write_bytes(content)
        path.chmod(0o600)
        return path

    def copy(self, origin: Path) -> None:
        """Give a conversation every copy that a protected one has."""
        world = self._world
        for folder in (world.kit, world.realtime, world.crash_recovery, world.saved, world.exports):
            folder.mkdir(exist_ok=True, mode=0o700)
        content, session = origin.read_bytes(), origin.stem
        stamp = datetime.fromtimestamp(origin.stat().st_mtime).strftime("%Y%m%d-%H%M%S")
        for path in (
            world.realtime / f"{session}.jsonl",
            world.saved / f"{session}.jsonl",
            world.crash_recovery / f"{session}_{stamp}.jsonl",
        ):
            path.write_bytes(content)
            path.chmod(0o600)
            moment = origin.stat().st_mtime
            os.utime(path, (moment, moment))

    def path(self, session: str) -> Path:
        """Return where a conversation that was built is written."""
        tops = (self._world.volume, self._world.projects)
        return next(path for top in tops for path in top.rglob(f"{session}.jsonl"))

    def say(self, session: str, text: str = "one more") -> Path:
        """Add a line to a conversation, now."""
        path = self.path(session)
        with path.open("ab") as file:
            file.write(message(session, 0, text))
        return path

    def said_before(
        self, session: str, seconds: float, folder: Path | None = None, text: str = ""
    ) -> Path:
        """Write a conversation that ended some seconds ago, and has no copy."""
        moment = datetime.now(UTC) - timedelta(seconds=seconds)
        content = message(session, 0, text, moment) + talk(session, 3, moment)
        return self._world.age(self.origin(session, content, folder), seconds)

    def behind(self, session: str, seconds: float) -> Path:
        """Let a conversation have gone on after its copy, for the last time some seconds ago."""
        path, copy = self.path(session), self._world.realtime / f"{session}.jsonl"
        moment = datetime.now(UTC) - timedelta(seconds=seconds)
        with path.open("ab") as file:
            file.write(message(session, 0, "what the copy lacks", moment))
        self._world.age(path, seconds)
        self._world.age(copy, seconds + 60)
        return path

    def age_all(self, seconds: float) -> None:
        """Let everything that is there, copies too, be of some seconds ago."""
        for top in (self._world.volume, self._world.projects, self._world.kit):
            for path in top.rglob("*.jsonl"):
                if not path.is_symlink():
                    self._world.age(path, seconds)

    def forget_all(self) -> None:
        """Have no conversation at all."""
        for top in (self._world.volume, self._world.projects):
            for path in top.rglob("*.jsonl"):
                path.unlink()

    def crash_copies(self, session: str, ages: tuple[float, ...], same: bool = False) -> None:
        """Have crash copies of these ages in seconds, of beginnings that are longer each time."""
        content = self.path(session).read_bytes()
        for path in self._world.crash_recovery.glob(f"{session}_*"):
            path.unlink()
        for number, age in enumerate(sorted(ages)):
            moment = datetime.now() - timedelta(seconds=age)
            name = f"{session}_{moment:%Y%m%d-%H%M%S}.jsonl"
            size = len(content) - (0 if same else 40 * number)
            copy = self._world.crash_recovery / name
            copy.write_bytes(content[:size])
            copy.chmod(0o600)
            os.utime(copy, (moment.timestamp(), moment.timestamp()))

    def cut_crash_copy(self, session: str, less: int) -> Path:
        """Let the newest crash copy lack the last bytes."""
        copies = sorted(self._world.crash_recovery.glob(f"{session}_*"))
        copies[-1].write_bytes(copies[-1].read_bytes()[:-less])
        return copies[-1]
