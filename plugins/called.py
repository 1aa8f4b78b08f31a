"""What `--recover` and `--with` call for, and what an inquiry answers.

Exit status of an inquiry: 0 when it found something; 1 when nothing matched, saying where it
looked; 5 when the system is not here; 11 when it could not be told.
"""

from __future__ import annotations

import contextlib
import sys
import time

import pytest

from plugins.arguments import Misgiven, given
from plugins.inquiries import Inquiry, Note
from plugins.outcomes import Absent, NoFact
from plugins.recovery import Procedure, procedures
from plugins.redaction import redact
from plugins.report.delivery import on_stdout
from plugins.report.shown import REDACTOR
from plugins.report.status import ILL, NOTHING_RAN, UNTOLD
from plugins.run import Run
from plugins.text import nearest, printable

_OTHERS = {
    "collectonly": "--collect-only",
    "demo": "--demo",
    "list_checks": "--list-checks",
    "scenarios": "--scenarios",
    "undo": "--undo",
}
_LONGEST = 4000  # characters of a line that an inquiry tells


def called(config: pytest.Config, run: Run) -> tuple[Procedure | Inquiry, dict[str, str]]:
    """Return what was asked for by name, and its arguments.

    Raises:
        pytest.UsageError: there is no such procedure, it is switched off, or an option or an
            argument does not fit it.
    """
    name, told = config.option.recover, config.option.told
    for option, words in _OTHERS.items():
        if getattr(config.option, option, None) not in (None, False):
            raise pytest.UsageError(f"--recover does not go together with {words}")
    known = procedures(run.configuration.tables)
    if name not in known:
        shown_name, hint = printable(name), nearest(name, list(known))
        rows = "\n  ".join(f"{each}: {known[each].title}" for each in sorted(known))
        raise pytest.UsageError(
            f"--recover {shown_name}: no such procedure{hint}\n  there are:\n  {rows}"
        )
    wanted = known[name]
    if run.configuration.tables[wanted.system]["enabled"].value == "no":
        raise pytest.UsageError(f"--recover {name}: [{wanted.system}] is switched off")
    if isinstance(wanted, Inquiry) and on_stdout(config):
        raise pytest.UsageError(f"--recover {name} tells lines of text: there is no document of it")
    try:
        return wanted, given(name, wanted.arguments, told)
    except Misgiven as why:
        raise misused(why) from None


def misused(why: Misgiven) -> pytest.UsageError:
    """Return the usage error of what was told with `--with`."""
    return pytest.UsageError(
        redact("\n".join(printable(line, 4000) for line in str(why).split("\n")))
    )


def answer(config: pytest.Config, run: Run, inquiry: Inquiry, told: dict[str, str]) -> int:
    """Tell what an inquiry says, and return the exit status."""
    mask = config.stash[REDACTOR]

    def tell(line: str, stream: object) -> None:
        # Whoever reads only the first lines (`| head`) closes the pipe on the rest.
        with contextlib.suppress(OSError):
            print(mask(printable(line, _LONGEST)), file=stream, flush=True)  # type: ignore[call-overload]

    run.began, run.deadline = time.monotonic(), max(run.deadline, inquiry.deadline)
    run.only = (inquiry.system,)
    try:
        run.round.system(inquiry.system)
    except Absent as why:
        tell(f"{inquiry.name}: not here: {why}", sys.stderr)
        return NOTHING_RAN
    except NoFact as why:
        tell(f"{inquiry.name}: it cannot be told: {why}", sys.stderr)
        return UNTOLD
    try:
        lines = inquiry.lines(run, told)
    except Misgiven as why:
        raise misused(why) from None
    except Absent as why:
        tell(f"{inquiry.name}: {why}", sys.stderr)
        return ILL
    except NoFact as why:
        tell(f"{inquiry.name}: it cannot be told: {why}", sys.stderr)
        return UNTOLD
    except KeyboardInterrupt:
        tell(f"{inquiry.name}: interrupted", sys.stderr)
        return pytest.ExitCode.INTERRUPTED
    for line in lines:
        tell(line, sys.stderr if isinstance(line, Note) else sys.stdout)
    return 0
