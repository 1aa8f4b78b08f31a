"""MCP servers stand where Claude reads them, with the paths of the side that they run on."""

from __future__ import annotations

import json
from collections.abc import Iterator

from healthchecks.claude_docker.probes_paths import Paths
from healthchecks.claude_docker.world import World
from plugins import P1, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Substitute


@check(
    P1,
    guide="CD27",
    hint="""Add each server that is listed by `claude mcp add --scope user <name> -- <command>
    <args>`, then see by `claude mcp list` that it is there.""",
)
def test_mcp_servers_stand_where_claude_reads_them(unread_servers: tuple[str, ...]) -> None:
    """MCP servers are configured where Claude reads them.

    Claude reads mcpServers of its configuration, of its projects, and of .mcp.json in a project. It
    passes over the guide's mcp.servers without a word.
    """
    assert not unread_servers, listed("under mcp.servers only", unread_servers)


@remedy(SAFE)
def put_in_the_containers_paths(paths_of_the_host: tuple[Paths, ...]) -> Iterator[Substitute]:
    """In the staging folder's configuration, write /workspace/ in the place of each /Users/<name>/
    and /home/<name>/ that is listed."""
    for file in paths_of_the_host:
        if file.words:
            yield Substitute(file.path, file.words, file.mode, seen=file.seen)


@check(P1, guide="CD28", remedy=put_in_the_containers_paths)
def test_staged_mcp_paths_are_the_containers(paths_of_the_host: tuple[Paths, ...]) -> None:
    """The paths of MCP servers in the staging folder are the container's.

    A container has no /Users and no user's home of the host: a server with such a path cannot
    start there. The kit's own rewriting does arguments in mcp.servers only, which Claude does not
    read.
    """
    wrong = [one for file in paths_of_the_host for one in file.wrong]
    assert not wrong, listed("paths of the host in the staging folder", wrong)


@remedy(SAFE)
def put_back_the_hosts_paths(paths_of_the_container: Paths) -> Iterator[Substitute]:
    """In ~/.claude.json, write the host's path in the place of each /workspace/ that is listed; the
    copies in ~/.claude/backups and ~/.claude-backups tell which it was."""
    file = paths_of_the_container
    if file.words:
        yield Substitute(file.path, file.words, file.mode, seen=file.seen)


@check(P1, guide="CD29", remedy=put_back_the_hosts_paths)
def test_the_hosts_configuration_has_the_hosts_paths(paths_of_the_container: Paths) -> None:
    """The host's configuration has the host's paths.

    A synchronisation back brings the rewritten paths of the container to the host, where no such
    folder is: the MCP servers cannot start there any more.
    """
    wrong = paths_of_the_container.wrong
    assert not wrong, listed("paths of the container on the host", wrong)


@healthy(test_mcp_servers_stand_where_claude_reads_them)
@healthy(test_staged_mcp_paths_are_the_containers)
@healthy(test_the_hosts_configuration_has_the_hosts_paths)
@healthy(test_the_hosts_configuration_has_the_hosts_paths, layout="own")
def each_on_its_side(world: World) -> None:
    world.login.stage()


@healthy(test_mcp_servers_stand_where_claude_reads_them)
def read_from_a_project(world: World) -> None:
    """In the project's scope, and in a file of the project's."""
    world.login.serve("local", scope="guide")
    world.login.serve("local", scope="project")
    world.login.serve("shared", scope="guide")
    world.login.serve("shared", scope="file")


@fault(test_mcp_servers_stand_where_claude_reads_them)
@fault(test_mcp_servers_stand_where_claude_reads_them, layout="own")
def in_the_guides_place_only(world: World) -> None:
    world.login.serve("forgotten", scope="guide")


@fault(test_mcp_servers_stand_where_claude_reads_them, becomes="absent", layout="own")
def without_the_guides_place(world: World) -> None:
    world.login.serve("notes")


@fault(test_mcp_servers_stand_where_claude_reads_them, becomes="blocked")
@fault(test_the_hosts_configuration_has_the_hosts_paths, becomes="blocked", layout="own")
def a_broken_configuration(world: World) -> None:
    world.config_file.write_bytes(b"{")


def _staged(world: World, text: bytes) -> None:
    world.login.put(world.state_dir / ".claude.json", text, 0o600)


