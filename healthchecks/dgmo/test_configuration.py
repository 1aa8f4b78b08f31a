"""The configuration of DGMO is there, and can be read."""

from __future__ import annotations

from collections.abc import Iterator

from healthchecks.dgmo.configuration import Missing
from healthchecks.dgmo.probes_configuration import BrokenConfiguration
from healthchecks.dgmo.world import World
from plugins import P2, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Mkdir, Step, Write


@remedy(SAFE)
def write_the_least(missing_configuration: tuple[Missing, ...]) -> Iterator[Step]:
    """Write the least that will do: `mkdir -p ~/.config/dgmo && echo '{}' >
    ~/.config/dgmo/config.json` leaves everything to the program's own defaults; for the guide's
    `.opencode/config.json` it is `{"agentMode": "all-tools", "experimental": {"mcp": true}}`."""
    made: set[str] = set()
    for file in missing_configuration:
        if file.blocked:
            continue
        yield from (Mkdir(path) for path in file.folders if path not in made)
        made.update(file.folders)
        yield Write(file.path, file.content, 0o600)


@check(P2, guide="DG13", remedy=write_the_least)
def test_a_configuration_exists(missing_configuration: tuple[Missing, ...]) -> None:
    """A configuration exists.

    Without one nobody can tell which agents, models and MCP servers were meant: DGMO starts with
    what it was built with, and with none of what was set up.
    """
    assert not missing_configuration, listed("configuration is missing", missing_configuration)


@check(
    P2,
    guide="DG13",
    hint="""Open the file at the line that is named and correct it; `jq . FILE` shows whether it is
    whole. Only files that end in .jsonc may have comments. Where nobody knows what stood there,
    move it away, and `pytest healthchecks/ --system dgmo --fix` writes the least that will do. The
    guide's `debug-json-error.ts` writes over good files too.""",
)
def test_configuration_can_be_read(broken_configuration: tuple[BrokenConfiguration, ...]) -> None:
    """Every configuration file can be read.

    DGMO ends at its start with a broken one, and a guess in its place would lose what was set.
    """
    assert not broken_configuration, listed("configuration cannot be read", broken_configuration)


@healthy(test_a_configuration_exists)
@healthy(test_a_configuration_exists, layout="workspace")
@healthy(test_a_configuration_exists, layout="opencode")
@healthy(test_configuration_can_be_read)
@healthy(test_configuration_can_be_read, layout="workspace")
def as_it_is_set_up(world: World) -> None:
    """As the world is made."""


@healthy(test_a_configuration_exists)
def an_old_store_without_any_stayed_behind(world: World) -> None:
    world.sessions.another("workspace", hours=200)


@healthy(test_a_configuration_exists)
@healthy(test_configuration_can_be_read)
def only_that_of_a_project(world: World) -> None:
    """JSONC has comments, and a comma behind the last value."""
    world.files.config.unlink()
    text = '{\n  // "agentMode": "x",\n  "mcp": {}, /* none\n yet */\n  "share": "http://x",\n}\n'
    world.files.project("dgmo.jsonc", text)


@healthy(test_configuration_can_be_read)
def behind_a_link(world: World) -> None:
    """Configuration is often kept among other dotfiles."""
    kept = world.folder / "dotfiles.json"
    world.files.config.rename(kept)
    world.files.config.symlink_to(kept)


@fault(test_a_configuration_exists)
@fault(test_a_configuration_exists, layout="opencode")
def never_written(world: World) -> None:
    world.files.config.unlink()
    world.files.config.parent.rmdir()


@fault(test_a_configuration_exists, layout="workspace")
def the_guides_is_missing(world: World) -> None:
    world.files.config.unlink()
    world.files.config.with_name("app.json").unlink()
    world.files.config.parent.rmdir()


@fault(test_a_configuration_exists, layout="workspace")
def half_of_the_guides_is_missing(world: World) -> None:
    world.files.config.with_name("app.json").unlink()


@fault(test_a_configuration_exists, layout="workspace", cure=False)
def a_link_to_nowhere(world: World) -> None:
    """Nothing is written over it: somebody keeps the file elsewhere."""
    world.files.config.unlink()
    world.files.config.symlink_to("/nowhere/config.json")


@fault(test_configuration_can_be_read, becomes="absent")
def there_is_none(world: World) -> None:
    world.files.config.unlink()


@fault(test_configuration_can_be_read)
@fault(test_configuration_can_be_read, layout="workspace")
def cut_in_the_middle(world: World) -> None:
    world.files.config.write_text('{"mcp": {"memory": {"type": "lo')


@fault(test_configuration_can_be_read)
@fault(test_configuration_can_be_read, layout="workspace")
def empty(world: World) -> None:
    world.files.config.write_bytes(b"")


@fault(test_configuration_can_be_read)
def comments_where_none_may_be(world: World) -> None:
    world.files.project("dgmo.json", "{} // nothing yet\n")


@fault(test_configuration_can_be_read)
def a_list(world: World) -> None:
    world.files.config.write_text("[]")


@fault(test_configuration_can_be_read)
def broken_jsonc_of_a_project(world: World) -> None:
    world.files.project("dgmo.jsonc", '{ // "a": 1,\n  "b": 2,, }')


@fault(test_configuration_can_be_read)
def a_broken_file_of_the_guides_in_a_project(world: World) -> None:
    world.files.project(".opencode/app.json", '{"initialized": NaN}')


@fault(test_configuration_can_be_read)
def no_file_at_all(world: World) -> None:
    world.files.config.unlink()
    world.files.config.mkdir()
