"""Conversations are private: only their owner reads them, and they are the owner's."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.crash_protection.probes_folders import Foreign, Open
from healthchecks.crash_protection.world import World
from plugins import P1, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Chmod, Chown


@remedy(SAFE)
def close_them(open_copies: tuple[Open, ...]) -> Iterator[Chmod]:
    """Run `chmod 600` on each file and `chmod 700` on each folder that is listed; with `sudo` where
    it is another user's."""
    return (Chmod(one.path, one.right, seen=one.seen) for one in open_copies if one.ours)


@check(P1, guide="CP07", remedy=close_them)
def test_only_the_owner_can_read_conversations(open_copies: tuple[Open, ...]) -> None:
    """Nobody but the owner can read a copy of a conversation.

    A conversation holds what was typed and shown, keys and all, and the scripts make their folders
    as wide as the umask allows.
    """
    assert not open_copies, listed("open to others than the owner", open_copies)


@healthy(test_only_the_owner_can_read_conversations)
def closed(world: World) -> None:
    world.monitor.line(b"[10:00:00] Monitoring started")


@healthy(test_only_the_owner_can_read_conversations)
def a_log_in_a_closed_folder(world: World) -> None:
    """The scripts make their log and state anew with the umask's mode; no other gets to them."""
    world.monitor.line(b"[10:00:00] Monitoring started")
    world.monitor.log.chmod(0o644)
    world.monitor.state.chmod(0o644)


@fault(test_only_the_owner_can_read_conversations)
def as_the_scripts_make_them(world: World) -> None:
    world.summaries()
    for folder in (world.kit, world.saved, world.realtime, world.exports, world.metadata):
        folder.chmod(0o755)
    for path in (*world.exports.iterdir(), *world.metadata.iterdir()):
        path.chmod(0o644)


@fault(test_only_the_owner_can_read_conversations)
def one_copy_for_the_group(world: World) -> None:
    next(world.realtime.iterdir()).chmod(0o640)


@fault(test_only_the_owner_can_read_conversations)
def a_strangers_name(world: World) -> None:
    path = world.realtime / "-rf $(id)`id`'\"\n\x1b[31m\udcff.jsonl"
    path.write_bytes(b'{"type":"user"}\n')
    path.chmod(0o604)


@remedy(SAFE)
def give_them_back(foreign_copies: tuple[Foreign, ...]) -> Iterator[Chown]:
    """Run `sudo chown -h <user>: <path>` on what is listed. A container that runs as root leaves
    such files on a Linux host."""
    return (Chown(one.path, one.uid, one.gid, seen=one.seen) for one in foreign_copies if one.root)


@check(P1, guide="CP07", remedy=give_them_back)
def test_the_copies_are_the_users_own(foreign_copies: tuple[Foreign, ...]) -> None:
    """The copies belong to the user whose conversations they are.

    What a container wrote as root its user may be unable to read or to clear away, when it is
    needed.
    """
    assert not foreign_copies, listed("belongs to another user", foreign_copies)


@healthy(test_the_copies_are_the_users_own)
def all_ones_own(world: World) -> None:
    world.summaries()


@fault(test_the_copies_are_the_users_own, needs=("root",))
def written_by_a_container(world: World) -> None:
    """The home folder is a user's, and root has written into it."""
    world.own(world.folder, 4242)
    world.own(world.kit, 4242)


@fault(test_the_copies_are_the_users_own, needs=("root",))
def another_users(world: World) -> None:
    world.own(next(world.realtime.iterdir()), 4242)
