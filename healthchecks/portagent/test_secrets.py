"""The server has a key of its provider, and its secrets are not there for others to read."""

from __future__ import annotations

from collections.abc import Iterator

from plugins import P0, P2, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Chmod

from .probes_secrets import Exposed, OpenFile, ServerKey
from .provider import KEY
from .world import World
from .world_containers import NEEDS


@check(
    P0,
    guide="PT04",
    hint="Put `LLM_PROVIDER_KEY=<key>` into the .env file of its working folder, or into the file "
    "that its unit's EnvironmentFile or `docker run --env-file` names, run `chmod 600` on that, "
    "and start it again. Without quotes: Docker takes them for a part of the key.",
)
def test_it_has_a_provider_key(server_key: ServerKey) -> None:
    """The server was given a key of its provider, and it can be one.

    Without one it does not start; with one that cannot be right it starts, and no message is ever
    answered. Whether the provider takes the key is another check's to ask.
    """
    seen = server_key
    assert seen.source, listed(f"{KEY} is not set; it was looked for in", seen.looked_in)
    assert not seen.flaw, f"{KEY} ({seen.source}) {seen.flaw}"


@check(
    P2,
    guide="PT27",
    hint="Who may use the engine's socket is like root: take people out of the group by `gpasswd "
    "--delete <user> docker`, and run `chmod o-rw` on the socket. Or keep the secrets out of the "
    "container's environment: in an .env file of its own working folder, mounted and mode 600.",
)
def test_no_secret_is_in_docker_inspect(inspected_secrets: tuple[Exposed, ...]) -> None:
    """The secrets of the container are not for several people to see.

    `docker inspect` shows each variable to whoever may ask the engine: the key is used on your
    bill, and with JWT_SECRET anybody is any user. Where one person may ask, it is that person's.
    """
    assert not inspected_secrets, listed("secrets that others can see", inspected_secrets)


@check(
    P2,
    guide="PT27",
    hint="Take the option off the command line, and put its variable (LLM_PROVIDER_KEY, JWT_SECRET)"
    " into an .env file of mode 600 or the unit's EnvironmentFile instead.",
)
def test_no_secret_is_on_its_command_line(spoken_secrets: tuple[str, ...]) -> None:
    """No secret is on the server's command line.

    `ps -ef` shows command lines to every user of the machine, and shells keep them.
    """
    assert not spoken_secrets, listed("secrets on its command line", spoken_secrets)


@check(
    P2,
    guide="PT27",
    hint="Run `chmod 600` on the file that keeps what it prints; of a container or a journal, let "
    "fewer people read it (groups docker, adm and systemd-journal). A key that many could see is "
    "made anew at the provider.",
)
def test_no_key_is_in_what_it_printed(printed_keys: tuple[Exposed, ...]) -> None:
    """What it printed at its start shows nobody else its key.

    It prints the first 15 characters. Of an Anthropic key two of them are secret, which gives
    nothing away; of a short key, or another provider's, it may be most of it.
    """
    assert not printed_keys, listed("beginnings of the key that others can read", printed_keys)


@remedy(SAFE)
def close_them(open_variable_files: tuple[OpenFile, ...]) -> Iterator[Chmod]:
    """Run `chmod o-rwx <file>` on each. Where the server's user is neither its owner nor in its
    group, `chown <user> <file>` comes first, or it could not read it any more."""
    for one in open_variable_files:
        if not one.needed:
            yield Chmod(one.path, one.mode, seen=one.seen)


@check(P2, guide="PT27", remedy=close_them)
def test_its_env_files_are_private(open_variable_files: tuple[OpenFile, ...]) -> None:
    """Files with its secrets are not for everybody to read.

    An .env file gets the umask's mode, which mostly lets every user of the machine read the key.
    """
    assert not open_variable_files, listed("secrets that anybody may read", open_variable_files)


@healthy(test_it_has_a_provider_key)
@healthy(test_no_secret_is_on_its_command_line)
def by_its_environment(world: World) -> None:
    world.server.start()


@healthy(test_it_has_a_provider_key)
@healthy(test_its_env_files_are_private)
def by_its_env_file(world: World) -> None:
    """A private .env file of its working folder, after an .env.local that does not count."""
    world.server.env_file(".env", LLM_PROVIDER_KEY=f'"{world.server.key}"')
    world.server.env_file(".env.local", LLM_PROVIDER_KEY="sk-ant-xxx")
    world.server.start()


@healthy(test_it_has_a_provider_key)
@healthy(test_its_env_files_are_private)
def by_the_file_of_its_unit(world: World) -> None:
    """A service that does not run now, with the file of variables that its documents propose."""
    file = world.server.env_file("etc-env", LLM_PROVIDER_KEY=world.server.key)
    world.change(env_files=[str(file)])


