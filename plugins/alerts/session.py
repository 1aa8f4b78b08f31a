"""What a session sends: alerts and pings together, on time, and not longer than agreed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from plugins.alerts.heartbeat import Heartbeat
from plugins.alerts.message import harmless
from plugins.alerts.sending import Order, Sending
from plugins.alerts.settings import Notify
from plugins.alerts.telling import Telling
from plugins.alerts.told import Told
from plugins.alerts.urls import unset, url_in
from plugins.finding import Outcome
from plugins.report.account import Account
from plugins.report.conclusion import Conclusion
from plugins.report.status import HEALTHY, ILL, meaning
from plugins.run import Run

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
        # A run that would end with 0, and could not write what was asked for, ends with 1.
        self._status = conclusion.status or (ILL if conclusion.account.unwritten else HEALTHY)
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


def begun(
    notify: Notify, run: Run, account: Account, mask: Callable[[str], str], narrowed: str
) -> Alerts:
    """Say that the run begins; return what sends the rest.

    Args:
        notify: the table.
        run: names the state folder and what is looked at.
        account: is told of variables that are not set.
        mask: takes secrets out of what went wrong.
        narrowed: in a few words what the run is narrowed by beside its systems, "" for nothing.
    """
    missing = unset(notify.variables)
    if missing:
        are = "is not set: nothing is sent by it" if len(missing) == 1 else "are not set"
        account.warnings.append(f"[notify] names {', '.join(missing)}, which {are}")
    heartbeat = None
    if notify.heartbeat and notify.heartbeat not in missing:
        heartbeat = Heartbeat(url_in(notify.heartbeat), notify.deadline_s, mask)
        heartbeat.ping("start", f"{harmless(account.name)}: the health checks begin")
    if all(one.variable in missing for one in notify.targets):
        return Alerts(notify, None, heartbeat)
    scope = harmless(mask(" ".join(filter(None, [", ".join(run.only), narrowed]))), 120)
    told = Told(run.state, account.host)
    return Alerts(notify, Telling(notify, told, mask, scope), heartbeat)


def tried(notify: Notify, name: str, mask: Callable[[str], str]) -> dict[str, str]:
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


def _in_short(account: Account, status: int) -> str:
    """Return what a run came to for whoever takes pings: numbers and ids, no word of a host."""
    rows = account.findings()
    ill = sorted((r.severity.value, r.id) for r in rows if r.outcome is Outcome.ILL)
    counts = Counter(row.outcome.value.replace("_", " ") for row in rows)
    held = bool(ill) and ill[0][0] <= account.fail_on.value
    unwritten = account.unwritten and not account.strangers
    said = meaning(status, account.fail_on, held=held, unwritten=unwritten)
    lines = [f"{harmless(account.name)}: {said} (exit status {status})"]
    lines.append(", ".join(f"{count} {word}" for word, count in counts.most_common()))
    lines += [f"{severity} {name}" for severity, name in ill[:_NAMED]]
    return "\n".join(lines)
