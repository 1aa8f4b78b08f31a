"""The provider takes the key, where it may be asked."""

from __future__ import annotations

from healthchecks.portagent.probes_provider import KeyTaken
from healthchecks.portagent.world import World
from plugins import P0, check, fault, healthy

KEY = "sk-ant-api03-of-this-world-0123456789"


@check(
    P0,
    guide="PT04",
    hint="""Take a key that works from the provider's console, put it into what is named, and
    restart the server. By hand, without the key on the command line: `printf 'x-api-key: %s'
    "$LLM_PROVIDER_KEY" | curl -H @- -H 'anthropic-version: 2023-06-01'
    https://api.anthropic.com/v1/models`.""",
)
def test_the_provider_takes_its_key(provider_key: KeyTaken) -> None:
    """The provider takes its key.

    The server looks at no more than whether it has one: with a key that was revoked or mistyped it
    starts, says that it is well, and fails at the first message. This is asked with
    `provider_ask = true` or --deep only; the request lists models and costs nothing.
    """
    taken = provider_key
    assert taken.status == 200, f"the key of {taken.source} is refused (HTTP {taken.status})"


@healthy(test_the_provider_takes_its_key)
def with_the_right_key(world: World) -> None:
    """The provider lists its models."""
    world.outside.provider(takes=KEY)
    world.outside.given(LLM_PROVIDER_KEY=KEY)
    world.change(provider_ask=True)


@fault(test_the_provider_takes_its_key)
def with_a_revoked_key(world: World) -> None:
    """401: the provider takes another key."""
    world.outside.provider(takes="sk-ant-api03-another")
    world.outside.given(LLM_PROVIDER_KEY=KEY)
    world.change(provider_ask=True)


@fault(test_the_provider_takes_its_key)
def with_a_key_that_may_not(world: World) -> None:
    """403: the key's organisation may not."""
    world.outside.provider("forbidding")
    world.outside.given(LLM_PROVIDER_KEY=KEY)
    world.change(provider_ask=True)


@fault(test_the_provider_takes_its_key, becomes="blocked")
def without_a_key(world: World) -> None:
    """There is none to ask about: another check says so."""
    world.outside.provider()
    world.change(provider_ask=True)


@fault(test_the_provider_takes_its_key, becomes="blocked")
def unreachable(world: World) -> None:
    """Who cannot be reached cannot refuse a key."""
    world.outside.given(LLM_PROVIDER_KEY=KEY)
    world.change(provider_ask=True, provider_url="https://127.0.0.1:9")


@fault(test_the_provider_takes_its_key, becomes="cannot_tell")
def a_gateway_without_models(world: World) -> None:
    """A gateway's 404 says nothing of the key."""
    world.outside.provider("elsewhere")
    world.outside.given(LLM_PROVIDER_KEY=KEY)
    world.change(provider_ask=True)


@fault(test_the_provider_takes_its_key, becomes="absent")
def not_asked(world: World) -> None:
    """Nobody wants it asked."""
    world.outside.provider()
    world.outside.given(LLM_PROVIDER_KEY=KEY)


@fault(test_the_provider_takes_its_key, becomes="absent", generation=2)
def of_the_second_generation(world: World) -> None:
    """It keeps its provider and its key in its database."""
    world.change(provider_ask=True)
    world.server.start()
