"""A container is made anew as it was, or rolled back, and none of its secrets is told."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from healthchecks.portagent.world import World
from healthchecks.portagent.world_server import KEY, SECRET
from plugins.hosts import Host
from plugins.journal import Journal
from plugins.steps import CreateLike, FreshSecret, Hands, Refusal, StaysUp
from plugins.tests.portagent_worlds import with_containers
from plugins.tests.runs import Look, suite
from plugins.tests.worksite import hands_on
from plugins.worlds.dockerd import Dockerd

OWN = "an own value, with blanks=and $signs"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with with_containers(tmp_path, "jq", "curl", "openssl") as made:
        yield made


def told(engine: Dockerd, name: str) -> dict[str, Any]:
    (row,) = json.loads(engine.docker("inspect", name))
    return dict(row)


def settings(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a container was made with, as far as two may share it."""
    host = dict(row["HostConfig"])
    host["Binds"] = sorted(host["Binds"] or ())
    mounts = sorted((one["Type"], one["Name"], one["Destination"]) for one in named(row))
    return {"config": {**row["Config"], "Hostname": ""}, "host": host, "mounts": mounts}


def named(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"Name": "", **one} for one in row["Mounts"]]


def recover(world: World, procedure: str, *words: str, yes: bool = True) -> Look:
    pairs = [part for word in words for part in ("--with", word)]
    consent = ("--yes",) if yes else ("--fix=plan",)
    return run(world, "--recover", f"portagent.{procedure}", *pairs, *consent)


def run(world: World, *options: str) -> Look:
    tables = {"portagent": world.settings()}
    look = suite(world.folder.parent / "run", tables, *options, systems=("portagent",))
    journals = (world.folder.parent / "run").rglob("*.jsonl")
    kept = "".join(path.read_text() for path in journals)
    for secret in (KEY, SECRET, OWN):
        assert secret not in look.terminal + json.dumps(look.document) + kept
    return look


def made(world: World) -> str:
    """Run one with all that a recreation might lose; return its id."""
    more = (
        *("--env", f"OWN={OWN}", "--label", "who=test", "--hostname", "agents"),
        *("--volume", "/nameless", "--volume", "named:/named:ro", "--ulimit", "nofile=1000:2000"),
        *("--health-cmd", "true", "--health-interval", "1h", "--cap-add", "SYS_PTRACE"),
        *("--workdir", "/tmp", "--stop-timeout", "3", "--shm-size", "32m", "--init=false"),
    )
    return world.containers.run(*more)


def test_all_that_it_was_made_with_is_kept(world: World) -> None:
    former = made(world)
    engine = world.containers.engine
    before = settings(told(engine, former))
    assert any(len(name) == 64 for _, name, _ in before["mounts"])
    engine.docker("rename", former, "former")
    CreateLike(engine.url, former, "portagent").take(hands_on(world.folder))
    after = settings(told(engine, "portagent"))
    assert after["config"] == before["config"]
    assert after["mounts"] == before["mounts"]
    for key in before["host"].keys() - {"Binds"}:
        assert after["host"][key] == before["host"][key], key


def test_it_comes_onto_its_networks_again(world: World) -> None:
    former = world.containers.on_networks("front", "back")
    engine = world.containers.engine
    engine.docker("network", "create", "--subnet", "10.213.7.0/24", "side")
    engine.docker("network", "connect", "--ip", "10.213.7.9", "side", former)
    engine.docker("stop", "--time", "0", former)
    engine.docker("rename", former, "former")
    CreateLike(engine.url, former, "portagent").take(hands_on(world.folder))
    engine.docker("start", "portagent")
    rows = told(engine, "portagent")["NetworkSettings"]["Networks"]
    assert sorted(rows) == ["back", "front", "side"]
    assert rows["side"]["IPAMConfig"]["IPv4Address"] == "10.213.7.9"
    assert "agents" in rows["front"]["Aliases"]
    assert former[:12] not in json.dumps(rows)
    assert told(engine, "portagent")["HostConfig"]["NetworkMode"] == "front"


