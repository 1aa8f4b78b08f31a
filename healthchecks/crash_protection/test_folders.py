"""The folders of copies are there, and hold what they should and no more."""

from __future__ import annotations

import os
from collections.abc import Iterator

from healthchecks.crash_protection.probes_copies import Unreadable
from healthchecks.crash_protection.probes_folders import Budget, Left, Missing
from healthchecks.crash_protection.world import World
from plugins import P1, P2, P3, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Mkdir, Quarantine

TORN = "00000000-1111-4222-8333-444444444444"


@remedy(SAFE)
def make_them(missing_folders: tuple[Missing, ...]) -> Iterator[Mkdir]:
    """Run `mkdir -m 700` for each folder that is listed. What stands in the place of one is moved
    away by hand first: `mv <path> <path>.old`."""
    return (Mkdir(one.path, 0o700) for one in missing_folders if not one.blocked)


@check(P1, guide="CP08", remedy=make_them)
def test_the_folders_of_copies_exist(missing_folders: tuple[Missing, ...]) -> None:
    """The folders conversations, realtime, crash-recovery and exports are there.

    A monitor that has nowhere to copy to says so in its log at most.
    """
    assert not missing_folders, listed("no such folder", missing_folders)


@healthy(test_the_folders_of_copies_exist)
def all_four(world: World) -> None:
    pass


@healthy(test_the_folders_of_copies_exist)
def one_on_another_disk(world: World) -> None:
    world.exports.rename(world.folder / "elsewhere")
    world.exports.symlink_to(world.folder / "elsewhere")


@fault(test_the_folders_of_copies_exist)
def two_are_missing(world: World) -> None:
    world.drop(world.crash_recovery)
    world.drop(world.exports)


@fault(test_the_folders_of_copies_exist, bare=True)
def nothing_was_ever_copied(world: World) -> None:
    world.change(volume_folder="")


@fault(test_the_folders_of_copies_exist, cure=False)
def a_link_that_leads_nowhere(world: World) -> None:
    world.drop(world.exports)
    world.exports.symlink_to(world.folder / "unplugged")


@remedy(SAFE)
def put_them_away(cut_copies: tuple[Left, ...]) -> Iterator[Quarantine]:
    """Move each file that is listed out of the folder of copies: `mv <file> <folder>`. Keep it
    until the next copy of that conversation is whole."""
    return (Quarantine(one.path, seen=one.seen) for one in cut_copies)


@check(P2, guide="CP09", remedy=put_them_away)
def test_no_copy_was_cut_short(cut_copies: tuple[Left, ...]) -> None:
    """No temporary file of an interrupted copy is left.

    It shows that a copy was cut short by a crash, a kill or a full disk, and nothing else ever
    clears it away.
    """
    assert not cut_copies, listed("left by interrupted copies", cut_copies)


@healthy(test_no_copy_was_cut_short)
def none_left(world: World) -> None:
    pass


@healthy(test_no_copy_was_cut_short)
def a_copy_under_way(world: World) -> None:
    (world.realtime / f"{TORN}.tmp").write_bytes(b'{"type')


@healthy(test_no_copy_was_cut_short)
def a_slow_copy(world: World) -> None:
    slow = world.realtime / f"{TORN}.jsonl.tmp"
    slow.touch()
    world.age(slow, 3600)
    world.monitor.process(("tail", "-f", str(slow)))


@fault(test_no_copy_was_cut_short)
def left_by_a_crash(world: World) -> None:
    names = (f"realtime/{TORN}.tmp", f"crash-recovery/{TORN}.jsonl.tmp", "session_count.tmp")
    for name in (*names, "monitor_state.tmp"):
        (world.kit / name).write_bytes(b"{")
        world.age(world.kit / name, 3600)


@fault(test_no_copy_was_cut_short)
def named_by_a_stranger(world: World) -> None:
    left = world.realtime / "-x $(id)`id`'\"\n\x1b[31m<script>\udcff.tmp"
    left.touch()
    world.age(left, -86400)


@remedy(SAFE)
def put_old_ones_away(old_summaries: tuple[Left, ...]) -> Iterator[Quarantine]:
    """Look through the files that are listed, and move them out of the folder: `mv <file>
    <folder>`. The conversations themselves stay."""
    return (Quarantine(one.path, seen=one.seen) for one in old_summaries)


@check(P2, guide="CP14", remedy=put_old_ones_away)
def test_no_summary_is_outdated(old_summaries: tuple[Left, ...]) -> None:
    """No export or metadata file is older than 30 days.

    They only tell of conversations as they were then, and gather until they are cleared away.
    """
    assert not old_summaries, listed("older than they are kept", old_summaries)


@healthy(test_no_summary_is_outdated)
def fresh_ones(world: World) -> None:
    for path in world.summaries():
        world.age(path, 29 * 86400)


@healthy(test_no_summary_is_outdated)
def an_old_conversation(world: World) -> None:
    """Copies are kept, however old."""
    world.age(next(world.saved.iterdir()), 400 * 86400)


@fault(test_no_summary_is_outdated)
def old_ones(world: World) -> None:
    for path in world.summaries():
        world.age(path, 31 * 86400)