@healthy(test_it_has_a_provider_key, needs=NEEDS)
@healthy(test_no_secret_is_in_docker_inspect, needs=NEEDS)
@healthy(test_no_secret_is_on_its_command_line, needs=NEEDS)
@healthy(test_no_key_is_in_what_it_printed, needs=NEEDS)
def by_its_container(world: World) -> None:
    """As its documents say, on a machine where only root asks the engine."""
    world.containers.run(script=world.containers.says_key("k3y-of-another-provider"))


@fault(test_it_has_a_provider_key, becomes="blocked")
def never_started(world: World) -> None:
    """A folder of data, and nothing that tells how it is started."""


@fault(test_it_has_a_provider_key, becomes="absent", generation=2)
def of_the_second_generation(world: World) -> None:
    world.server.start()


@fault(test_it_has_a_provider_key, needs=NEEDS)
def container_without_a_key(world: World) -> None:
    """It ended at once, as the real one does."""
    world.containers.ended("echo 'Error: LLM_PROVIDER_KEY is required' >&2; exit 1", key="")


@fault(test_it_has_a_provider_key)
def unit_without_a_key(world: World) -> None:
    file = world.server.env_file("etc-env", JWT_SECRET=world.server.secret)
    world.change(env_files=[str(file)])


@fault(test_it_has_a_provider_key, needs=NEEDS)
def in_quotes(world: World) -> None:
    """An --env-file with quotes: Docker keeps them."""
    world.containers.run(key=f'"{world.server.key}"')


@fault(test_it_has_a_provider_key)
def a_placeholder(world: World) -> None:
    world.server.environment["LLM_PROVIDER_KEY"] = "sk-ant-api03-xxxxx"
    world.server.start()


@fault(test_it_has_a_provider_key)
def with_a_line_break(world: World) -> None:
    """Pasted with what stood behind it."""
    world.server.environment["LLM_PROVIDER_KEY"] = f"{world.server.key}\n"
    world.server.start()


@fault(test_it_has_a_provider_key)
def two_in_one(world: World) -> None:
    world.server.environment["LLM_PROVIDER_KEY"] = f"{world.server.key} # mine"
    world.server.start()


@fault(test_it_has_a_provider_key)
def empty(world: World) -> None:
    file = world.server.env_file("etc-env", LLM_PROVIDER_KEY="")
    world.change(env_files=[str(file)])


@fault(test_no_secret_is_in_docker_inspect, needs=NEEDS)
def engine_for_everybody(world: World) -> None:
    """Somebody made the socket writable for all, to be rid of sudo."""
    world.containers.run()
    world.containers.open_socket()


@healthy(test_no_secret_is_in_docker_inspect, needs=NEEDS)
def nothing_to_see(world: World) -> None:
    """Everybody may ask, and the secrets are elsewhere."""
    world.containers.run(key="", secret="")
    world.containers.open_socket()


@fault(test_no_secret_is_in_docker_inspect, becomes="absent")
@fault(test_no_key_is_in_what_it_printed, becomes="absent")
def without_docker(world: World) -> None:
    """Nothing runs, and nothing was printed."""


@fault(test_no_secret_is_on_its_command_line, becomes="blocked")
def nothing_runs(world: World) -> None:
    """A folder of data alone."""


@fault(test_no_secret_is_on_its_command_line)
def by_an_option(world: World) -> None:
    world.server.start(api_key=world.server.key)


@fault(test_no_key_is_in_what_it_printed, needs=NEEDS)
def logs_for_everybody(world: World) -> None:
    world.containers.run(script=world.containers.says_key("k3y-of-another-provider"))
    world.containers.open_socket()


@healthy(test_no_key_is_in_what_it_printed)
def of_anthropic(world: World) -> None:
    """A console that anybody may read, with what all such keys begin with."""
    world.server.start()
    world.server.console.chmod(0o644)


@fault(test_no_key_is_in_what_it_printed)
def console_for_everybody(world: World) -> None:
    world.server.environment["LLM_PROVIDER_KEY"] = "k3y-of-another-provider"
    world.server.start()
    world.server.console.chmod(0o644)


@fault(test_its_env_files_are_private)
def readable_by_anybody(world: World) -> None:
    world.server.env_file(".env", mode=0o644, LLM_PROVIDER_KEY=world.server.key)
    world.server.start()


@fault(test_its_env_files_are_private)
def unit_file_readable_by_anybody(world: World) -> None:
    file = world.server.env_file("etc-env", mode=0o644, JWT_SECRET=world.server.secret)
    world.change(env_files=[str(file)])


@healthy(test_its_env_files_are_private)
def without_a_secret(world: World) -> None:
    """Everybody may read it, and there is nothing to hide in it."""
    world.server.env_file(".env", mode=0o644, LOG_LEVEL="info", JWT_SECRET="")
    world.server.start()


@fault(test_its_env_files_are_private, becomes="absent")
def without_env_files(world: World) -> None:
    world.server.start()
