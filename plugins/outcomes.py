"""What a look may end in when it did not end in a fact.

A probe or an endpoint raises one of these; it never returns a stand-in value. The plugin turns them
into the outcomes that a person reads: absent, blocked, cannot tell.
"""

from __future__ import annotations


class NoFact(Exception):  # noqa: N818 - it is no error of the checker; it is what was met
    """The look gave no fact; the message says why in one sentence."""


class Absent(NoFact):
    """The thing is not on this host.

    Args:
        what: what was looked for, in a few words.
        looked_in: every place that was looked at, in the order of looking.
    """

    def __init__(self, what: str, looked_in: tuple[str, ...] = ()) -> None:
        self.what = what
        self.looked_in = tuple(place for place in looked_in if place)
        places = f" (looked in {', '.join(self.looked_in)})" if self.looked_in else ""
        super().__init__(f"{what}{places}")


class Blocked(NoFact):
    """Another finding is the root cause; this one is shown under it and not counted again.

    Args:
        by: the id of the check that owns the root cause, such as `pocket_agent.the_server_runs`.
        why: one sentence.
    """

    def __init__(self, by: str, why: str = "") -> None:
        self.by = by
        super().__init__(why or f"blocked by {by}")


class CannotTell(NoFact):
    """We could not look: never a pass, and never silence.

    Attributes:
        stage: how far a request over the network got, such as "TLS"; "" elsewhere.
    """

    stage: str = ""


class NotThere(CannotTell):
    """The file, unit, container or URL that was asked for does not exist."""


class Refused(CannotTell):
    """The other side answered at once, with a no (connection refused, HTTP 429)."""


class TimedOut(CannotTell):
    """Our own limit passed before the other side answered.

    Args:
        what: what was asked, in a few words.
        limit: our limit in seconds; the message says that it is ours.
    """

    def __init__(self, what: str, limit: float) -> None:
        self.limit = limit
        super().__init__(f"{what}: no answer in time (our limit of {limit:g} s)")


class NoPermission(CannotTell):
    """We may not look; the message names what and, where it is known, who may."""


class ToolMissing(CannotTell):
    """A program that the look needs is not installed on the host."""


class WrongKind(CannotTell):
    """Something else stands where a file, folder or server was expected (FIFO, loop, rubbish)."""


class TooBig(CannotTell):
    """The thing is larger than what we are ready to take in.

    Args:
        what: what was read.
        limit: our limit in bytes.
    """

    def __init__(self, what: str, limit: int) -> None:
        self.limit = limit
        super().__init__(f"{what}: larger than our limit of {limit} bytes")
