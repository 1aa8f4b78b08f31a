"""Claude's configuration is whole, on the host and in the staging folder."""

from __future__ import annotations

import json
from collections.abc import Iterator

from healthchecks.claude_docker.probes_configuration import Broken, Staged
from healthchecks.claude_docker.world import World
from plugins import P0, P3, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Chmod, Copy


@remedy(SAFE)
def bring_back_the_newest_copy(broken_configuration: tuple[Broken, ...]) -> Iterator[Chmod | Copy]:
    """End Claude where it runs: it may write what it has in memory. Then copy the newest whole copy
    that is named over the broken file by `cp -p`, and `chmod 600` it; where none is named, look
    into the archives of ~/.claude-backups, or move the broken file away: Claude then starts with a
    new one, and asks for a login."""
    for file in broken_configuration:
        if file.copy and not file.busy:
            # Closed first: no moment is left in which what stands in its place is open.
            if file.copy_mode & 0o077:
                yield Chmod(file.copy, file.copy_mode & 0o600 or 0o600, seen=file.copy_seen)
            yield Copy(file.path, file.copy, seen=file.seen)


@check(P0, guide="CD09", remedy=bring_back_the_newest_copy)
def test_the_claude_configuration_is_whole(broken_configuration: tuple[Broken, ...]) -> None:
    """Claude's configuration is whole.

    A full disk or a crash while it is written leaves it empty or cut. Claude then starts with
    defaults: the login, all projects and MCP servers are forgotten, and a synchronisation
    spreads that.
    """
    assert not broken_configuration, listed("gone or broken", broken_configuration)


@check(
    P3,
    guide="CD10",
    hint="""Compare it with the configuration in force by `diff <corrupted copy> ~/.claude.json`;
    bring back what is missing, then delete the copy by `rm`.""",
)
def test_the_configuration_has_not_broken_lately(corrupted_copies: tuple[str, ...]) -> None:
    """The configuration has not broken before.

    Claude put the broken one aside and began anew: what stood in it may be missing since.
    """
    assert not corrupted_copies, listed("it was broken once", corrupted_copies)


@check(
    P0,
    guide="CD13",
    hint="""Before the next session, copy the host's configuration over it by
    `cp -p ~/.claude.json ~/.docker-ai-config/global_state/claude_config/.claude.json`. Let no
    synchronisation back happen before that.""",
)
def test_the_staged_configuration_is_whole(staged: Staged) -> None:
    """The configuration in the staging folder is whole.

    The next synchronisation back lays it over the host's own, and all that stands there is lost.
    """
    assert not staged.trouble, f"{staged.path}: {staged.trouble}"


@check(
    P0,
    guide="CD13",
    hint="""Give each server that is listed an empty list, `"args": []`, in mcp.servers of
    ~/.claude.json; or take mcp.servers out, as Claude itself reads mcpServers only.""",
)
def test_path_rewriting_can_read_every_server(servers_without_arguments: tuple[str, ...]) -> None:
    """The kit's path rewriting can read every MCP server.

    At a server without arguments it breaks off, writes an empty configuration into the staging
    folder and says that all is well; the next synchronisation back empties the host's.
    """
    assert not servers_without_arguments, listed("without arguments", servers_without_arguments)


@healthy(test_the_claude_configuration_is_whole)
@healthy(test_the_claude_configuration_is_whole, layout="own")
@healthy(test_the_configuration_has_not_broken_lately)
@healthy(test_the_configuration_has_not_broken_lately, layout="own")
def whole(world: World) -> None:
    world.login.write()


@healthy(test_the_staged_configuration_is_whole)
@healthy(test_path_rewriting_can_read_every_server)
def staged_whole(world: World) -> None:
    world.login.stage()


@healthy(test_the_claude_configuration_is_whole, layout="own")
def without_settings(world: World) -> None:
    """Nobody has set anything yet."""
    world.login.settings_file.unlink()


@healthy(test_the_claude_configuration_is_whole, layout="own")
def with_a_byte_order_mark(world: World) -> None:
    """Claude passes over the one that an editor left."""
    world.config_file.write_bytes(b"\xef\xbb\xbf" + world.config_file.read_bytes())


@fault(test_the_claude_configuration_is_whole)
@fault(test_the_claude_configuration_is_whole, layout="own")
def empty(world: World) -> None:
    world.config_file.write_bytes(b"")


