"""Tells receivers what is news to them, beside the run: the run waits at its end, and not for long.

What a receiver took is written down only then; what could not be sent is news in the next run, or
in a watch after a while, and the while grows.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import partial

from plugins.alerts import message
from plugins.alerts.news import News, news, of_run
from plugins.alerts.sending import Sending
from plugins.alerts.settings import Notify, Target
from plugins.alerts.told import Told
from plugins.alerts.turn import Turn
from plugins.alerts.urls import url_in
from plugins.alerts.windows import is_told
from plugins.report.account import Account

_AGAIN_S, _AGAIN_AT_MOST_S = 15.0, 900.0
_LOOKED_S = 5.0  # between two looks of a quiet watch whether a reminder, or a window, is over


@dataclass
class Telling:
    """The alerts of one session.

    Args:
        notify: who is told what.
        told: what they know.
        mask: takes secrets out of what went wrong.
        scope: what the runs look at, in a few words; "" for all there is.
    """

    notify: Notify
    told: Told
    mask: Callable[[str], str]
    scope: str = ""
    _turn: Turn = field(init=False)
    _sending: Sending | None = None
    _news: dict[str, News] = field(default_factory=dict)
    _again: dict[str, tuple[float, float]] = field(default_factory=dict)
    _failed: set[str] = field(default_factory=set)
    _kept: set[str] = field(default_factory=set)
    _looked: float = 0.0
    _complained: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begin without the turn."""
        self._turn = Turn(self.told.folder, self.told.host, 2 * self.notify.deadline_s)

    def go_on(self, account: Account, status: int, *, changed: bool = True) -> list[str]:
        """Begin to tell what is news, unless something is on its way; nothing is waited for.

        Args:
            account: what the run knows so far.
            status: the exit status that goes with it.
            changed: whether it may know more than the last time.

        Returns:
            Sentences on what has come of the telling before.
        """
        said = list(self._complaint())
        if self._sending is not None:
            if not self._sending.ended:
                self._keep(self._sending.taken())
                return said
            said += self._settle(0.0)
            changed = True
        now = time.monotonic()
        if changed or now - self._looked >= _LOOKED_S:
            due = [t for t in self.notify.targets if self._may(t, now)]
            begun = self._begin(account, status, due, self.notify.deadline_s)
            self._looked = now if begun else -_LOOKED_S
        return said

    def finish(self, account: Account, status: int) -> list[str]:
        """Tell what is news yet, wait for it, and return sentences on what has come of it."""
        ends = time.monotonic() + self.notify.deadline_s
        said = list(self._settle(None))
        left = ends - time.monotonic()
        if left > 0:
            # What was on its way may have begun before the last round; what just failed has had
            # its tries.
            again = [t for t in self.notify.targets if t.variable not in self._failed]
            if not self._begin(account, status, again, left):
                self._turn.awaited(left / 2)
                self._begin(account, status, again, ends - time.monotonic(), alone=True)
            said += self._settle(None)
        return said

    def _may(self, target: Target, now: float) -> bool:
        return self._again.get(target.variable, (0.0, 0.0))[0] <= now

    def _begin(
        self,
        account: Account,
        status: int,
        targets: Sequence[Target],
        seconds: float,
        *,
        alone: bool = False,
    ) -> bool:
        """Begin to tell; False where another run is telling, which may be the same.

        Args:
            account: what the run knows so far.
            status: the exit status that goes with it.
            targets: who is told.
            seconds: for all of it.
            alone: nobody else is waited for.
        """
        found, now = self._found(account, status, targets)
        if any(one.pieces for one in found.values()):
            if not (self._turn.taken() or alone):
                return False
            # The one before us may have told it.
            found, now = self._found(account, status, targets)
        self._news = {name: one for name, one in found.items() if one.pieces}
        quiet = {n: one.after for n, one in found.items() if one.after and not one.pieces}
        if quiet:
            self.told.keep(quiet)
        if not self._news:
            self._turn.over()
            return True
        orders = [
            message.order(name, account.name, one, now, self.told.complaint)
            for name, one in self._news.items()
        ]
        self._sending = Sending(orders, seconds, self.mask)
        return True

    def _found(
        self, account: Account, status: int, targets: Sequence[Target]
    ) -> tuple[dict[str, News], datetime.datetime]:
        """Return what is news to each target, by its variable, and at which moment."""
        now = datetime.datetime.now().astimezone()
        self.told.renew()
        came = of_run(account, status, self.scope)
        allowed, hours = partial(is_told, self.notify.windows, now), self.notify.remind_hours
        known = [(one, self.told.by(one.variable)) for one in targets if url_in(one.variable)]
        found = {
            target.variable: news(came, before, target.severity, allowed, now, hours)
            for target, before in known
        }
        return found, now

    def _settle(self, wait: float | None) -> Iterator[str]:
        """Wait for what is on its way, write down what was taken, and tell what came of it."""
        sending, self._sending = self._sending, None
        if sending is None:
            return
        outcome = sending.outcome(wait, self._keep)
        outcome |= dict.fromkeys(self._kept & outcome.keys(), "")
        self._failed = {name for name, why in outcome.items() if why}
        self._keep(outcome.keys() - self._failed)
        pending, self._news, self._kept = self._news, {}, set()
        self._turn.over()
        for name, why in outcome.items():
            if not why:
                self._again.pop(name, None)
                yield f"told by {name}: {message.tally(pending[name])}"
                continue
            _, waited = self._again.get(name, (0.0, _AGAIN_S / 2))
            waited = min(2 * waited, _AGAIN_AT_MOST_S)
            self._again[name] = (time.monotonic() + waited, waited)
            yield f"not told by {name}: {message.tally(pending[name])}: {why}; it is tried again"
        yield from self._complaint()

    def _keep(self, taken: Set[str]) -> None:
        """Write down at once what was taken: we may be ended while somebody else hangs."""
        anew = {name for name in taken - self._kept if name in self._news}
        if anew:
            self._kept |= anew
            self.told.keep({name: self._news[name].after for name in anew})

    def _complaint(self) -> Iterator[str]:
        """Give what cannot be kept, or was lost; each once."""
        if self.told.complaint and self.told.complaint not in self._complained:
            self._complained.add(self.told.complaint)
            yield self.told.complaint
