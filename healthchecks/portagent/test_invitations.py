"""Invitations work as they are meant."""

from __future__ import annotations

from healthchecks.portagent.probes_invitations import Invitations
from healthchecks.portagent.world import World
from plugins import P2, check, fault, healthy, listed


@check(
    P2,
    guide="PT07",
    hint="""Say exactly INVITE_CODE_REQUIRED=true or false, for TRUE, 1 and yes mean no, and start
    it again. Start it with TZ=UTC, so that `TZ=UTC date -d 'today 00:00:01' +%s` is its code; or
    ask for today's code in its own zone: `pytest healthchecks/ --show-invite-code`.""",
)
def test_invitations_work_as_they_are_meant(invitations: Invitations) -> None:
    """Invitations work as they are meant.

    Anything but a lower-case true lets everybody register, and agents run commands. A code is one
    second after the server's own midnight: reckoned in another zone it is refused.
    """
    assert not invitations.troubles, listed(
        "invitations do not work as they are meant", invitations.troubles
    )


@healthy(test_invitations_work_as_they_are_meant)
def asked_for(world: World) -> None:
    """Codes are asked for, and the server reckons in UTC as people do."""
    world.server.start()


@healthy(test_invitations_work_as_they_are_meant)
def not_asked_for(world: World) -> None:
    """Nobody needs a code, as is meant; the zone does not matter then."""
    world.server.environment |= {"INVITE_CODE_REQUIRED": "false", "TZ": "Asia/Shanghai"}
    world.server.start()


@healthy(test_invitations_work_as_they_are_meant)
def with_its_defaults(world: World) -> None:
    """Nothing is set."""
    del world.server.environment["INVITE_CODE_REQUIRED"]
    world.server.start()


@healthy(test_invitations_work_as_they_are_meant)
def by_another_name_of_utc(world: World) -> None:
    """Another zone that has the time of UTC all year."""
    world.server.environment["TZ"] = "Africa/Abidjan"
    world.server.start()


@fault(test_invitations_work_as_they_are_meant)
def in_capitals(world: World) -> None:
    """TRUE means no."""
    world.server.environment["INVITE_CODE_REQUIRED"] = "TRUE"
    world.server.start()


@fault(test_invitations_work_as_they_are_meant)
def as_a_number(world: World) -> None:
    """1 means no."""
    world.server.environment["INVITE_CODE_REQUIRED"] = "1"
    world.server.start()


@fault(test_invitations_work_as_they_are_meant)
def in_another_zone(world: World) -> None:
    """The server's midnight is not that of UTC."""
    world.server.environment["TZ"] = "Asia/Shanghai"
    world.server.start()


@fault(test_invitations_work_as_they_are_meant)
def changed_and_not_restarted(world: World) -> None:
    """The file was written after the start."""
    del world.server.environment["INVITE_CODE_REQUIRED"]
    world.server.start()
    (world.server.app / ".env").write_text("INVITE_CODE_REQUIRED=true\n")


@fault(test_invitations_work_as_they_are_meant, becomes="cannot_tell")
def in_a_zone_that_is_not_known(world: World) -> None:
    """A zone of its own making."""
    world.server.environment["TZ"] = "Mars/Olympus"
    world.server.start()


@fault(test_invitations_work_as_they_are_meant, becomes="blocked")
def nothing_runs(world: World) -> None:
    """Nobody started it."""
    assert not world.server.pid


@fault(test_invitations_work_as_they_are_meant, becomes="absent", generation=2)
def of_the_second_generation(world: World) -> None:
    """Its successor keeps codes of its own, each for one person."""
    world.server.start()
