"""What is news to a receiver: what changed against what it was told."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from plugins.alerts.message import order, tally
from plugins.alerts.news import News, news, of_run
from plugins.alerts.told import Entry, merge
from plugins.finding import Finding, Fix, Outcome, Severity
from plugins.past import Past
from plugins.report.account import Account
from plugins.tests.reporting import finding

NOW = datetime.datetime(2026, 11, 28, 12, 0, tzinfo=datetime.UTC)
ILL = finding("a")
WELL = finding("a", Outcome.HEALTHY)
FLAPPING = Past(flapping=True)


def of(
    rows: Sequence[Finding],
    before: Mapping[str, Entry] | None = None,
    *,
    line: Severity = Severity.P1,
    hours: float = 24.0,
    now: datetime.datetime = NOW,
    status: int = 1,
    required: tuple[str, ...] = (),
) -> News:
    """Return the news of a run that came to some findings."""
    account = Account(required=frozenset(required))
    account.reported |= {f"{number}": row for number, row in enumerate(rows)}
    return news(of_run(account, status), before or {}, line, lambda _: True, now, hours)


def told(rows: Sequence[Finding], **more: str) -> dict[str, Entry]:
    """Return what a receiver knows that was told of some findings."""
    known: dict[str, dict[str, Entry]] = {"": {}}
    merge(known, {"": of(rows).after})
    return {name: replace(entry, **more) for name, entry in known[""].items()}  # type: ignore[arg-type]


def kinds(found: News) -> dict[str, str]:
    """Return the kind of each piece by the id of its check."""
    return {piece.finding.id: piece.kind for piece in found.pieces}


@pytest.mark.parametrize(
    ("before", "now", "kind"),
    [
        ([], ILL, "new"),
        ([], WELL, None),
        ([], finding("a", severity=Severity.P2), None),
        ([], finding("a", Outcome.CANNOT_TELL), "untold"),
        ([], finding("a", Outcome.NOT_RUN), "untold"),
        ([], finding("a", Outcome.SILENCED), None),
        ([], finding("a", Outcome.ABSENT), None),
        ([], finding("a", Outcome.FIXED), None),
        ([ILL], ILL, None),
        ([ILL], WELL, "fixed"),
        ([ILL], finding("a", Outcome.FIXED), "fixed"),
        ([ILL], finding("a", Outcome.ABSENT), "fixed"),
        ([ILL], finding("a", Outcome.SILENCED), None),
        ([ILL], finding("a", Outcome.CANNOT_TELL), "untold"),
        ([ILL], finding("a", severity=Severity.P0), "worse"),
        ([ILL], finding("a", severity=Severity.P2), None),
        ([finding("a", Outcome.CANNOT_TELL)], ILL, "new"),
        ([finding("a", Outcome.CANNOT_TELL)], WELL, "fixed"),
        ([finding("a", Outcome.CANNOT_TELL)], finding("a", Outcome.NOT_RUN), None),
    ],
)
def test_only_changes_are_told(before: list[Finding], now: Finding, kind: str | None) -> None:
    assert kinds(of([now], told(before))).get("box.a") == kind


def test_what_was_not_looked_at_stays_as_it_was_told() -> None:
    assert of([finding("b", Outcome.HEALTHY)], told([ILL])).after == {}


def test_a_flapping_check_is_told_once() -> None:
    ill, well = replace(ILL, past=FLAPPING), replace(WELL, past=FLAPPING)
    known = told([ill])
    assert kinds(of([ill])) == {"box.a": "flapping"}
    assert of([well], known).pieces == of([ill], known).pieces == ()
    later = NOW + datetime.timedelta(days=9)
    assert of([ill], known, now=later).pieces == ()
    # Told as ill before it began to flap: that it flaps is news, once.
    assert kinds(of([well], told([ILL]))) == {"box.a": "flapping"}
    # Steady again: that it is well is news, that it is still ill is none.
    assert kinds(of([WELL], known)) == {"box.a": "fixed"}
    assert of([ILL], known).pieces == ()
    calm = of([ILL], known).after["box.a"]
    assert calm is not None
    assert not calm.flapping
    assert of([well]).pieces == ()


@pytest.mark.parametrize(
    ("last", "kind"),
    [(WELL, "new"), (finding("a", Outcome.CANNOT_TELL), "new"), (ILL, None)],
)
def test_what_was_told_to_flap_when_it_was_not_ill_and_then_stays_ill_is_told(
    last: Finding, kind: str | None
) -> None:
    known = {"": told([ILL])}
    merge(known, {"": of([replace(last, past=FLAPPING)], known[""]).after})
    assert known[""]["box.a"].flapping
    steady = of([ILL], known[""], hours=0)
    assert kinds(steady).get("box.a") == kind
    merge(known, {"": steady.after})
    assert of([ILL], known[""], hours=0).pieces == ()
    assert kinds(of([WELL], known[""], hours=0)) == {"box.a": "fixed"}


def test_what_goes_to_and_fro_within_a_day_is_told_to_flap_without_a_history_too() -> None:
    cannot, known = finding("a", Outcome.CANNOT_TELL), {"": dict[str, Entry]()}
    seen: list[str] = []
    minute = datetime.timedelta(minutes=1)
    for number in range(9):
        row = WELL if number % 2 else cannot
        found = of([row], known[""], now=NOW + number * minute)
        seen += kinds(found).values()
        merge(known, {"": found.after})
    assert seen == ["untold", "fixed", "untold", "fixed", "flapping"]
    later = NOW + datetime.timedelta(days=1, minutes=9)
    assert kinds(of([WELL], known[""], now=later)) == {"box.a": "fixed"}
    assert of([cannot], known[""], now=later).pieces == ()
    # What was told to be well again is forgotten after a day.
    known = {"": told([ILL])}
    merge(known, {"": of([WELL], known[""]).after})
    assert known[""]["box.a"].state == "well"
    assert of([WELL], known[""], now=later).after == {"box.a": None}


def test_what_is_still_ill_is_told_again_after_a_while() -> None:
    known = told([ILL, finding("b")])
    hour = datetime.timedelta(hours=1)
    both = {"box.a": "still", "box.b": "still"}
    assert of([ILL, finding("b")], known, now=NOW + 23 * hour).pieces == ()
    again = of([ILL, finding("b")], known, now=NOW + 24 * hour)
    assert kinds(again) == both
    known |= {name: entry for name, entry in again.after.items() if entry}
    assert of([ILL, finding("b")], known, now=NOW + 47 * hour).pieces == ()
    assert of([ILL], known, now=NOW + 900 * hour, hours=0).pieces == ()
    # A clock that was put back by a year, or a moment that is none, does not silence it.
    assert kinds(of([ILL], known, now=NOW - 9000 * hour)) == {"box.a": "still"}
    assert kinds(of([ILL], told([ILL], told="tomorrow"))) == {"box.a": "still"}


def test_what_fell_into_a_window_is_told_after_it() -> None:
    account = Account()
    account.reported["a"] = ILL
    came = of_run(account, 1)
    within = news(came, {}, Severity.P1, lambda level: level >= Severity.P0, NOW, 24.0)
    assert (within.pieces, within.after) == ((), {})
    account.reported["a"] = finding("a", severity=Severity.P0)
    came = of_run(account, 10)
    urgent = news(came, {}, Severity.P1, lambda level: level >= Severity.P0, NOW, 24.0)
    assert kinds(urgent) == {"box.a": "new"}
    assert kinds(of([ILL], within.after)) == {"box.a": "new"}  # type: ignore[arg-type]


@pytest.mark.parametrize(("status", "told_of"), [(3, True), (4, True), (5, True), (2, False)])
def test_a_run_that_broke_is_told_once_and_one_that_was_interrupted_is_not(
    status: int, told_of: bool
) -> None:
    rows = [finding("b", Outcome.NOT_RUN)] if status == 2 else []
    found = of(rows, status=status)
    assert kinds(found) == ({"run": "untold"} if told_of else {})
    known = {name: entry for name, entry in found.after.items() if entry}
    assert of(rows, known, status=status).pieces == ()
    if told_of:
        assert kinds(of([WELL], known, status=0)) == {"run": "fixed"}


def test_a_run_over_something_else_does_not_mend_a_broken_one() -> None:
    account = Account()
    assert "run of dgmo" in of_run(account, 5, "dgmo")
    known = {"run of dgmo": Entry("untold", "P1", NOW.isoformat())}
    assert of([WELL], known, status=0).after == {}


def test_what_a_narrow_run_left_aside_stays_as_it_was_told_though_it_is_required() -> None:
    account = Account(required=frozenset({"box.a"}))
    account.reported["b"] = finding("b", Outcome.HEALTHY)
    came = of_run(account, 11, "dgmo -k b")
    assert "box.a" not in came
    assert came["run of dgmo -k b"].evidence == ("box.a",)
    assert came["run of dgmo -k b"].outcome is Outcome.CANNOT_TELL
    account.reported["a"] = finding("a", Outcome.HEALTHY)
    assert of_run(account, 0, "dgmo -k b")["run of dgmo -k b"].outcome is Outcome.HEALTHY


def test_a_host_that_is_gone_is_one_piece_of_the_message_and_a_root_stands_for_what_it_blocks() -> (
    None
):
    gone = [finding(f"c{n}", Outcome.CANNOT_TELL, message="ssh: no route") for n in range(30)]
    under = finding("d", Outcome.BLOCKED, blocked_by="box.c1")
    alone = finding("e", Outcome.BLOCKED, blocked_by="box.elsewhere")
    found = of([*gone, under, alone], status=11)
    assert len(found.pieces) == 31
    assert "box.d" not in kinds(found)
    blocks = order("V", "vm", found, NOW).blocks
    assert len(blocks) == 3
    assert "and 18 more\nssh: no route" in blocks[0]


def test_of_hundreds_of_findings_the_first_are_told_whole_and_all_are_counted() -> None:
    many = [finding(f"c{number:03}", message="it is so") for number in range(400)]
    blocks = order("V", "vm", of(many), NOW).blocks
    assert len(blocks) == 401
    assert "it is so" in blocks[0]
    assert blocks[399] == "P1 new: box.c399"


def test_a_root_that_is_less_severe_does_not_stand_for_what_it_blocks() -> None:
    root = finding("a", severity=Severity.P2)
    under = finding("b", Outcome.BLOCKED, severity=Severity.P0, blocked_by="box.a")
    assert kinds(of([root, under])) == {"box.b": "untold"}
    accepted = finding("a", Outcome.SILENCED, severity=Severity.P2)
    assert of([accepted, under]).pieces == ()


def test_a_required_check_that_is_absent_is_told() -> None:
    absent = finding("a", Outcome.ABSENT, message="looked in ~")
    found = of([absent], required=("box.a", "box.nowhere"), status=11)
    assert kinds(found) == {"box.a": "untold", "box.nowhere": "untold"}
    blocks = "\n".join(order("V", "vm", found, NOW).blocks)
    assert "it is required, and did not judge: absent, looked in ~" in blocks


def test_the_message_says_what_and_since_when_and_what_to_do() -> None:
    past = Past(change="new", since="2026-11-28T09:15:00+00:00")
    ill = replace(ILL, past=past, evidence=("one", "two", "three"), severity=Severity.P0)
    cured = finding("z", Outcome.FIXED, fix=Fix("taken", run="20261128T1"))
    found = of([ill, finding("y", Outcome.HEALTHY), cured], told([finding("y"), finding("z")]))
    assert tally(found) == "1 new (P0 1), 2 fixed"
    made = order("V", "vm", found, NOW, "a note")
    assert made.title == "vm: 1 new (P0 1), 2 fixed"
    assert made.kind == "failure"
    assert made.blocks == (
        (
            "P0 new: box.a (since 2026-11-28 09:15)\nit answered with 500\n- one\n- two\n"
            "- and 1 more\nWhat to do: Run `systemctl restart it`."
        ),
        "cured: box.z\nUndo: pytest healthchecks/ --undo 20261128T1",
        "fixed: box.y",
        "looked at 2026-11-28 12:00 UTC; a note",
    )
    assert order("V", "vm", of([WELL], told([ILL])), NOW).kind == "success"
    later = NOW + datetime.timedelta(days=2)
    assert order("V", "vm", of([ILL], told([ILL]), now=later), later).kind == "warning"


def test_nothing_that_a_host_says_acts_in_what_shows_it() -> None:
    links = "[x](https://evil.example) ![](//evil.example)"
    said = f"@everyone <!channel> <@U1> {links} ```\n# big `x` \x1b[31m\u202e"
    ill = finding("a", message=said, evidence=(said,))
    made = order("V", "@here", of([ill]), NOW)
    text = made.title + "\n".join(made.blocks).replace(ill.hint, "")
    assert not {"@", "<", ">", "`", "\x1b", "\u202e"} & set(text)
    assert "://" not in text
    assert "](" not in text
    assert "\n#" not in text
    assert "\uff20everyone \u2039!channel\u203a" in text


def test_no_part_of_a_finding_brings_a_secret_into_a_message() -> None:
    secret = "ghp_" + "a1B2" * 9
    ill = finding("a", message=secret, evidence=(secret,), hint=f"Run `login {secret}`.")
    assert secret not in "".join(order("V", secret, of([ill]), NOW).blocks)
