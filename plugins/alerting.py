"""`[notify]`: alerts on what changes, and pings that say that the checks themselves live.

Neither makes a run fail, or wait longer than the deadline of that table; what could not be sent is
said. `--notify-test` sends one of each now.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from plugins.alerts.heartbeat import Heartbeat
from plugins.alerts.message import harmless
from plugins.alerts.sending import Order, Sending
from plugins.alerts.settings import Notify, notify_of
from plugins.alerts.telling import Telling
from plugins.alerts.told import Told
from plugins.alerts.urls import unset, url_in
from plugins.finding import Outcome
from plugins.redaction import Redactor
from plugins.report.account import Account, looks, on_worker, opened
from plugins.report.conclusion import Conclusion
from plugins.report.delivery import STDOUT
from plugins.report.shown import REDACTOR
from plugins.report.status import HEALTHY, ILL, meaning
from plugins.report.terminal import Line, write
from plugins.run import RUN

_GRACE_S = 1.0
_NAMED = 20


@dataclass
class Alerts:
    """What this session sends.

    Args:
        notify: the table.
        telling: of what changes; None where nobody is told.
        heartbeat: None where nothing is pinged.
    """

    notify: Notify
    telling: Telling | None
    heartbeat: Heartbeat | None
    _status: int = HEALTHY
    _pinged: float = field(default_factory=lambda: -float("inf"))
    _complaint: str = ""
    _ended: bool = False
    _unsaid: list[str] = field(default_factory=list)

    def concluded(self, conclusion: Conclusion) -> None:
        """Begin to send what goes with a conclusion."""
        self._status = conclusion.status
        self._unsaid += self.beat(conclusion.account, spaced=not conclusion.final)
        if self.telling is not None:
            self._unsaid += self.telling.go_on(conclusion.account, conclusion.status)

    def beat(self, account: Account, *, spaced: bool) -> list[str]:
        """Ping, in a watch not more often than was agreed; return what to say of the last ping."""
        beat, now = self.heartbeat, time.monotonic()
        if beat is None or (spaced and (beat.busy or now - self._pinged < self.notify.heartbeat_s)):
            return []
        said = [] if beat.busy else self._of_ping(beat.complaint)
        self._pinged = now
        end = "" if self._status == HEALTHY else "fail"
        beat.ping(end, _in_short(account, self._status))
        return said

    def round(self, account: Account) -> list[str]:
        """Do what is due after a round of a watch."""
        said, self._unsaid = self._unsaid, []
        if self.telling is not None:
            said += self.telling.go_on(account, self._status, changed=False)
        return [*said, *self.beat(account, spaced=True)]

    def finish(self, account: Account) -> list[str]:
        """Wait for what is on its way; return what to say of it. The second time, nothing is."""
        if self._ended:
            return []
        self._ended = True
        ends = time.monotonic() + self.notify.deadline_s + _GRACE_S
        said, self._unsaid = self._unsaid, []
        if self.telling is not None:
            said += self.telling.finish(account, self._status)
        if self.heartbeat is not None:
            said += self._of_ping(self.heartbeat.wait(max(ends - time.monotonic(), _GRACE_S)))
        return said

    def _of_ping(self, complaint: str) -> list[str]:
        former, self._complaint = self._complaint, complaint
        if not complaint or complaint == former:
            return []
        return [f"{self.notify.heartbeat}: the heartbeat was not taken: {complaint}"]


ALERTS = pytest.StashKey[Alerts]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.getgroup("health").addoption(
        "--notify-test",
        action="store_true",
        help="send a test message and a heartbeat to all that [notify] names; looks at nothing",
    )


@pytest.hookimpl
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Send the test messages where that is all that was asked."""
    if not config.option.notify_test or on_worker(config) or config.option.print_systems:
        return None
    notify = notify_of(config.stash[RUN].configuration.notified)
    if not notify.variables:
        raise pytest.UsageError(
            "--notify-test: no systems file names anybody in [notify]; see docs/alerts.md"
        )
    outcome = _tried(notify, opened(config).name, config.stash[REDACTOR])
    for name, why in outcome.items():
        print(f"{name}: {f'NOT SENT: {why}' if why else 'sent'}")  # noqa: T201 - what was asked for
    return ILL if any(outcome.values()) else HEALTHY


