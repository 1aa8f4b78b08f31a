"""The provider behind the server can be reached, and answers soon."""

from __future__ import annotations

from healthchecks.portagent.probes_provider import Pace, Reach
from healthchecks.portagent.world import World
from plugins import P1, P2, check, fault, healthy, listed


@check(
    P1,
    guide="PT20",
    hint="""Follow the stage that is named. DNS: `getent hosts api.anthropic.com` and
    /etc/resolv.conf. TCP: a firewall, or the proxy's address. proxy: HTTPS_PROXY's name and
    password, and what it lets through. TLS: the clock, or an inspecting proxy, whose authority the
    server is told by NODE_EXTRA_CA_CERTS. HTTP: the provider's status page, or the sign-in page
    of this network. By hand: `curl -I https://api.anthropic.com`.""",
)
def test_the_provider_can_be_reached(provider_reach: Reach) -> None:
    """The provider can be reached.

    The server itself stays up and says that it is well; only messages to agents get no answer.
    It is asked once, on the way that the server goes, its proxy variables and all.
    """
    reach = provider_reach
    assert not reach.trouble, listed(f"{reach.url}, {reach.way}", (reach.trouble,))


@check(
    P2,
    guide="PT20",
    hint="""Time the stages by hand:
    `curl -so /dev/null -w '%{time_namelookup} %{time_connect} %{time_appconnect} %{time_total}\\n'
    https://api.anthropic.com`. A slow first figure is DNS, a slow second the network or the
    proxy.""",
)
def test_the_provider_answers_soon(provider_pace: Pace) -> None:
    """The provider answers soon.

    Each step of an agent waits for it at least once. The 95th percentile of the looks of the last
    week is judged, so that one slow answer among many is no finding.
    """
    slowest = provider_pace.slowest
    assert slowest.value <= (slowest.limit or 0), (
        f"{slowest.name} is {slowest}, over {provider_pace.looks} looks"
    )


@healthy(test_the_provider_can_be_reached)
@healthy(test_the_provider_answers_soon)
def over_tls(world: World) -> None:
    """An API that answers 401 without a key is reached, and quick."""
    world.outside.provider()


@healthy(test_the_provider_can_be_reached)
def through_a_proxy(world: World) -> None:
    """The proxy of the server's environment lets through."""
    world.outside.provider()
    world.outside.way_out()


@healthy(test_the_provider_can_be_reached)
def past_a_proxy(world: World) -> None:
    """NO_PROXY spares the provider a proxy that would hang."""
    world.outside.provider()
    world.outside.way_out("hangs")
    world.outside.given(NO_PROXY="internal.example,localhost")


@healthy(test_the_provider_can_be_reached)
def a_gateway(world: World) -> None:
    """A gateway on this machine, in plain HTTP, that lists no models."""
    world.outside.provider("elsewhere", seal="")


@fault(test_the_provider_can_be_reached)
def no_such_name(world: World) -> None:
    """DNS: the name does not resolve."""
    world.change(provider_url="https://api.provider.invalid")


@fault(test_the_provider_can_be_reached)
def nobody_listens(world: World) -> None:
    """TCP: refused."""
    world.change(provider_url="https://127.0.0.1:9")


@fault(test_the_provider_can_be_reached)
def a_black_hole(world: World) -> None:
    """TCP: no answer at all, as from a firewall that drops."""
    world.outside.black_hole()


@fault(test_the_provider_can_be_reached)
def of_an_unknown_authority(world: World) -> None:
    """TLS: a self-signed certificate."""
    world.outside.provider(seal="unknown")


@fault(test_the_provider_can_be_reached)
def expired(world: World) -> None:
    """TLS: a certificate that has ended."""
    world.outside.provider(seal="expired")


@fault(test_the_provider_can_be_reached)
def of_another_name(world: World) -> None:
    """TLS: a certificate for somebody else."""
    world.outside.provider(seal="of_another")


@fault(test_the_provider_can_be_reached)
def plain_text(world: World) -> None:
    """TLS: plain HTTP where TLS is expected."""
    world.outside.provider("plain")


@fault(test_the_provider_can_be_reached)
def silent_under_tls(world: World) -> None:
    """TLS: the connection is taken, and nothing follows."""
    world.outside.provider("hanging", seal="none")


@fault(test_the_provider_can_be_reached)
def silent_over_tls(world: World) -> None:
    """HTTP: TLS is spoken, and nothing follows."""
    world.outside.provider("hanging")


@fault(test_the_provider_can_be_reached)
def dripping(world: World) -> None:
    """HTTP: a byte now and then."""
    world.outside.provider("dripping")


@fault(test_the_provider_can_be_reached)
def broken(world: World) -> None:
    """HTTP: 500."""
    world.outside.provider("broken")


@fault(test_the_provider_can_be_reached)
def limiting(world: World) -> None:
    """HTTP: 429."""
    world.outside.provider("limiting")


@fault(test_the_provider_can_be_reached)
def a_captive_portal(world: World) -> None:
    """HTTP: the page of a hotel in the provider's place."""
    world.outside.provider("portal", seal="")


@fault(test_the_provider_can_be_reached)
def sent_to_a_captive_portal(world: World) -> None:
    """HTTP: a redirect to such a page."""
    world.outside.provider("sending_away", seal="")


@fault(test_the_provider_can_be_reached)
def a_proxy_that_is_gone(world: World) -> None:
    """TCP: nobody listens at the proxy's address."""
    world.outside.provider()
    world.outside.given(HTTPS_PROXY="http://127.0.0.1:9")


@fault(test_the_provider_can_be_reached)
def a_proxy_that_asks(world: World) -> None:
    """proxy: 407, its name and password are not right."""
    world.outside.provider()
    world.outside.way_out("asks_who", user="agent:proxy-password-1")


@fault(test_the_provider_can_be_reached)
def a_proxy_that_forbids(world: World) -> None:
    """proxy: CONNECT is refused."""
    world.outside.provider()
    world.outside.way_out("forbids")


@fault(test_the_provider_can_be_reached)
def a_proxy_that_hangs(world: World) -> None:
    """proxy: CONNECT is not answered."""
    world.outside.provider()
    world.outside.way_out("hangs")


@fault(test_the_provider_can_be_reached)
def a_proxy_of_another_kind(world: World) -> None:
    """proxy: what it does not speak."""
    world.outside.provider()
    world.outside.given(HTTPS_PROXY="socks5://127.0.0.1:1080")


@fault(test_the_provider_can_be_reached)
def a_proxy_that_is_no_url(world: World) -> None:
    """proxy: a slip in the variable."""
    world.outside.provider()
    world.outside.given(HTTPS_PROXY="http://:8080")


@fault(test_the_provider_can_be_reached)
def no_url(world: World) -> None:
    """URL: what LLM_PROVIDER_URL says is none."""
    world.change(provider_url="api.anthropic.com")


@fault(test_the_provider_answers_soon)
def slow(world: World) -> None:
    """An answer after 400 ms where 200 are allowed."""
    world.outside.provider("slow")
    world.change(provider_ms=200.0)


@fault(test_the_provider_answers_soon, becomes="blocked")
def gone(world: World) -> None:
    """A provider that does not answer is not slow."""
    nobody_listens(world)


@fault(test_the_provider_can_be_reached, becomes="absent", generation=2)
@fault(test_the_provider_answers_soon, becomes="absent", generation=2)
def of_the_second_generation(world: World) -> None:
    """It keeps its provider in its database."""
    world.server.start()
