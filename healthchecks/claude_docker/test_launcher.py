"""The launcher starts sessions that go away, keep within limits, and find their paths."""

from __future__ import annotations

from plugins import P2, check, fault, healthy, listed

from .probes_launcher import Runs, Wiring
from .world import World

ARRAY = """
claude() {
  local -a args
  args=(run -it)   # --rm
  @MORE@
  args+=(--memory 2g --cpus 2)
  docker "${args[@]}" claude-code-tools claude "$@"
}
"""
WRAPPED = """
alias dr='docker run -it --memory 2g --cpus 2'
session() { docker run "$@" }
dr --rm claude-code-tools true
out="$(session --rm -m 2g --cpus 2 claude-code-tools)"
"""
HIDDEN = """
command="docker run --cpus 2 claude-code-tools true --rm"
eval "$command"
"""


@check(
    P2,
    guide="CD02",
    hint="Add `--rm` before the image in each `docker run` that is listed; where one was left out "
    "to look into a container, use `docker cp` while it runs.",
)
def test_every_docker_run_of_the_launcher_passes_rm(staying_runs: Runs) -> None:
    """Every `docker run` of the launcher passes `--rm`.

    Each session leaves a container behind otherwise; a search for `--rm` in the file is content
    with one line that has it.
    """
    assert not staying_runs.lacking, listed(
        f"without --rm in {staying_runs.launcher}", staying_runs.lacking
    )


@healthy(test_every_docker_run_of_the_launcher_passes_rm)
def with_rm(world: World) -> None:
    world.sync.launch()


@healthy(test_every_docker_run_of_the_launcher_passes_rm)
def in_an_array(world: World) -> None:
    world.sync.launch(ARRAY.replace("@MORE@", "args+=(--rm)"))


@healthy(test_every_docker_run_of_the_launcher_passes_rm)
def wrapped(world: World) -> None:
    world.sync.launch(WRAPPED)


@fault(test_every_docker_run_of_the_launcher_passes_rm)
def in_one_unrelated_line_alone(world: World) -> None:
    world.sync.launch(rm="")


@fault(test_every_docker_run_of_the_launcher_passes_rm)
def only_in_a_comment(world: World) -> None:
    world.sync.launch(ARRAY.replace("@MORE@", ""))


@fault(test_every_docker_run_of_the_launcher_passes_rm)
def only_sometimes(world: World) -> None:
    world.sync.launch(ARRAY.replace("@MORE@", "[[ -n $DEBUG ]] || args+=(--rm)"))


@fault(test_every_docker_run_of_the_launcher_passes_rm)
def given_to_what_runs_in_it(world: World) -> None:
    world.sync.launch(HIDDEN)


@fault(test_every_docker_run_of_the_launcher_passes_rm, becomes="cannot_tell")
def options_from_elsewhere(world: World) -> None:
    world.sync.launch('docker run "$@"\n')


@fault(test_every_docker_run_of_the_launcher_passes_rm, becomes="cannot_tell")
def an_open_quotation(world: World) -> None:
    world.sync.launch("docker run --rm claude-code-tools\necho 'and then\n")


@fault(test_every_docker_run_of_the_launcher_passes_rm, becomes="cannot_tell")
def too_big_for_a_script(world: World) -> None:
    world.sync.launch("# ballast\n" * 30_000)


@fault(test_every_docker_run_of_the_launcher_passes_rm, becomes="absent", layout="own")
def no_launcher(world: World) -> None:
    """Claude Code alone has none."""


@check(
    P2,
    guide="CD25",
    hint="Give each `docker run` that is listed limits before the image: `--memory 2g "
    "--memory-swap 2g --cpus 2 --pids-limit 100`.",
)
def test_the_launcher_limits_its_sessions(unlimited_runs: Runs) -> None:
    """The launcher limits the memory and the processors of its sessions.

    Without limits one session that runs away takes the machine, and every other session with it.
    """
    assert not unlimited_runs.lacking, listed(
        f"without limits in {unlimited_runs.launcher}", unlimited_runs.lacking
    )


@healthy(test_the_launcher_limits_its_sessions)
def limited(world: World) -> None:
    world.sync.launch()


@healthy(test_the_launcher_limits_its_sessions)
def limited_in_short(world: World) -> None:
    world.sync.launch(limits="-m2g --cpu-quota=200000 \\\n  --cpu-period 100000")


@fault(test_the_launcher_limits_its_sessions)
def no_limits(world: World) -> None:
    world.sync.launch(limits="--pids-limit 100")


@fault(test_the_launcher_limits_its_sessions)
def only_memory(world: World) -> None:
    world.sync.launch(limits="--memory=2g")


@check(
    P2,
    guide="CD32",
    hint="Call `fix_mcp_paths` in `sync_claude_config_in` of the library, behind the line that "
    "copies ~/.claude.json into the staging folder.",
)
def test_path_rewriting_is_wired_in(path_rewriting: Wiring) -> None:
    """The paths of MCP servers are rewritten when the configuration is staged.

    Paths of the host lead nowhere in a container, and each server ends with "Cannot find module".
    """
    assert not path_rewriting.trouble, f"{path_rewriting.library}: {path_rewriting.trouble}"


@healthy(test_path_rewriting_is_wired_in)
def called(world: World) -> None:
    world.sync.wire()


@healthy(test_path_rewriting_is_wired_in)
def called_by_what_is_called(world: World) -> None:
    world.sync.wire("rewrite || return 1\n}\nfunction rewrite {\n  command fix_mcp_paths")


@fault(test_path_rewriting_is_wired_in)
def only_in_a_comment_of_it(world: World) -> None:
    world.sync.wire("# fix_mcp_paths\n  echo fix_mcp_paths")


@fault(test_path_rewriting_is_wired_in)
def only_in_another_function(world: World) -> None:
    world.sync.wire(":\n}\nother() {\n  fix_mcp_paths")


@fault(test_path_rewriting_is_wired_in, becomes="absent")
def no_library(world: World) -> None:
    world.sync.library.unlink()
