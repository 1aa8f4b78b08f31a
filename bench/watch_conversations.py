"""What a round of the watch that protects conversations costs: 30 of them, of 5 MB each.

Run `python bench/watch_conversations.py`; it takes about a minute and 500 MB of temporary files.
First nothing changes; then one line is added to one conversation in every round. Exit status 1
when a goal is missed.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import timing
from bench.watch import a_round, watching
from healthchecks.crash_protection.world import World
from healthchecks.crash_protection.world_conversations import message, talk

CONVERSATIONS, SIZE = 30, 5 << 20
EVERY, SECONDS = 1.0, 20.0
IDLE_MS, BUSY_MS, BUSY_READ = 20.0, 30.0, 64 << 10


def filled(folder: Path) -> World:
    """Make a host with so many conversations."""
    world = World(folder)
    line = talk("54f1b9b6-a2a2-4a91-9836-f98330b15c20", 100)
    content = line * (SIZE // len(line) + 1)
    for number in range(CONVERSATIONS):
        project = world.projects / f"-srv-{number % 3}"
        world.conversations.origin(f"conversation-{number:02}", content, project)
    world.conversations.age_all(3600)
    return world


def systems_file(world: World, folder: Path) -> Path:
    """Write the systems file by which a run finds the world."""
    lines = ["[suite]", f"state = {json.dumps(str(folder / 'state'))}", "[crash_protection]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in world.settings().items()]
    path = folder / "systems.toml"
    path.write_text("\n".join(lines), "utf-8")
    return path


class Talking:
    """Adds a line to a conversation once in every round.

    Args:
        path: the conversation.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._talk)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _talk(self) -> None:
        number = 0
        while not self._done.wait(EVERY):
            number += 1
            with self._path.open("ab") as file:
                file.write(message("conversation-00", number))


def main() -> int:
    """Print what a round costs; return the exit status."""
    print(f"{timing.machine()}; {CONVERSATIONS} conversations of {SIZE >> 20} MiB, {SECONDS:g} s")
    with tempfile.TemporaryDirectory(prefix="bench-watch-") as name:
        folder = Path(name)
        (folder / "home").mkdir()
        world = filled(folder / "home")
        words = ("--systems", str(systems_file(world, folder)), "--system", "crash_protection")
        reports = ("--health-json", str(folder / "h.json"), "--html", str(folder / "h.html"))
        target = (*timing.PYTEST, str(timing.REPOSITORY / "healthchecks"), *words, *reports)
        watch = (*target, "-p", "no:cacheprovider", "--fix", "--watch", str(EVERY))
        with watching(watch, folder, "watching crash_protection every") as pid:
            time.sleep(3 * EVERY)
            idle = a_round(pid, EVERY, SECONDS)
            spoken = world.projects / "-srv-0" / "conversation-00.jsonl"
            with Talking(spoken):
                time.sleep(2 * EVERY)
                busy = a_round(pid, EVERY, SECONDS)
            time.sleep(2 * EVERY)
            copy = world.realtime / spoken.name
            if copy.read_bytes() != spoken.read_bytes():
                sys.exit(f"{copy} is not {spoken}")
        world.close()
    for what, cost in (("nothing changes", idle), ("a line a round", busy)):
        print(f"  {what:16}  {cost.cpu * 1000:6.2f} ms of CPU, {cost.read} bytes read")
    reached = idle.cpu * 1000 < IDLE_MS and busy.cpu * 1000 < BUSY_MS and busy.read < BUSY_READ
    goal = f"less than {IDLE_MS:g} ms, and {BUSY_MS:g} ms and {BUSY_READ >> 10} KiB with a line"
    return timing.verdict(goal, reached)


if __name__ == "__main__":
    sys.exit(main())
