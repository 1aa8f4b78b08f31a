"""Backups elsewhere, and whether the newest one here really restores."""

from __future__ import annotations

import os
import shutil

from healthchecks.claude_docker.drill import Drill
from healthchecks.claude_docker.probes_budgets import OffSite
from healthchecks.claude_docker.world import World
from plugins import P1, P2, check, fault, healthy, listed


@check(
    P2,
    guide="CD37",
    hint="""Copy the newest archive there: `cp ~/.claude-backups/<date>.tar.gz <folder on the other
    disk>/`, or `rclone copy ~/.claude-backups/<date>.tar.gz remote:claude-backups`. Where there is
    no archive yet, make one: `(umask 077; tar -C ~/.claude-backups -czf
    ~/.claude-backups/<date>.tar.gz <date>)`.""",
)
def test_a_fresh_copy_is_kept_off_this_machine(off_site_copies: tuple[OffSite, ...]) -> None:
    """A fresh copy of the backups is kept off this machine.

    What lies on the disk of what it is a copy of is lost with it. The kit copies without telling
    when it could not.
    """
    stale = [one for one in off_site_copies if one.stale]
    assert not stale, listed("places without a fresh copy", stale)


@healthy(test_a_fresh_copy_is_kept_off_this_machine)
def on_another_disk(world: World) -> None:
    world.backups.outside(days=1)


@healthy(test_a_fresh_copy_is_kept_off_this_machine)
def in_a_cloud(world: World) -> None:
    world.backups.cloud(40, 2)


@fault(test_a_fresh_copy_is_kept_off_this_machine, becomes="absent")
def nowhere_to_copy_to(world: World) -> None:
    world.backups.cloud(1, remote="another:")


@fault(test_a_fresh_copy_is_kept_off_this_machine, becomes="absent", layout="own")
def without_a_kit(world: World) -> None:
    assert not world.backup_root.exists()


@fault(test_a_fresh_copy_is_kept_off_this_machine)
def an_old_one_on_another_disk(world: World) -> None:
    world.backups.outside(days=8)


@fault(test_a_fresh_copy_is_kept_off_this_machine)
def a_disk_without_one(world: World) -> None:
    world.backups.external.parent.mkdir()


@fault(test_a_fresh_copy_is_kept_off_this_machine)
def an_empty_one_on_another_disk(world: World) -> None:
    os.truncate(world.backups.outside(days=0.1), 0)


@fault(test_a_fresh_copy_is_kept_off_this_machine)
def a_cloud_with_old_ones(world: World) -> None:
    world.backups.cloud(40, 30)


@fault(test_a_fresh_copy_is_kept_off_this_machine)
def a_cloud_without_the_folder(world: World) -> None:
    world.backups.cloud(status=3)


@fault(test_a_fresh_copy_is_kept_off_this_machine, becomes="cannot_tell")
def a_cloud_that_lets_nobody_in(world: World) -> None:
    world.backups.cloud(status=1)


@fault(test_a_fresh_copy_is_kept_off_this_machine, becomes="cannot_tell")
def a_cloud_that_hangs(world: World) -> None:
    world.backups.cloud(1, wait=30)
    world.change(rclone_answer_s=0.3)


@check(
    P1,
    guide="CD38",
    slow=True,
    hint="""Do not count on this backup. Take another one with `pytest healthchecks/ --recover
    claude_docker.back_up`, and hold the drill again with `pytest healthchecks/ --deep -k restores`.
    Which older one can be restored, `pytest healthchecks/ --recover claude_docker.disaster_recovery
    --fix=plan` tells.""",
)
def test_the_newest_backup_restores(restore_drill: Drill) -> None:
    """The newest backup restores: a drill in a scratch folder gives all of it back.

    That a backup is there and looks whole is a hope; that it was restored is a fact.
    """
    assert not restore_drill.faults, listed(str(restore_drill), restore_drill.faults)


@healthy(test_the_newest_backup_restores)
def from_a_folder(world: World) -> None:
    world.backups.full(archive=False)


@healthy(test_the_newest_backup_restores)
def from_an_archive(world: World) -> None:
    (world.config_dir / "astray").symlink_to("/nonexistent/of-the-user")
    shutil.rmtree(world.backups.full())


@fault(test_the_newest_backup_restores, becomes="blocked")
def nothing_to_restore(world: World) -> None:
    shutil.rmtree(world.backup_root)


@fault(test_the_newest_backup_restores, becomes="cannot_tell")
def no_room_for_a_drill(world: World) -> None:
    with (world.backups.full(archive=False) / "claude" / "sparse").open("wb") as file:
        file.truncate(1 << 43)


@fault(test_the_newest_backup_restores)
def a_conversation_that_is_no_text(world: World) -> None:
    conversation = next((world.config_dir / "projects").rglob("*.jsonl"))
    conversation.write_bytes(b"\0" * 4096)
    world.backups.full(hours=0.1)


@fault(test_the_newest_backup_restores)
def a_configuration_that_was_cut(world: World) -> None:
    path = world.backups.full(hours=0.1) / "claude.json"
    os.truncate(path, path.stat().st_size - 3)


@fault(test_the_newest_backup_restores)
def an_archive_that_is_cut(world: World) -> None:
    folder = world.backups.full(hours=0.1)
    os.truncate(f"{folder}.tar.gz", 200)
    shutil.rmtree(folder)
