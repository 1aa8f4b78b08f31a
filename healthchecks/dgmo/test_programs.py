"""The programs of DGMO: known versions, memory enough for node, a server that answers."""

from __future__ import annotations

from healthchecks.dgmo.probes_programs import BadProgram, NodeMemory, Server
from healthchecks.dgmo.world import World
from plugins import P2, check, fault, healthy, listed

_LIST = '[{"id": "ses_7e21b35a1ffeXm8MOBkvDbl2Xo", "title": "New Session"}]'
_POISONED = (
    '{"name": "UnknownError", "data": {"message": "Error: Failed to read session ses_1: '
    'SyntaxError: JSON Parse error"}}'
)


@check(
    P2,
    guide="DG32",
    hint="""Install or renew what is listed: `curl -fsSL https://bun.sh/install | bash` for bun,
    `bun upgrade` where it is old; node from https://nodejs.org. `dgmo` needs a binary beside it:
    build it, and let DGMO_BIN_PATH name it; the package is not in the npm registry. Programs that
    are not needed here are taken out of `programs` in the systems file.""",
)
def test_versions_are_known_and_supported(bad_programs: tuple[BadProgram, ...]) -> None:
    """The programs that DGMO needs are there, tell their versions, and are not too old.

    An older bun reads its sources with other rules, and fails in the middle of a session.
    """
    assert not bad_programs, listed("programs that DGMO needs", bad_programs)


@check(
    P2,
    guide="DG33",
    hint="""Put `export NODE_OPTIONS="--max-old-space-size=4096"` into the profile of the shell
    that starts DGMO, with a number of MiB that is below the machine's memory (`free -m`), and start
    it anew. Archiving old sessions makes the store smaller.""",
)
def test_node_has_memory_to_work_with(node_memory: NodeMemory) -> None:
    """Node is told how much memory it may take, where the store is large.

    What it takes of itself is too little for a large store: it ends in the middle of a list. More
    than the machine has ends in a kill by the kernel.
    """
    said = f"NODE_OPTIONS in {node_memory.where} says {node_memory.told} MiB"
    assert not node_memory.large or node_memory.told, (
        f"the store has {node_memory.store.value:g} MiB, and no NODE_OPTIONS sets"
        " --max-old-space-size"
    )
    assert not node_memory.large or node_memory.told <= node_memory.machine, (
        f"{said}, and the machine has {node_memory.machine} MiB"
    )


@check(
    P2,
    guide="DG31",
    hint="""Where another program has the port, end it, or start DGMO's by `dgmo serve --port` with
    another number and write that into the systems file (`server_port`); `ss -ltnp` shows who it is.
    Where /session answers 400, one session that cannot be read spoils the whole list:
    `pytest healthchecks/ --system dgmo --fix` restores it or puts it away.""",
)
def test_the_server_answers(dgmo_server: Server) -> None:
    """What listens on the port of `dgmo serve` is DGMO's server, and it lists the sessions.

    It has no /health: only a list of sessions shows that it can read them.
    """
    assert not dgmo_server.stranger, f"{dgmo_server.place} is taken by {dgmo_server.stranger}"
    assert not dgmo_server.trouble, f"{dgmo_server.place}: {dgmo_server.trouble}"


@healthy(test_versions_are_known_and_supported)
@healthy(test_versions_are_known_and_supported, layout="workspace")
@healthy(test_node_has_memory_to_work_with)
@healthy(test_node_has_memory_to_work_with, layout="workspace")
def as_it_is_installed(world: World) -> None:
    """As the world is made: the store is small."""


@healthy(test_versions_are_known_and_supported)
def a_version_of_words(world: World) -> None:
    world.files.program("bun", "echo 'bun 1.2.0-canary.3 (linux x64)'")


@fault(test_versions_are_known_and_supported, becomes="absent")
def none_is_wanted(world: World) -> None:
    world.change(programs=[])


@fault(test_versions_are_known_and_supported)
@fault(test_versions_are_known_and_supported, layout="workspace")
def bun_is_missing(world: World) -> None:
    (world.files.bin / "bun").unlink()


@fault(test_versions_are_known_and_supported)
def bun_is_old(world: World) -> None:
    world.files.program("bun", "echo 1.0.36")


@fault(test_versions_are_known_and_supported)
def node_is_older_by_a_digit(world: World) -> None:
    """9 is less than 18, though not as a text."""
    world.files.program("node", "echo v9.11.2")


@fault(test_versions_are_known_and_supported)
def without_its_binary(world: World) -> None:
    """What the npm package's starter says where nobody has built it."""
    words = "It seems that your package manager failed to install the right version of dgmo"
    world.files.program("dgmo", f"echo '{words}' >&2; exit 1")


@fault(test_versions_are_known_and_supported)
def telling_nothing(world: World) -> None:
    world.files.program("dgmo", "exit 0")


@healthy(test_node_has_memory_to_work_with)
def large_and_told(world: World) -> None:
    world.change(large_store_mib=0.0)
    text = '# NODE_OPTIONS="--max-old-space-size=1"\nexport NODE_OPTIONS="--max-old-space-size=64"'
    world.files.put(world.folder / ".bashrc", text)


@fault(test_node_has_memory_to_work_with)
@fault(test_node_has_memory_to_work_with, layout="workspace")
def large_and_untold(world: World) -> None:
    world.change(large_store_mib=0.0)
    world.files.put(world.folder / ".bashrc", '# NODE_OPTIONS="--max-old-space-size=4096"\n')


@fault(test_node_has_memory_to_work_with)
def more_than_the_machine_has(world: World) -> None:
    world.change(large_store_mib=0.0)
    text = 'export NODE_OPTIONS="--gc-interval=100 --max-old-space-size=999999999"\n'
    world.files.put(world.folder / ".zshrc", text)


@fault(test_the_server_answers, becomes="absent")
@fault(test_the_server_answers, becomes="absent", layout="workspace")
def nothing_listens(world: World) -> None:
    """Nobody meant it to run."""


@healthy(test_the_server_answers)
@healthy(test_the_server_answers, layout="workspace")
def listing_the_sessions(world: World) -> None:
    world.files.listen(200, _LIST, on="server")


@fault(test_the_server_answers)
@fault(test_the_server_answers, layout="workspace")
def one_session_spoils_the_list(world: World) -> None:
    world.files.listen(400, _POISONED, on="server")


@fault(test_the_server_answers)
def another_server_of_pages(world: World) -> None:
    world.files.listen(404, "<h1>Not found</h1>", on="server")


@fault(test_the_server_answers)
def another_that_answers_everything(world: World) -> None:
    world.files.listen(200, "<!doctype html><title>app</title>", on="server")


@fault(test_the_server_answers)
def one_that_speaks_no_http(world: World) -> None:
    """A program that closes every connection at once."""
    world.files.listen(0, on="server")


@fault(test_the_server_answers)
def one_that_never_answers(world: World) -> None:
    world.files.hear()
