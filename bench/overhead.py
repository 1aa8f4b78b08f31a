"""What the suite costs: 100 healthy checks of local files against as many empty tests.

Run `python bench/overhead.py`; it takes about a minute. Exit status 1 when the goal is missed.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import timing, toy
from plugins.answers import Answer
from plugins.report.document import save

CHECKS = 100
ROUNDS = 7
GOAL = 0.5
EMPTY = "100 empty tests, same plugins"

_PROBE = """
@probe
def fact_{number}(system: Toy, filesystem: Filesystem):
    return filesystem.look("{path}")
"""
_IMPORTS = """\
from healthchecks.toy.system import Toy
from plugins import probe
from plugins.endpoints.filesystem import Filesystem
"""
_TESTINFRA = """
def test_{number}(host):
    file = host.file("{path}")
    assert file.exists
    assert file.mode == 0o644
"""
_SERVERSPEC = """
describe file('{path}') do
  it {{ should exist }}
  it {{ should be_mode 644 }}
end
"""


def project(folder: Path, probes: int) -> Path:
    """Make a project of 100 checks over some probes, of a file each; return its folder."""
    folder.mkdir()
    folder_of_checks = toy.lay_out(folder)
    paths = watched(folder, probes)
    text = "".join(_PROBE.format(number=n, path=path) for n, path in enumerate(paths))
    (folder_of_checks / "conftest.py").write_text(_IMPORTS + text, "utf-8")
    facts = [str(n % probes) for n in range(CHECKS)]
    judged = "{fact} and {fact}.mode == 0o644"
    names = [f"file_{n}" for n in range(CHECKS)]
    (folder_of_checks / "test_files.py").write_text(toy.checks(names, facts, judged), "utf-8")
    empty = folder / "empty"
    empty.mkdir()
    tests = "".join(f"def test_{n}():\n    pass\n" for n in range(CHECKS))
    (empty / "test_empty.py").write_text(tests, "utf-8")
    return folder


def watched(folder: Path, count: int) -> list[Path]:
    """Make some files and return their paths."""
    files = folder / "files"
    files.mkdir()
    paths = [files / f"file{n}" for n in range(count)]
    for path in paths:
        path.write_text("x", "utf-8")
        path.chmod(0o644)
    return paths


def elsewhere(folder: Path, kind: str) -> Path:
    """Make the same 100 file checks as plain testinfra, or as serverspec; return their folder."""
    (folder / "spec").mkdir(parents=True)
    paths = list(enumerate(watched(folder, CHECKS)))
    if kind == "testinfra":
        text = "".join(_TESTINFRA.format(number=n, path=path) for n, path in paths)
        (folder / "test_files.py").write_text(text, "utf-8")
    else:
        text = "".join(_SERVERSPEC.format(path=path) for _, path in paths)
        head = "require 'serverspec'\nset :backend, :exec\n"
        (folder / "spec" / "files_spec.rb").write_text(head + text, "utf-8")
    return folder


def runs(folder: Path, *words: str, passed: str = "") -> Callable[[], float]:
    """Return a call that runs a program in a folder, once, and gives its seconds."""

    def run() -> float:
        ran = timing.expected(timing.timed(words, folder), 0)
        if passed not in ran.out:
            sys.exit(f"not what was to be measured:\n{ran.out[-2000:]}")
        return ran.wall

    return run


def contenders(top: Path) -> dict[str, Callable[[], float]]:
    """Return everything that is timed, by name."""
    own, shared = project(top / "own", CHECKS), project(top / "shared", 10)
    plain = elsewhere(top / "testinfra", "testinfra")
    pytest, look = timing.PYTEST, "healthchecks/"
    found = {
        EMPTY: runs(own, *pytest, "empty", passed="100 passed"),
        "100 checks, a probe each": runs(own, *pytest, look, passed="100 healthy"),
        "100 checks, 10 probes": runs(shared, *pytest, look, passed="100 healthy"),
        "  the same without pytest-html": runs(
            own, *pytest, look, "-p", "no:html", passed="100 healthy"
        ),
        "  collected only": runs(own, *pytest, look, "--co", "-q"),
        "100 as plain testinfra": runs(
            plain, *pytest, "-q", "-p", "no:cacheprovider", passed="100 passed"
        ),
    }
    if shutil.which("rspec"):
        ruby = elsewhere(top / "serverspec", "serverspec")
        found["100 as serverspec"] = runs(ruby, "rspec", "spec", passed="200 examples, 0 failures")
    else:
        print("no rspec here: serverspec is left out (Debian: apt install ruby-serverspec)")
    return found


def parts(document: Path) -> None:
    """Print what thread starts and the JSON document take of a run."""
    text = document.read_text("utf-8")

    def threads() -> None:
        answers = [Answer("nothing", 5.0, int) for _ in range(CHECKS)]
        for answer in answers:
            answer.get(float("inf"))

    started = statistics.median(timing.clocked(threads) for _ in range(15))
    written = statistics.median(
        timing.clocked(lambda: save(document.with_name("again.json"), text)) for _ in range(15)
    )
    print(f"  of it: {CHECKS} probe threads begun and ended {started * 1000:.1f} ms")
    print(f"  of it: {len(text) >> 10} KiB of JSON saved and synced {written * 1000:.1f} ms")


def unwanted_imports(folder: Path) -> list[str]:
    """Return which of the heavy libraries a look at disks alone imports.

    testinfra is none of them: its own pytest plugin imports it into every run.
    """
    heavy = {"docker", "requests", "urllib3", "cryptography", "websocket", "asyncio", "jq"}
    heavy |= {"sqlite3", "platformdirs", "websockets", "selenium"}
    # Uncaptured, for the imports are told on stderr.
    words = (sys.executable, "-X", "importtime", *timing.PYTEST[1:], "-s")
    state = folder / "state.toml"
    state.write_text(f'[suite]\nstate = "{folder / "state"}"\n', "utf-8")
    wanted = ("-k", "disk", "--system", "host", "--systems", str(state))
    target = (str(timing.REPOSITORY / "healthchecks"), *wanted)
    reports = ("--health-json", str(folder / "disk.json"), "--html", str(folder / "disk.html"))
    ran = timing.timed((*words, *target, *reports, "-p", "no:cacheprovider"), folder)
    names = {line.rpartition("|")[2].strip() for line in ran.out.splitlines() if "|" in line}
    if "plugins.facts" not in names:
        sys.exit(f"no look at disks:\n{ran.out[-2000:]}")
    return sorted(heavy & names)


def main() -> int:
    """Print the figures and return the exit status."""
    print(f"{timing.machine()}; {ROUNDS} rounds in turns: median (range), ratio to the peer")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        top = Path(name)
        taken = timing.in_turns(contenders(top), ROUNDS)
        print("\n".join(timing.against(EMPTY, taken)))
        parts(top / "own" / "reports" / "health.json")
        heavy = ", ".join(unwanted_imports(top)) or "none"
        print(f"  heavy libraries that `pytest healthchecks/ --system host -k disk` loads: {heavy}")
    empty, ours = (statistics.median(taken[n]) for n in (EMPTY, "100 checks, a probe each"))
    return timing.verdict(
        f"100 checks cost at most {GOAL} s more than 100 empty tests ({ours - empty:+.3f} s)",
        ours - empty <= GOAL,
    )


if __name__ == "__main__":
    sys.exit(main())
