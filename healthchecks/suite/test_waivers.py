"""Waivers are kept in order: a waiver that nobody looks after hides an illness."""

from __future__ import annotations

from healthchecks.suite.conftest import NamedWaiver
from healthchecks.suite.world import World
from plugins import P2, P3, check, fault, healthy, listed


@check(P2, guide="SU01", hint="Cure the finding, or set a later `until` in [waivers] of the file.")
def test_no_waiver_has_expired(expired_waivers: tuple[NamedWaiver, ...]) -> None:
    """No waiver has expired.

    A waiver accepts a known state until a date; after it the finding counts again.
    """
    assert not expired_waivers, listed("waivers that have expired", expired_waivers)


@healthy(test_no_waiver_has_expired)
def in_force(world: World) -> None:
    world.waive("host.names_resolve", days=200)


@fault(test_no_waiver_has_expired)
def over(world: World) -> None:
    world.waive("host.names_resolve", days=-1)


@check(P3, guide="SU02", hint="Ask its owner; cure the finding or set a later `until` in the file.")
def test_no_waiver_ends_soon(ending_waivers: tuple[NamedWaiver, ...]) -> None:
    """No waiver ends soon.

    When it ends, the finding fails the run again: better to decide before.
    """
    assert not ending_waivers, listed("waivers that end soon", ending_waivers)


@healthy(test_no_waiver_ends_soon)
def far_off(world: World) -> None:
    world.waive("host.names_resolve", days=200)


@fault(test_no_waiver_ends_soon)
def next_week(world: World) -> None:
    world.waive("host.names_resolve", days=7)


@check(P3, guide="SU03", hint="Take the waiver out of the [waivers] tables of the systems file.")
def test_every_waiver_is_used(unused_waivers: tuple[NamedWaiver, ...]) -> None:
    """Every waiver is used.

    A waiver of a healthy check will hide the next illness of it.
    """
    assert not unused_waivers, listed("waivers that silence nothing", unused_waivers)


@healthy(test_every_waiver_is_used)
def of_an_ill_check(world: World) -> None:
    world.waive("host.names_resolve", days=200)
    world.verdict("host.names_resolve", "silenced")


@fault(test_every_waiver_is_used)
def of_a_healthy_check(world: World) -> None:
    world.waive("host.names_resolve", days=200)
    world.verdict("host.names_resolve", "healthy")


@check(P2, guide="SU04", hint="Write the id as `pytest healthchecks/ --list-checks` prints it.")
def test_every_named_check_exists(misspelt_ids: tuple[str, ...]) -> None:
    """Every check that a waiver, a requirement or the command line names exists.

    A misspelt waiver silences nothing, and a misspelt requirement is never met.
    """
    assert not misspelt_ids, listed("ids that no check has", misspelt_ids)


@healthy(test_every_named_check_exists)
def spelt_right(world: World) -> None:
    world.waive("suite.every_waiver_is_used", days=200)


@fault(test_every_named_check_exists)
def misspelt(world: World) -> None:
    world.waive("suite.every_waver_is_used", days=200)