@fault(test_the_claude_configuration_is_whole)
@fault(test_the_claude_configuration_is_whole, layout="own")
def cut(world: World) -> None:
    world.config_file.write_bytes(world.config_file.read_bytes()[:200])


@fault(test_the_claude_configuration_is_whole, layout="own")
def a_list(world: World) -> None:
    world.config_file.write_bytes(b"[]\n")


@fault(test_the_claude_configuration_is_whole, layout="own")
def no_number(world: World) -> None:
    """Python reads NaN, Claude does not."""
    world.config_file.write_bytes(b'{"numStartups": NaN}')


@fault(test_the_claude_configuration_is_whole)
@fault(test_the_claude_configuration_is_whole, layout="own")
def gone(world: World) -> None:
    world.config_file.unlink()


@fault(test_the_claude_configuration_is_whole, layout="own")
def behind_a_link(world: World) -> None:
    kept = world.config_dir / "kept.json"
    world.config_file.rename(kept)
    world.config_file.symlink_to(kept)
    kept.write_bytes(b"{")


@fault(test_the_claude_configuration_is_whole, layout="own")
def the_newest_copy_is_broken_too(world: World) -> None:
    """The one before it is brought back, and closed first."""
    world.login.safety_copy(b"{", ms=1_795_168_900_000)
    world.login.safety_copy(ms=1_795_168_847_816).chmod(0o644)
    world.config_file.write_bytes(b"")


@fault(test_the_claude_configuration_is_whole)
def only_the_backups_hold_it(world: World) -> None:
    """A backup of the kit's is newer than Claude's own copy, which is gone."""
    for copy in world.login.own_backups.iterdir():
        copy.unlink()
    backup = world.backup_root / "20261119-143000" / "claude.json"
    world.login.put(backup, world.login.configuration, 0o644)
    world.config_file.write_bytes(b"")


@fault(test_the_claude_configuration_is_whole)
def settings_lost(world: World) -> None:
    """They stand in the newest backup, and no more in their place."""
    backup = world.backup_root / "20361119-143000" / "claude" / "settings.json"
    world.login.put(backup, world.login.settings)
    world.login.settings_file.unlink()


@fault(test_the_claude_configuration_is_whole)
def settings_empty(world: World) -> None:
    backup = world.backup_root / "20361119-143000" / "claude" / "settings.json"
    world.login.put(backup, world.login.settings)
    world.login.settings_file.write_bytes(b"")


@fault(test_the_claude_configuration_is_whole, layout="own", cure=False)
def settings_cut_for_good(world: World) -> None:
    """No copy of them is known."""
    world.login.settings_file.write_bytes(b'{"permissions": {')


@fault(test_the_claude_configuration_is_whole, layout="own", cure=False)
def without_any_copy(world: World) -> None:
    for copy in world.login.own_backups.iterdir():
        copy.unlink()
    world.config_file.write_bytes(b"")


@fault(test_the_claude_configuration_is_whole, layout="own", cure=False)
def a_folder(world: World) -> None:
    world.config_file.unlink()
    world.config_file.mkdir()


@fault(test_the_claude_configuration_is_whole, becomes="absent", layout="own")
def not_yet_started(world: World) -> None:
    """Settings from somebody's dotfiles, and Claude was never started."""
    world.login.log_out()
    for path in (*world.login.own_backups.iterdir(), world.config_file):
        path.unlink()


@fault(test_the_configuration_has_not_broken_lately)
@fault(test_the_configuration_has_not_broken_lately, layout="own")
def broken_once(world: World) -> None:
    world.login.put(world.login.own_backups / ".claude.json.corrupted.1795168800000", b"{")


@fault(test_the_staged_configuration_is_whole)
def staged_empty(world: World) -> None:
    world.login.put(world.state_dir / ".claude.json", b"")


@fault(test_the_staged_configuration_is_whole)
def staged_cut(world: World) -> None:
    text = json.dumps(world.login.staged_configuration).encode()
    world.login.put(world.state_dir / ".claude.json", text[:-20])


@fault(test_the_staged_configuration_is_whole, becomes="absent", layout="own")
@fault(test_path_rewriting_can_read_every_server, becomes="absent", layout="own")
def without_a_kit(world: World) -> None:
    """Claude alone, with nothing to synchronise."""


@fault(test_path_rewriting_can_read_every_server)
def a_server_without_arguments(world: World) -> None:
    world.login.stage()
    world.login.configuration["mcp"]["servers"]["bare"] = {"command": "mcp-bare"}
    world.login.write()
