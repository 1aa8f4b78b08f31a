"""What a container was made with is told whole, and none of its secrets is shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugins.endpoints.container_settings import Port
from plugins.endpoints.docker import Container, Docker
from plugins.hosts import Host
from plugins.outcomes import Refused, ToolMissing
from plugins.worlds.dockerd import Dockerd, borrowed

KEY = "a-key-of-this-test-alone"
OPTIONS = (
    *("--restart", "on-failure:3", "--user", "1000:1000", "--workdir", "/srv"),
    *("--env", f"LLM_PROVIDER_KEY={KEY}", "--env", "EMPTY=", "--env", "LINES=a\nb=c"),
    *("--log-opt", "max-size=10m", "--log-opt", "max-file=3", "--hostname", "agents"),
    *("--publish", "127.0.0.1:5201:5200", "--expose", "9000/udp"),
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Dockerd]:
    try:
        lent = borrowed()
    except ToolMissing as why:
        pytest.skip(f"needs {why}")
    yield lent
    lent.release()


def seen(engine: Dockerd, name: str) -> Container:
    return next(one for one in Docker(Host(), engine.url).containers() if one.name == name)


def test_what_it_was_made_with_is_told(engine: Dockerd) -> None:
    engine.run("made", *OPTIONS, create=True)
    told = seen(engine, "made").settings
    assert (told.restart, told.user, told.folder) == ("on-failure:3", "1000:1000", "/srv")
    assert told.log_driver == "json-file"
    assert dict(told.log_options) == {"max-size": "10m", "max-file": "3"}
    assert (told.network_mode, told.hostname, told.pid) == ("none", "agents", 0)
    assert told.ports == (Port("5200/tcp", "127.0.0.1", 5201),)
    values = {name: value.reveal() for name, value in told.environment}
    assert (values["LLM_PROVIDER_KEY"], values["EMPTY"], values["LINES"]) == (KEY, "", "a\nb=c")
    assert [word.reveal() for word in told.words] == ["/bin/busybox", "sleep", "3600"]
    assert told.variable("NOT_THERE") is None
    assert KEY not in repr(seen(engine, "made"))


def test_what_it_printed_and_runs_is_told(engine: Dockerd) -> None:
    script = "echo one; echo two >&2; echo three; exec /bin/busybox sleep 3600"
    made = engine.run("talks", command=("sh", "-c", script))
    look = Docker(Host(), engine.url)
    assert sorted(look.printed(made).split()) == [b"one", b"three", b"two"]
    assert look.printed(made, last=1).split() != []
    assert len(look.printed(made, limit=4)) == 4
    assert look.run_inside(made, ("/bin/busybox", "echo", "hello")) == (0, b"hello\n")
    assert look.run_inside(made, ("/bin/busybox", "false"))[0] == 1
    assert look.run_inside(made, ("nothing-of-this-name",))[0] in {126, 127}
    assert seen(engine, "talks").settings.pid > 0


def test_a_driver_that_keeps_nothing_is_refused(engine: Dockerd) -> None:
    made = engine.run("silent", "--log-driver", "none")
    with pytest.raises(Refused, match="does not support reading"):
        Docker(Host(), engine.url).printed(made)