def _tried(notify: Notify, name: str, mask: Redactor) -> dict[str, str]:
    """Send a message to everybody and ping; return what went wrong, by variable."""
    words = "This is a test: alerts of the health checks arrive here."
    outcome = dict.fromkeys(unset(notify.variables), "the variable is not set")
    names = [one.variable for one in notify.targets if one.variable not in outcome]
    orders = [Order(one, f"{harmless(name)}: a test", (words,), "info") for one in names]
    sending = Sending(orders, notify.deadline_s, mask) if orders else None
    if notify.heartbeat and notify.heartbeat not in outcome:
        beat = Heartbeat(url_in(notify.heartbeat), notify.deadline_s, mask)
        beat.ping("start", words)
        beat.ping("", words)
        outcome[notify.heartbeat] = beat.wait(2 * notify.deadline_s)
    return outcome | (sending.outcome() if sending else {})


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say that the run begins; tell what nobody can be told by."""
    config = session.config
    run = config.stash.get(RUN, None)
    if run is None or run.demo or on_worker(config) or not looks(config):
        return
    notify = notify_of(run.configuration.notified)
    if not notify.variables:
        return
    account, mask = opened(config), config.stash.get(REDACTOR, None) or Redactor()
    missing = unset(notify.variables)
    if missing:
        are = "is not set: nothing is sent by it" if len(missing) == 1 else "are not set"
        account.warnings.append(f"[notify] names {', '.join(missing)}, which {are}")
    heartbeat = None
    if notify.heartbeat and notify.heartbeat not in missing:
        heartbeat = Heartbeat(url_in(notify.heartbeat), notify.deadline_s, mask)
        heartbeat.ping("start", f"{harmless(account.name)}: the health checks begin")
    named = any(one.variable not in missing for one in notify.targets)
    told, scope = Told(run.state, account.host), ", ".join(run.only)
    telling = Telling(notify, told, mask, scope) if named else None
    config.stash[ALERTS] = Alerts(notify, telling, heartbeat)


@pytest.hookimpl(trylast=True)
def pytest_health_concluded(config: pytest.Config, conclusion: Conclusion) -> None:
    """Begin to send; what has come of it is waited for when all is shown."""
    if ALERTS in config.stash:
        config.stash[ALERTS].concluded(conclusion)


def pytest_health_round(config: pytest.Config) -> list[str] | None:
    """Go on sending in a watch."""
    if ALERTS not in config.stash:
        return None
    return config.stash[ALERTS].round(opened(config))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(config: pytest.Config) -> None:
    """Wait for what is on its way, and say what could not be sent."""
    _finish(config)


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Do so where there is no terminal."""
    _finish(config)


def _finish(config: pytest.Config) -> None:
    alerts = config.stash.get(ALERTS, None)
    if alerts is None:
        return
    try:
        lines = alerts.finish(opened(config))
    except KeyboardInterrupt:
        lines = ["interrupted: what was not yet sent is sent by the next run"]
    mute = STDOUT in config.stash or not config.pluginmanager.hasplugin("terminalreporter")
    for line in lines:
        if mute and not line.startswith("told by"):
            sys.stderr.write(f"{line}\n")
        elif not mute:
            write(config, Line(line, style=() if line.startswith("told by") else ("yellow",)))


def _in_short(account: Account, status: int) -> str:
    """Return what a run came to for whoever takes pings: numbers and ids, no word of a host."""
    rows = account.findings()
    ill = sorted((r.severity.value, r.id) for r in rows if r.outcome is Outcome.ILL)
    counts = Counter(row.outcome.value.replace("_", " ") for row in rows)
    lines = [f"{harmless(account.name)}: {meaning(status, account.fail_on)} (exit status {status})"]
    lines.append(", ".join(f"{count} {word}" for word, count in counts.most_common()))
    lines += [f"{severity} {name}" for severity, name in ill[:_NAMED]]
    return "\n".join(lines)
