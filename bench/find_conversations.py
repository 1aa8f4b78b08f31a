"""How fast a text is found in 1 GB of conversations, against the guide's `grep -l` and its loop.

Run `python bench/find_conversations.py [GB]`; it takes two minutes, and as much temporary disk.
Exit status 1 when the goal is missed.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import timing
from healthchecks.crash_protection.search_index import Index, Place
from healthchecks.crash_protection.search_reading import identity
from healthchecks.crash_protection.search_words import Needle
from plugins.hosts import Host

SIZE = 5 << 20  # the guide's own conversation: 664 messages, 5 MB
MESSAGES = 664
ROUNDS = 5
GOAL = 20
# The guide's own: `claude-backup-alias.sh find TERM`.
LOOP = """
grep -l "$1" "$2"/*.jsonl 2>/dev/null | while read -r file; do
  session_id=$(basename "$file" .jsonl); echo "$session_id"
done
"""
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
RARE, NOWHERE, COMMON = "backpressure", "parquetdashboard", "sessionId"


def vocabulary(luck: random.Random) -> list[str]:
    """Return paragraphs of 40,000 words of which few are frequent, half of them as code."""
    parts = [a + b for a in "bcdfghklmnprstvz" for b in "aeiou"] + ["st", "ing", "er", "ion"]
    words = sorted({"".join(luck.choices(parts, k=luck.randint(1, 5))) for _ in range(60_000)})
    luck.shuffle(words)
    weights = [*accumulate(1 / (rank + 3) for rank in range(len(words)))]
    paragraphs = []
    for _ in range(6000):
        some = luck.choices(words, cum_weights=weights, k=luck.randint(60, 300))
        lines = zip(some[::4], some[1::4], some[2::4], some[3::4], strict=False)
        code = "\n".join(f'    {a}.{b}({c!r}, "{d}")' for a, b, c, d in lines)
        paragraphs.append(code if luck.random() < 0.5 else " ".join(some))
    return paragraphs


def lines(luck: random.Random, session: str, paragraphs: list[str], rare: bool) -> Iterator[str]:
    """Yield the lines of one conversation, as Claude Code writes them."""

    def name(length: int) -> str:
        return "".join(luck.choices(LETTERS, k=length))

    moment, written, number = datetime(2026, 11, 1, tzinfo=UTC), 0, 0
    while written < SIZE:
        number += 1
        text = ""
        while len(text) < SIZE / MESSAGES * luck.uniform(0.3, 1.4):
            text += luck.choice(paragraphs) + "\n\n"
        if rare and written > SIZE * 0.8:
            text, rare = f"{text} {RARE} {text}", False
        who = "user" if number % 2 else "assistant"
        tool = {"type": "tool_use", "id": f"toolu_01{name(22)}", "name": "Bash", "input": {}}
        said: object = text if number % 2 else [{"type": "text", "text": text}, tool]
        row = {
            "parentUuid": str(uuid.UUID(int=luck.getrandbits(128))),
            "isSidechain": False,
            "type": who,
            "message": {"role": who, "content": said, "id": f"msg_01{name(22)}"},
            "uuid": str(uuid.UUID(int=luck.getrandbits(128))),
            "requestId": f"req_011{name(21)}",
            "timestamp": (moment + timedelta(seconds=number)).isoformat(timespec="milliseconds"),
            "cwd": "/workspace",
            "sessionId": session,
            "version": "2.1.197",
        }
        line = json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"
        written += len(line)
        yield line


def filled(folder: Path, gigabytes: float) -> list[Path]:
    """Write conversations of 5 MB; every fiftieth holds the rare word, far behind."""
    luck = random.Random(7)
    paragraphs = vocabulary(luck)
    files = []
    for number in range(round(gigabytes * 1e9 / SIZE)):
        session = str(uuid.UUID(int=luck.getrandbits(128)))
        file = folder / f"{session}.jsonl"
        own = luck.sample(paragraphs, 1500)
        with file.open("w", encoding="utf-8") as out:
            out.writelines(lines(luck, session, own, number % 50 == 3))
        files.append(file)
    return files


def searched(state: Path, files: list[Path], text: str) -> set[str]:
    """Search as `find` does, from looking at the files on; return the paths that hold it."""
    places = [Place(str(file), identity(file.lstat())) for file in files]
    index = Index(state, Host())
    index.update(places)
    return {hit.path for hit in index.search(places, Needle(text))}


def whole(folder: Path, text: str) -> timing.Timed:
    """Run the command that a user types."""
    file = folder / "systems.toml"
    tables: dict[str, dict[str, object]] = {
        "suite": {"state": str(folder / "state")},
        "crash_protection": {
            "home": str(folder), "folder": str(folder / "kit"), "origins": [], "volume": "",
        },
    }  # fmt: skip
    rows = [
        line
        for name, table in tables.items()
        for line in (f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items()))
    ]
    file.write_text("\n".join(rows), "utf-8")
    target = (str(timing.REPOSITORY / "healthchecks"), "--systems", str(file))
    words = ("--recover", "crash_protection.find", "--with", f"text={text}")
    return timing.timed((*timing.PYTEST, *target, "-p", "no:cacheprovider", *words), folder)


def compare(folder: Path, files: list[Path], text: str) -> float:
    """Print how a text is found by both; return how many times as fast ours is."""
    kit, state = folder / "kit" / "conversations", folder / "state" / "conversations" / "words"
    grep = ("bash", "-c", LOOP, "loop", text, str(kit))
    found = {Path(name).stem for name in searched(state, files, text)}
    told = set(timing.expected(timing.timed(grep, folder), 0).out.split())
    if not told <= found:
        sys.exit(f"{text}: grep found {len(told)}, we {len(found)}")
    contenders: dict[str, Callable[[], float]] = {
        "the guide's grep and loop": lambda: timing.timed(grep, folder).wall,
        "our search, in the process": lambda: timing.clocked(lambda: searched(state, files, text)),
        "the whole command": lambda: timing.expected(whole(folder, text), 0, 1).wall,
    }
    taken = timing.in_turns(contenders, ROUNDS)
    print(f"{text!r}, in {len(told)} of {len(files)} conversations:")
    print("\n".join(timing.against("the guide's grep and loop", taken)))
    guide, ours = (taken[name] for name in list(contenders)[:2])
    return statistics.median(slow / quick for slow, quick in zip(guide, ours, strict=True))


def main() -> int:
    """Print the figures and return the exit status."""
    gigabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    print(
        f"{timing.machine()}; {gigabytes:g} GB in conversations of 5 MB, {ROUNDS} rounds in turns"
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        kit = folder / "kit" / "conversations"
        kit.mkdir(parents=True)
        files = filled(kit, gigabytes)
        total = sum(file.stat().st_size for file in files)
        state = folder / "state" / "conversations" / "words"
        first = timing.clocked(lambda: searched(state, files, NOWHERE))
        size = sum(file.stat().st_size for file in state.iterdir())
        speed, share = total / first / 1e6, 100 * size / total
        print(f"the first search, which builds the index: {first:.1f} s, {speed:.0f} MB/s")
        print(f"the index: {size / 1e6:.1f} MB, {share:.1f} % of the conversations")
        with files[0].open("ab") as out:
            out.write(files[1].open("rb").readline())
        again = timing.clocked(lambda: searched(state, files, NOWHERE))
        print(f"a search after one conversation went on: {again:.3f} s")
        rare = compare(folder, files, RARE)
        nowhere = compare(folder, files, NOWHERE)
        compare(folder, files, COMMON)
        compare(folder, files, f"{RARE} in vain")
    worst = min(rare, nowhere)
    goal = f"{GOAL} times as fast as the guide's shell ({worst:.0f} times)"
    return timing.verdict(goal, worst >= GOAL)


if __name__ == "__main__":
    sys.exit(main())