def test_the_printed_line_makes_the_same(world: World) -> None:
    former = made(world)
    engine = world.containers.engine
    engine.docker("rename", former, "former")
    step = CreateLike(
        engine.url, former, "by-step", 70 << 20, 1_500_000_000, "5m", 2, ("JWT_SECRET",)
    )
    step.take(hands_on(world.folder))
    line = str(step).replace("by-step", "by-hand")
    subprocess.run(["bash", "-euo", "pipefail", "-c", line], check=True, capture_output=True)
    by_step, by_hand = (told(engine, name) for name in ("by-step", "by-hand"))
    secrets = [variables(row).pop("JWT_SECRET") for row in (by_step, by_hand)]
    assert len({*secrets, SECRET}) == 3
    assert min(map(len, secrets)) == 44
    pairs = [settings(row) for row in (by_step, by_hand)]
    for pair in pairs:
        pair["config"]["Env"] = sorted(one for one in pair["config"]["Env"] if "JWT" not in one)
    assert pairs[0] == pairs[1]
    assert by_hand["HostConfig"]["LogConfig"]["Config"] == {"max-size": "5m", "max-file": "2"}
    assert by_hand["HostConfig"]["Memory"] == by_hand["HostConfig"]["MemorySwap"] == 70 << 20
    assert by_hand["HostConfig"]["NanoCpus"] == 1_500_000_000


def variables(row: dict[str, Any]) -> dict[str, str]:
    return dict(one.split("=", 1) for one in row["Config"]["Env"])


def test_one_whose_making_was_cut_short_is_removed_by_the_undo(world: World) -> None:
    former = world.containers.run()
    engine = world.containers.engine
    engine.docker("rename", former, "former")
    journal = Journal(world.folder.parent / "state", "run", Host())
    step = CreateLike(engine.url, former, "portagent")
    journal.take("toy.check", step, (str(world.folder),))
    lines = journal.path.read_text().splitlines(keepends=True)
    journal.path.write_text("".join(lines[:-1]))  # as who is killed before its end leaves it
    (entry,) = journal.entries()
    assert entry.after is None
    journal.take_back(entry)
    assert engine.docker("ps", "--all", "--format", "{{.Names}}").split() == ["former"]
    engine.docker("rename", former, "portagent")
    with pytest.raises(Refusal, match="is the former one"):
        step.inverse(hands_on(world.folder))[0].take(hands_on(world.folder))
    assert told(engine, "portagent")["Id"] == former


def test_what_is_not_there_is_refused(world: World) -> None:
    engine = world.containers.engine
    with pytest.raises(Refusal, match="cannot be made"):
        CreateLike(engine.url, "0" * 64, "portagent").take(hands_on(world.folder))
    with pytest.raises(Refusal, match="cannot be seen"):
        StaysUp(engine.url, "portagent").take(hands_on(world.folder))


