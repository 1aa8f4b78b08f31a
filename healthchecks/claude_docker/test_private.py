"""Nobody but the user can read Claude's login."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from healthchecks.claude_docker.probes_private import Exposed, Foreign
from healthchecks.claude_docker.world import World
from plugins import P0, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Chmod, Chown


@remedy(SAFE)
def close_them(open_secrets: tuple[Exposed, ...]) -> Iterator[Chmod]:
    """Run `chmod 600` on each file that is listed. Whoever could read a token may have a copy: on a
    machine with other users, log out and in again by `/logout` and `/login`."""
    for file in open_secrets:
        if file.ours:
            yield Chmod(file.path, file.mode & 0o600 or 0o600, seen=file.seen)


@check(P0, guide="CD07", remedy=close_them)
def test_only_the_owner_can_read_credentials(open_secrets: tuple[Exposed, ...]) -> None:
    """Nobody but the owner can read credentials.

    Claude's configuration, its credentials and their copies hold tokens. Whoever reads one is the
    user for Claude, until it is revoked.
    """
    assert not open_secrets, listed("open to others", open_secrets)


@remedy(SAFE)
def give_them_to_the_user(foreign_secrets: tuple[Foreign, ...]) -> Iterator[Chown]:
    """Run, as root, `chown` with the home folder's user and group on each file that is listed."""
    for file in foreign_secrets:
        if file.ours:
            yield Chown(file.path, file.uid, file.gid, seen=file.seen)


@check(P0, guide="CD07", remedy=give_them_to_the_user)
def test_credentials_belong_to_the_user(foreign_secrets: tuple[Foreign, ...]) -> None:
    """Credentials belong to the user.

    A container that runs as root leaves them to root: then Claude can neither read nor renew the
    login. Those of any other user are that user's to read.
    """
    assert not foreign_secrets, listed("credentials of another user", foreign_secrets)


@healthy(test_only_the_owner_can_read_credentials)
@healthy(test_only_the_owner_can_read_credentials, layout="own")
@healthy(test_credentials_belong_to_the_user)
def private(world: World) -> None:
    world.login.write()


@healthy(test_only_the_owner_can_read_credentials, layout="own")
def read_only(world: World) -> None:
    world.login.credentials.chmod(0o400)


@healthy(test_only_the_owner_can_read_credentials, layout="own")
def settings_that_hold_no_secret(world: World) -> None:
    """Settings are shared among people who work together."""
    world.login.settings_file.chmod(0o644)


@healthy(test_only_the_owner_can_read_credentials, layout="own")
def led_to_by_a_link(world: World) -> None:
    """A configuration that somebody keeps among other dotfiles."""
    kept = world.config_dir / "kept.json"
    world.config_file.rename(kept)
    world.config_file.symlink_to(kept)


@fault(test_only_the_owner_can_read_credentials)
@fault(test_only_the_owner_can_read_credentials, layout="own")
def an_open_configuration(world: World) -> None:
    world.config_file.chmod(0o644)


@fault(test_only_the_owner_can_read_credentials, layout="own")
def credentials_of_the_group(world: World) -> None:
    world.login.credentials.chmod(0o660)


@fault(test_only_the_owner_can_read_credentials)
def a_copy_that_leaked(world: World) -> None:
    """A synchronisation back left it beside Claude's own files."""
    world.login.put(world.config_dir / ".claude.json", world.login.configuration, 0o644)


@fault(test_only_the_owner_can_read_credentials)
def open_in_the_staging_folder(world: World) -> None:
    """The path rewriting made the file anew with the umask's mode."""
    world.login.stage()
    (world.state_dir / ".claude.json").chmod(0o644)
    (world.state_dir / ".credentials.json").chmod(0o604)


@fault(test_only_the_owner_can_read_credentials, layout="own")
def an_open_copy_of_claudes_own(world: World) -> None:
    world.login.safety_copy(ms=1_795_168_900_000).chmod(0o644)


@fault(test_only_the_owner_can_read_credentials, layout="own")
def a_key_in_open_settings(world: World) -> None:
    world.login.put(world.login.settings_file, {"env": {"ANTHROPIC_API_KEY": "sk-of-ours"}}, 0o644)


@fault(test_only_the_owner_can_read_credentials, layout="own")
def open_behind_a_link(world: World) -> None:
    led_to_by_a_link(world)
    (world.config_dir / "kept.json").chmod(0o644)


@fault(test_credentials_belong_to_the_user, needs=("root",))
@fault(test_credentials_belong_to_the_user, needs=("root",), layout="own")
def credentials_of_a_stranger(world: World) -> None:
    shutil.chown(world.login.credentials, 65534)


@fault(test_credentials_belong_to_the_user, needs=("root",))
def of_the_containers_root(world: World) -> None:
    """The home folder is a user's, and only the staging folder's file is root's."""
    world.login.stage()
    for top, folders, files in os.walk(world.folder):
        for name in (*folders, *files):
            os.lchown(os.path.join(top, name), 65534, 65534)
    os.chown(world.folder, 65534, 65534)
    shutil.chown(world.state_dir / ".credentials.json", 0)


@fault(test_only_the_owner_can_read_credentials, needs=("root",), cure=False)
def a_link_to_what_is_anothers(world: World) -> None:
    """The user's link leads to a file of root's: nobody should be told to change that."""
    roots = world.folder / "of-root" / "a-file"
    world.login.put(roots, b"root's own", 0o644)
    world.login.credentials.unlink()
    world.login.credentials.symlink_to(roots)
    for path in (world.folder, world.config_dir):
        os.chown(path, 65534, 65534)
