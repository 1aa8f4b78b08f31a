"""Conversations of a small real host are copied round after round, as a watch's duty does it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from healthchecks.crash_protection import spacing
from healthchecks.crash_protection.places import survey
from healthchecks.crash_protection.probes_copies_current import Protection, protection
from healthchecks.crash_protection.system import CrashProtection, find
from healthchecks.crash_protection.watch import copy_what_changed
from healthchecks.crash_protection.world import World
from healthchecks.crash_protection.world_conversations import SESSIONS, message, talk
from plugins import configuration
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.processes import Processes
from plugins.hosts import Host
from plugins.journal import Journal
from plugins.kept import Kept
from plugins.run import Run
from plugins.steps import Refusal, TakeCopies
from plugins.systems import settings_of

REPOSITORY = Path(__file__).resolve().parents[2]
DAY = 86400.0


class Rounds:
    """Rounds of the duty over a world, without pytest around them.

    Args:
        world: that is looked at.
        state: the folder of the journal.
    """

    def __init__(self, world: World, state: Path) -> None:
        shipped = configuration.shipped(REPOSITORY / "healthchecks" / "systems.toml")
        tables = shipped.lay_over({"crash_protection": world.settings()}, "test")
        self.host, self.kept = Host(), Kept()
        self.system: CrashProtection = find(settings_of(tables, "crash_protection"), self.host)
        self.run = Run(tables, state=state)
        self.journal = Journal(state, "run", self.host)

    def look(self) -> Protection:
        """Return how conversations and copies stand."""
        probe = protection.__probe__.function  # type: ignore[attr-defined]
        eyes = (Filesystem(self.host), Processes(self.host), self.host)
        seen: Protection = probe(self.system, *eyes, self.kept, self.run)
        return seen

    def round(self) -> list[str]:
        """Do the duty once; return why steps were refused."""
        troubles = []
        for step in copy_what_changed(self.look(), self.system):
            try:
                self.journal.take("duty", step, self.system.uses.roots)
            except Refusal as why:
                troubles.append(str(why))
        return troubles

    def relations(self) -> dict[str, str]:
        """Return how each conversation stands, by the name of its copy."""
        return {row.conversation.key: row.relation for row in self.look().standing}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "home"
    folder.mkdir()
    made = World(folder)
    yield made
    made.close()


@pytest.fixture
def rounds(world: World, tmp_path: Path) -> Rounds:
    return Rounds(world, tmp_path / "state")


def contents(folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in folder.glob("*.jsonl"))


def test_a_round_copies_whatever_was_added_and_the_next_one_does_nothing(
    world: World, rounds: Rounds
) -> None:
    world.conversations.say(SESSIONS[0])
    world.conversations.origin("new", talk("new", 2))
    folder = world.projects / "-srv-app" / "new" / "subagents"
    world.conversations.origin("agent-7", talk("new", 5), folder)
    assert rounds.round() == []
    assert set(rounds.relations().values()) == {"same"}
    copy = world.realtime / "new.agent-7.jsonl"
    assert copy.read_bytes() == (folder / "agent-7.jsonl").read_bytes()
    assert copy.stat().st_mode & 0o777 == 0o600
    taken = len(rounds.journal.entries())
    assert rounds.round() == []
    assert len(rounds.journal.entries()) == taken


def test_each_has_a_copy_before_any_has_a_second_one(world: World, rounds: Rounds) -> None:
    for name in ("new", "newer"):
        world.conversations.origin(name, talk(name, 2))
    steps = copy_what_changed(rounds.look(), rounds.system)
    taken = [one.path for step in steps if isinstance(step, TakeCopies) for one in step.copies]
    places = [os.path.basename(os.path.dirname(path)) for path in taken]
    assert places == ["realtime"] * 2 + ["crash-recovery"] * 2


def test_a_conversation_that_got_shorter_replaces_nothing_and_is_kept_beside(
    world: World, rounds: Rounds
) -> None:
    path = world.conversations.path(SESSIONS[0])
    whole = path.read_bytes()
    path.write_bytes(whole[:500])
    assert rounds.round() == []
    assert (world.realtime / path.name).read_bytes() == whole
    beside = contents(world.crash_recovery)
    assert whole[:500] in beside
    assert whole in beside
    taken = len(rounds.journal.entries())
    rounds.round()
    assert len(rounds.journal.entries()) == taken
    assert rounds.relations()[SESSIONS[0]] == "shorter"


def test_a_conversation_that_was_written_over_is_kept_beside_while_it_is_shorter(
    world: World, rounds: Rounds
) -> None:
    path = world.conversations.path(SESSIONS[0])
    whole = path.read_bytes()
    path.write_bytes(b'{"type": "user", "another": true}\n')
    assert rounds.round() == []
    assert (world.realtime / path.name).read_bytes() == whole
    assert path.read_bytes() in contents(world.crash_recovery)


def test_what_was_copied_before_is_not_read_again_by_the_next_run(
    world: World, tmp_path: Path
) -> None:
    big = talk("big", 10_000)
    world.conversations.origin("big", big)
    first = Rounds(world, tmp_path / "state")
    first.round()
    first.look()
    second = Rounds(world, tmp_path / "state")
    before = _read_so_far()
    assert second.relations()["big"] == "same"
    assert _read_so_far() - before < len(big)


def _read_so_far() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def test_a_copy_that_was_changed_in_place_is_seen_though_its_end_is_the_same(
    world: World, rounds: Rounds
) -> None:
    big = talk("big", 100)
    world.conversations.origin("big", big)
    rounds.round()
    assert rounds.relations()["big"] == "same"
    copy = world.realtime / "big.jsonl"
    with copy.open("r+b") as file:
        file.write(b"X")
    assert rounds.relations()["big"] == "differs"
    rounds.round()
    assert copy.read_bytes()[:1] == b"X"  # it is a person's or its check's to judge, no duty's


def test_two_of_one_name_keep_their_copies_whichever_comes_first(
    world: World, rounds: Rounds
) -> None:
    late, early = world.projects / "-b", world.projects / "-a"
    world.conversations.origin("same", talk("one", 3), late)
    rounds.round()
    world.conversations.origin("same", talk("another", 4), early)
    for _ in range(3):
        rounds.round()
    assert (world.realtime / "same.jsonl").read_bytes() == (late / "same.jsonl").read_bytes()
    others = list(world.realtime.glob("same.*.jsonl"))
    assert [path.read_bytes() for path in others] == [(early / "same.jsonl").read_bytes()]
    assert set(rounds.relations().values()) == {"same"}


def test_one_file_that_two_origins_show_is_one_conversation(world: World, rounds: Rounds) -> None:
    path = world.conversations.path(SESSIONS[2])
    shown = world.volume / "projects" / "-shown"
    shown.mkdir()
    os.link(path, shown / path.name)
    seen = survey(rounds.system, Filesystem(rounds.host), rounds.host)
    assert [one.session for one in seen.conversations].count(SESSIONS[2]) == 1


def test_a_fifo_a_link_and_a_lost_folder_keep_nobody_else_from_being_copied(
    world: World, rounds: Rounds
) -> None:
    os.mkfifo(world.projects / "-srv-app" / "waits.jsonl")
    (world.projects / "-srv-app" / "led.jsonl").symlink_to("/etc/hostname")
    world.conversations.origin("new", talk("new", 2))
    shutil.rmtree(world.volume)
    assert rounds.round() == []
    assert (world.realtime / "new.jsonl").exists()
    assert {one.what.rpartition("/")[2] for one in rounds.look().unseen} == {
        "waits.jsonl",
        "led.jsonl",
        "volume",
    }


def test_a_folder_of_copies_that_is_a_link_is_not_written_to(world: World, rounds: Rounds) -> None:
    elsewhere = world.folder / "elsewhere"
    world.realtime.rename(elsewhere)
    world.realtime.symlink_to(elsewhere)
    before = contents(elsewhere)
    world.conversations.say(SESSIONS[0])
    assert rounds.round()
    assert contents(elsewhere) == before


def test_crash_copies_of_a_long_day_span_it(world: World, rounds: Rounds) -> None:
    path = world.conversations.path(SESSIONS[0])
    world.conversations.crash_copies(SESSIONS[0], (DAY, DAY / 2, 7200, 3600, 1800))
    world.conversations.say(SESSIONS[0])
    assert rounds.round() == []
    copies = sorted(world.crash_recovery.glob(f"{path.stem}_*"))
    assert len(copies) == 5
    assert copies[-1].read_bytes() == path.read_bytes()
    ages = [time.time() - copy.stat().st_mtime for copy in copies]
    assert ages[0] > DAY - 60
    world.conversations.say(SESSIONS[0])
    rounds.round()
    assert sorted(world.crash_recovery.glob(f"{path.stem}_*")) == copies  # not yet again


def test_a_chain_of_crash_copies_reaches_from_minutes_to_days() -> None:
    stamps: list[float] = []
    now = 0.0
    for _ in range(2000):
        now += 600
        stamps.append(now)
        gone = spacing.surplus(stamps, now, 5)
        stamps = [stamp for number, stamp in enumerate(stamps) if number not in gone]
    ages = [now - stamp for stamp in stamps]
    assert len(ages) == 5
    assert ages[-1] == 0
    assert ages[0] > 10 * DAY
    assert any(600 <= age <= 4 * 3600 for age in ages)
    assert any(4 * 3600 <= age <= 5 * DAY for age in ages)


def test_ten_thousand_that_did_not_change_are_not_read_again(world: World, rounds: Rounds) -> None:
    project = world.projects / "-many"
    for number in range(10_000):
        world.conversations.origin(f"{number:05}", b'{"type": "user"}\n', project)
    assert rounds.round() == []
    rounds.look()
    before = _read_so_far()
    assert rounds.round() == []
    assert _read_so_far() - before < 64 << 10
    assert set(rounds.relations().values()) == {"same"}


def test_a_round_after_a_line_reads_little(world: World, rounds: Rounds) -> None:
    path = world.conversations.origin("big", talk("big", 3000))
    rounds.round()
    rounds.round()
    with path.open("ab") as file:
        file.write(message("big", 3001))
    before = _read_so_far()
    assert rounds.round() == []
    assert rounds.relations()["big"] == "same"
    assert _read_so_far() - before < 64 << 10


def test_a_copy_that_was_written_over_is_seen_whatever_its_times_say(
    rounds: Rounds, world: World
) -> None:
    rounds.round()
    assert rounds.relations()[SESSIONS[0]] == "same"
    copy = world.realtime / f"{SESSIONS[0]}.jsonl"
    seen = copy.stat()
    with copy.open("r+b") as file:
        file.seek(99)
        file.write(b"\0")
    os.utime(copy, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert rounds.relations()[SESSIONS[0]] == "differs"
