"""The clock: whether it is right, where it is, and what was dated by a wrong one."""

from __future__ import annotations

from plugins import P2, Measure, check, fault, healthy, listed

from .probes_names import Zone
from .probes_space import Dated
from .world import World


@check(
    P2,
    guide="H06",
    hint="Run `timedatectl status` to see whether a time service runs, and switch one on with "
    "`timedatectl set-ntp true` (as root; where that says that NTP is not supported, first "
    "`apt-get install systemd-timesyncd`); without systemd, install and start chrony. In a "
    "container the clock is the outer machine's: mend it there.",
)
def test_the_clock_is_synchronised(clock_error: Measure) -> None:
    """The clock is kept right by a time service.

    Logins expire, certificates begin and backups count as fresh by this clock; the kernel's
    reckoned error grows to 16 s when no service disciplines it.
    """
    assert clock_error.value < (clock_error.limit or 16), (
        f"no time service keeps the clock: it may be off by {clock_error.value:g} s or more"
    )


@healthy(test_the_clock_is_synchronised)
def within_what_is_asked_for(world: World) -> None:
    world.change(clock_error_s=17.0)


@fault(test_the_clock_is_synchronised)
def worse_than_asked_for(world: World) -> None:
    world.change(clock_error_s=1e-9)


@check(
    P2,
    guide="H06",
    hint="Run `timedatectl list-timezones`, then `timedatectl set-timezone <zone>` (as root); "
    "without systemd, `ln -sf /usr/share/zoneinfo/<zone> /etc/localtime`, with the package "
    "tzdata installed.",
)
def test_the_time_zone_is_known(zone: Zone) -> None:
    """The time zone is known.

    Logs without an offset are read by it; a broken zone file silently turns local time into UTC.
    """
    assert not zone.trouble, f"{zone.file} {zone.trouble}"


@healthy(test_the_time_zone_is_known)
def a_zone(world: World) -> None:
    world.zone(b"TZif2" + bytes(39))


@healthy(test_the_time_zone_is_known)
def no_zone_is_utc(world: World) -> None:
    world.change(zone_file=world.nothing)


@fault(test_the_time_zone_is_known)
def a_zone_that_leads_nowhere(world: World) -> None:
    world.zone(None)


@fault(test_the_time_zone_is_known)
def rubbish_for_a_zone(world: World) -> None:
    world.zone(b"Europe/Paris\n")


@check(
    P2,
    guide="H06",
    hint="Set the clock right first (`timedatectl status`), then run `touch <file>` on each file "
    "that is listed, or copy it anew: tools that look for what is new skip or repeat it "
    "until then.",
)
def test_no_file_is_dated_in_the_future(future_files: tuple[Dated, ...]) -> None:
    """No file of a watched system is dated in the future.

    Such a file was written under a wrong clock; it counts as the newest backup for as long as it
    lies ahead.
    """
    assert not future_files, listed("files dated in the future", future_files)


@healthy(test_no_file_is_dated_in_the_future)
def dated_in_the_past(world: World) -> None:
    world.dated(hours_ahead=-5)


@fault(test_no_file_is_dated_in_the_future)
def dated_tomorrow(world: World) -> None:
    world.dated(hours_ahead=24)


@fault(test_no_file_is_dated_in_the_future)
def dated_in_another_age(world: World) -> None:
    world.dated(hours_ahead=24 * 365 * 200)