def test_it_is_made_anew_with_bounds_and_given_back(world: World) -> None:
    former = world.containers.serve("--env", f"OWN={OWN}", leave=("--log-opt",))
    engine = world.containers.engine
    plan = recover(world, "recreate_container", "log_size=10m", "log_count=3", yes=False)
    assert plan.status == 0, plan.terminal
    assert told(engine, "portagent")["Id"] == former
    look = recover(world, "recreate_container", "log_size=10m", "log_count=3", "memory=128m")
    assert look.status == 0, look.terminal
    new = told(engine, "portagent")
    assert new["Id"] != former
    assert new["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert variables(new) == variables(told(engine, former))
    assert new["HostConfig"]["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}
    old = told(engine, former)
    assert re.fullmatch(r"/portagent-before-\d{8}-\d{6}", old["Name"])
    assert (old["State"]["Status"], old["HostConfig"]["RestartPolicy"]["Name"]) == ("exited", "no")
    assert run(world, "--undo").status == 0
    back = told(engine, "portagent")
    assert (back["Id"], back["State"]["Status"]) == (former, "running")
    assert back["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert engine.docker("ps", "--all", "--quiet").count("\n") == 1


def test_one_that_does_not_stay_up_is_rolled_back(world: World) -> None:
    data = world.folder / "broken"
    data.mkdir()
    former = world.containers.serve("--volume", f"{data}:/data")
    (data / "broken").touch()
    engine = world.containers.engine
    look = recover(world, "recreate_container")
    assert look.status != 0
    assert "does not stay up" in look.terminal
    assert told(engine, "portagent")["Id"] == former
    assert engine.docker("ps", "--all", "--quiet").count("\n") == 1


def test_one_that_removes_itself_is_left_alone(world: World) -> None:
    former = world.containers.run("--rm", leave=("--restart",))
    look = recover(world, "recreate_container")
    assert (look.status, "nothing could be taken back" in look.terminal) == (11, True)
    assert told(world.containers.engine, "portagent")["State"]["Status"] == "running"
    assert told(world.containers.engine, "portagent")["Id"] == former


def test_one_that_holds_its_data_itself_is_left_alone(world: World) -> None:
    former = world.containers.run("--restart", "no", leave=("--volume", "--restart"))
    world.change(data_dir="")
    look = recover(world, "recreate_container")
    assert (look.status, "docker cp portagent:/home/node/.agentx" in look.terminal) == (11, True)
    assert told(world.containers.engine, "portagent")["Id"] == former


@pytest.mark.parametrize("word", ["memory=lots", "memory=1k", "cpus=many", "log_size=x", "cpus=-1"])
def test_what_docker_does_not_take_is_refused_before(world: World, word: str) -> None:
    world.containers.run()
    assert recover(world, "recreate_container", word, yes=False).status == 4


def test_a_secret_is_fixed_in_a_container(world: World) -> None:
    former = world.containers.serve(secret="")
    look = recover(world, "fix_secret")
    assert look.status == 0, look.terminal
    assert "log in once more" in look.terminal
    new = variables(told(world.containers.engine, "portagent"))
    assert len(new.pop("JWT_SECRET")) == 44
    assert new == variables(told(world.containers.engine, former))
    assert recover(world, "fix_secret").status == 11


def test_a_secret_is_fixed_in_its_env_file_and_taken_out_again(world: World) -> None:
    before = f"# mine\nLLM_PROVIDER_KEY={KEY}\nexport JWT_SECRET = \nLAST=1"
    file = world.server.env_file(".env", LLM_PROVIDER_KEY="x", JWT_SECRET="")
    file.write_text(before)
    world.server.start()
    look = recover(world, "fix_secret")
    assert look.status == 0, look.terminal
    kept, secret = file.read_text().rstrip("\n").rsplit("\nJWT_SECRET=", 1)
    assert (kept, len(secret)) == (f"# mine\nLLM_PROVIDER_KEY={KEY}\nLAST=1", 44)
    assert secret not in look.terminal
    assert file.stat().st_mode & 0o777 == 0o600
    assert run(world, "--undo").status == 0
    assert file.read_text() == before


def test_a_secret_is_fixed_in_the_file_of_a_unit(world: World) -> None:
    world.server.environment.pop("JWT_SECRET")
    file = world.server.env_file("etc-env", LLM_PROVIDER_KEY=KEY)
    world.server.unit()
    world.change(env_files=[str(file)])
    plan = recover(world, "fix_secret", yes=False)
    assert plan.status == 0, plan.terminal
    assert str(file) in plan.terminal
    assert re.search(r"2\. .*systemctl restart portagent\.service", plan.terminal)
    world.server.environment["JWT_SECRET"] = "short"
    world.server.unit()
    refused = recover(world, "fix_secret", yes=False)
    assert (refused.status, "EnvironmentFile" in refused.terminal) == (11, True)


def test_an_env_file_is_written_as_typed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for text in (None, "", "A=1", "A=1\n", "A=1\nJWT_SECRET=old\nB=2\n", " export JWT_SECRET = x"):
        seen: list[str] = []
        for way in ("step", "hand"):
            path = root / f"{way}.env"
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_text(text)
                path.chmod(0o644)
            step = FreshSecret(str(path), "JWT_SECRET")
            if way == "step":
                hands = hands_on(root)
                step.take(Hands(hands.host, hands.roots, f"{hands.slot}-{len(seen)}-{text!r:.9}"))
            else:
                subprocess.run(["bash", "-euc", str(step)], check=True)
            seen.append(re.sub("JWT_SECRET=.{44}\n", "JWT_SECRET=…\n", path.read_text()))
            assert path.stat().st_mode & 0o137 == 0
        assert seen[0].count("JWT_SECRET=…\n") == 1
        assert "old" not in seen[0]
        assert seen[0].replace("\n", "") == seen[1].replace("\n", "")
