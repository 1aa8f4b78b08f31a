"""Launchers of every shape: each `docker run` is found, and nothing that only looks like one."""

from __future__ import annotations

import contextlib
import time

import pytest

from healthchecks.claude_docker.docker_runs import docker_runs
from plugins.outcomes import CannotTell

FOUND = {
    'args=(run --rm -it)\nargs+=(-m 2g)\ndocker "${args[@]}" img cmd': [(3, True)],
    "f() {\n if [[ $D ]]; then\n args=(--rm)\n docker run $args img\n fi\n}": [(4, True)],
    "if x; then a=(--rm); else a=(-it); fi\ndocker run ${a[@]} img": [(2, False)],
    'a=(-it)\n[[ $D ]] || a+=(--rm)\ndocker run "${a[@]}" img': [(3, False)],
    'a=(-it --rm)\ndocker run ${a[@]+"${a[@]}"} img': [(2, True)],
    "f() {\n local a=(--rm)\n}\ng() {\n local a=(-it)\n docker run $a img\n}": [(6, False)],
    "docker run -it img tool --rm": [(1, False)],
    "docker run --rm=false img": [(1, False)],
    "docker run --name --rm img": [(1, False)],
    "# docker run a\necho docker run b\n: docker run c\nlog_info docker run d": [],
    'out="$(docker run -i img "$(cat x)")"\nx=`docker run --rm img`': [(1, False), (2, True)],
    'cmd="docker run -it img"\n$cmd\nbash -c "docker run --rm img"': [(2, False), (3, True)],
    "alias dr='docker run -it'\ndr --rm img\ndr img": [(2, True), (3, False)],
    "alias go='docker run -it img'": [(1, False)],
    'go() { docker run "$@"; }\ngo --rm -it img': [(1, True)],
    'go() { docker run "$@"; }\ngo --rm img\ngo -it img': [(1, False)],
    "cat <<EOF\ndocker run x\nEOF\nbash <<'EOF'\ndocker run y\nEOF": [(4, False)],
    "sudo -E /usr/bin/docker --context x container run -it img": [(1, False)],
    '"${DOCKER_BIN:-docker}" run --rm img': [(1, True)],
    'O="-it"\nO+=" --rm"\ndocker run ${=O} img': [(3, True)],
    "docker run ${X:+--rm} img": [(1, False)],
    "# don't\ncase $1 in\n a) docker run img ;;\nesac": [(3, False)],
    "docker run \\\r\n --rm \\\r\n img\r\n": [(1, True)],
    'docker run -e "A=\\"b" --rm img; docker run -e \'A="\' img': [(1, True), (1, False)],
    "docker exec box ls\ndocker ps --rm\nrun docker": [],
}
HUGE = {
    "brackets": "(" * 200_000,
    "openings": "$(" * 100_000 + ")" * 50_000,
    "quotations": '"' * 200_001,
    "backticks": "`" * 200_000,
    "words": "docker run " * 20_000,
    "lines": "docker run -it img\n" * 10_000,
    "grown": "a+=(x)\n" * 30_000 + 'docker run "${a[@]}" i',
    "of itself": 'a=("${a[@]}" "${a[@]}")\n' * 1000 + 'docker run "${a[@]}" i',
    "doubled": "".join(f'a{n}="$a{n - 1} $a{n - 1}"\n' for n in range(1, 60)) + "docker run $a59",
    "documents": "cat <<A\n" * 30_000,
    "backslashes": "\\" * 200_000,
    "nothing": "\0" * 200_000,
    "not text": "\udcff\udc80'\udcff'\n" * 20_000,
}


@pytest.mark.parametrize("text", FOUND, ids=range(len(FOUND)))
def test_each_run_is_found(text: str) -> None:
    assert [(run.line, run.always("--rm")) for run in docker_runs(text)] == FOUND[text]


@pytest.mark.parametrize("text", ["docker run --rm i\necho 'a", 'x="$(docker run i"', "${"])
def test_what_is_never_closed_cannot_be_told(text: str) -> None:
    with pytest.raises(CannotTell, match="never closed"):
        docker_runs(text)


def test_what_stands_elsewhere_is_unknown() -> None:
    (run,) = docker_runs('docker run -it "$@"')
    assert run.unknown == "$@"


@pytest.mark.parametrize("kind", HUGE)
def test_hostile_sizes_end_soon(kind: str) -> None:
    began = time.process_time()
    with contextlib.suppress(CannotTell):
        docker_runs(HUGE[kind])
    assert time.process_time() - began < 5