@fault(test_staged_mcp_paths_are_the_containers)
def in_every_scope(world: World) -> None:
    """Arguments, commands and variables of all scopes; all that stands between them stays."""
    world.login.stage()
    server = {
        "command": "/home/me/.nvm/node",
        "args": ["--dir=/Users/My Name/x", "/Users/My Name/docs", "/home/me", "a:/home/me/b"],
        "env": {"KEY": "of-a-small-world", "HOME_OF_IT": "/home/me/.cache", "PATH": "/usr/bin"},
    }
    for scope in ("guide", "user", "project"):
        world.login.serve("moved", scope=scope, **server)
    text = json.dumps(world.login.configuration, indent=2).encode()
    _staged(
        world,
        text.replace(b'"numStartups": 3', b'"numStartups": 1.50e2, "x": 123456789012345678901'),
    )
    world.login.put(world.state_dir / ".mcp.json", {"mcpServers": {"moved": server}}, 0o644)


@fault(test_staged_mcp_paths_are_the_containers)
def all_in_one_line(world: World) -> None:
    """Nothing but the place of a path tells it from the others of its line."""
    server = {"command": "node", "args": ["/home/me/a", "/home/me/b", "/home/home/home/home/c"]}
    held = {"projects": {"/home/me/a": {"mcpServers": {"s": server}, "note": "/home/me/a"}}}
    _staged(world, json.dumps(held | {"mcpServers": {"/home/me/": server}}).encode())


@fault(test_staged_mcp_paths_are_the_containers)
def escaped(world: World) -> None:
    """JSON has other ways to spell a slash, a quote and an umlaut."""
    _staged(
        world,
        rb'{"mcpServers": {"s": {"args": ["\/Users\/me\/a", "/home/me/\"|&[x]*.$^\"", '
        rb'"/home/m\u00fc/\\b"], "command": "sh"}}}',
    )


@healthy(test_staged_mcp_paths_are_the_containers)
def paths_that_only_look_like_it(world: World) -> None:
    """Another machine's, an address, another engine's."""
    world.login.configuration["mcpServers"] = {
        "git": {"command": "mcp-git", "args": ["git@example.net:/home/git/a", "${ROOT}/home/x/y"]},
        "web": {"command": "mcp-web", "args": ["https://example.net/home/me/", "/opt/home/me/x"]},
        "box": {"command": "docker", "args": ["run", "-v", "/home/me/x:/data", "mcp/box"]},
        "odd": ["/home/me/x"],
        "none": None,
        "bare": {"command": 1, "args": {"a": "/home/me/x"}, "env": ["/home/me/x"]},
    }
    world.login.configuration["mcp"] = []
    _staged(world, json.dumps(world.login.configuration).encode())


@fault(test_staged_mcp_paths_are_the_containers, becomes="blocked")
def an_empty_staging_file(world: World) -> None:
    _staged(world, b"")


@fault(test_staged_mcp_paths_are_the_containers, becomes="absent", layout="own")
def without_a_staging_folder(world: World) -> None:
    """Claude alone."""


def _leak(world: World) -> None:
    """Let the host have what the staging folder has; Claude's own copy is older."""
    world.login.safety_copy()
    world.login.put(world.config_file, world.login.staged_configuration)


@fault(test_the_hosts_configuration_has_the_hosts_paths)
def brought_back(world: World) -> None:
    """A synchronisation back; Claude's own copy is from before it."""
    _leak(world)


@fault(test_the_hosts_configuration_has_the_hosts_paths, layout="own")
def brought_back_to_a_project(world: World) -> None:
    """The kit is gone, its paths are not; an older copy has them otherwise."""
    world.login.serve("local", scope="project", args=["/home/me/new", "--at=/x"])
    world.login.safety_copy()
    world.login.put(world.config_file, world.login.staged_configuration)
    world.login.safety_copy(ms=1_795_168_900_000, value=world.login.staged_configuration)


@fault(test_the_hosts_configuration_has_the_hosts_paths, cure=False)
def brought_back_and_forgotten(world: World) -> None:
    """No copy tells what it was."""
    for copy in world.login.own_backups.iterdir():
        copy.unlink()
    world.change(backup_root=str(world.folder / "none"))
    world.login.put(world.config_file, world.login.staged_configuration)


@healthy(test_the_hosts_configuration_has_the_hosts_paths, layout="own")
def a_workspace_of_the_hosts_own(world: World) -> None:
    """A machine whose own work lies in the folder that the kit mounts elsewhere."""
    work = world.folder / "workspace"
    (work / "notes").mkdir(parents=True)
    world.change(workspace=str(work))
    world.login.serve("notes", args=[str(work / "notes")])


@healthy(test_the_hosts_configuration_has_the_hosts_paths, layout="own")
def inside_of_a_container(world: World) -> None:
    """`docker run` has paths of both sides."""
    world.login.serve("box", command="docker", args=["run", "-v", "/home/me/x:/workspace", "box"])