@check(
    P2,
    guide="CP14",
    hint="""Look at the biggest: `du -a ~/.claude-docker-conversations | sort -n | tail`. Move
    conversations that nobody needs any more to another disk with `mv`, with all their copies.""",
)
def test_the_copies_keep_within_their_budget(budget: Budget) -> None:
    """The copies take no more than about 100 MB for 30 conversations.

    Eight times the size of large conversations is allowed, as that many copies are kept. A disk
    that is full stops Claude and the copies alike.
    """
    taken, limit = budget.taken.value, budget.taken.limit or 0.0
    assert taken <= limit, listed(
        f"{taken:g} MB for {budget.conversations} conversations, of {limit:g} MB; the biggest",
        budget.biggest,
    )


@healthy(test_the_copies_keep_within_their_budget)
def small_ones(world: World) -> None:
    world.summaries()


@healthy(test_the_copies_keep_within_their_budget)
def large_ones_with_all_their_copies(world: World) -> None:
    """Five crash copies of a large conversation are what they should be."""
    world.change(budget_mb=1)
    for number in range(7):
        world.large(world.crash_recovery / f"{TORN}_2026010{number}-100000.jsonl", 900_000)


@fault(test_the_copies_keep_within_their_budget)
def far_too_many(world: World) -> None:
    world.change(budget_mb=1)
    for number in range(12):
        world.large(world.crash_recovery / f"{TORN}_202601{number:02}-100000.jsonl", 900_000)


@fault(test_the_copies_keep_within_their_budget)
def a_log_that_grew(world: World) -> None:
    world.change(budget_mb=1)
    world.large(world.monitor.log, 3_000_000)


@check(
    P1,
    guide="CP06",
    hint="""Compare the copy with the others of its conversation: `ls -l
    ~/.claude-docker-conversations/*/<session>*`. Copy one that is whole over it with `cp -p`, after
    moving it aside with `mv`. Where the original has the same line, it was broken before it was
    copied.""",
)
def test_every_copy_can_be_read(unreadable_copies: tuple[Unreadable, ...]) -> None:
    """Every copy is a conversation that can be read again.

    Each line is a JSON object with `type`; only a last line may be cut, by a crash. What cannot be
    read is no copy when it is needed.
    """
    assert not unreadable_copies, listed("copies that cannot be read", unreadable_copies)


@healthy(test_every_copy_can_be_read)
def whole_ones(world: World) -> None:
    pass


@healthy(test_every_copy_can_be_read)
def with_a_cut_last_line(world: World) -> None:
    """As a crash leaves it; its end may be full of zeros."""
    path = next(world.realtime.iterdir())
    path.write_bytes(path.read_bytes() + b'{"type":"user","mess' + b"\0" * 512)


@healthy(test_every_copy_can_be_read)
def with_half_a_surrogate_and_a_long_line(world: World) -> None:
    """JavaScript writes them so; pictures make lines of several MiB."""
    path = next(world.realtime.iterdir())
    long = b'{"type":"user","image":"' + b"A" * (3 << 20) + b'"}\n'
    path.write_bytes(path.read_bytes() + b'{"type":"user","cut":"\\ud83d"}\n\n' + long)


@fault(test_every_copy_can_be_read)
def broken_in_the_middle(world: World) -> None:
    for folder in (world.realtime, world.crash_recovery, world.saved):
        path = next(folder.iterdir())
        path.write_bytes(b'{"type":"user"}\n{"type":"us\n' + path.read_bytes())


@fault(test_every_copy_can_be_read)
def of_other_shapes(world: World) -> None:
    shapes = (b"[1]\n", b'{"kind":"user"}\n', b'{"type":{}}\n', b'{"type":"\xff"}\n', b"1e9999\n")
    for number, line in enumerate((*shapes, b'{"type":"a","x":' + b"[" * 100_000 + b"\n")):
        (world.realtime / f"{number}.jsonl").write_bytes(line)


@fault(test_every_copy_can_be_read)
def an_empty_copy(world: World) -> None:
    next(world.saved.iterdir()).write_bytes(b"")


@fault(test_every_copy_can_be_read)
def a_named_one_that_waits_for_ever(world: World) -> None:
    named = world.kit / "named-conversations"
    named.mkdir(mode=0o700)
    os.mkfifo(named / "important.jsonl")


@fault(test_every_copy_can_be_read, becomes="absent", bare=True)
def no_copy_at_all(world: World) -> None:
    world.kit.mkdir()


@check(
    P3,
    guide="CP18",
    hint="""Nothing reads them: leave them, or move them out of the folder with `mv`. The shell
    backup writes a piece of a line where the time belongs, and no repair of the file lasts.""",
)
def test_the_metadata_can_be_read(broken_metadata: tuple[Unreadable, ...]) -> None:
    """The metadata files are JSON.

    The shell backup writes most of them wrongly; no conversation is lost by it.
    """
    assert not broken_metadata, listed("metadata that cannot be read", broken_metadata)


@healthy(test_the_metadata_can_be_read)
def as_they_should_be(world: World) -> None:
    world.summaries()


@fault(test_the_metadata_can_be_read)
def as_the_shell_backup_writes_them(world: World) -> None:
    world.summaries(first='timestamp":"2026-01-05T10:00:00.000Z')


@fault(test_the_metadata_can_be_read, becomes="absent")
def without_metadata(world: World) -> None:
    pass
