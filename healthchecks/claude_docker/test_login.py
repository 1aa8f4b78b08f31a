"""Claude can log in, today and tomorrow."""

from __future__ import annotations

import time

from healthchecks.claude_docker.logins import Access, Lifetime, Login
from healthchecks.claude_docker.system import ClaudeDocker
from healthchecks.claude_docker.world import World
from plugins import P0, P1, P2, P3, check, fault, healthy, listed

_LOG_IN = """Start `claude` on the host and type `/login`; without a browser, make a token elsewhere
    by `claude setup-token` and set CLAUDE_CODE_OAUTH_TOKEN to it. `claude auth status` tells
    whether it worked."""


@check(P0, guide="CD04", hint=_LOG_IN)
def test_claude_can_log_in(access: Access) -> None:
    """Claude can log in.

    Without a token every session ends at once with "Not logged in" or "Invalid API key".
    """
    assert access.logins, listed("no access token anywhere", (*access.without, *access.looked_in))


@check(
    P3,
    guide="CD04",
    hint="""Start `claude` on the host and type `/login`: that writes the login where Claude reads
    it. `claude auth status` tells whether it is logged in.""",
)
def test_the_login_stands_where_claude_reads_it(unread_logins: tuple[Login, ...]) -> None:
    """The login stands where today's Claude reads it.

    The guide keeps it in ~/.claude.json. Claude of today reads .credentials.json in its own folder,
    its own item of the Keychain, or a variable, and says "Not logged in" to anything else.
    """
    assert not unread_logins, listed("only the guide's scripts read these logins", unread_logins)


@check(P1, guide="CD05", hint=_LOG_IN)
def test_the_login_can_renew_itself(oauth_login: Login) -> None:
    """The login can renew itself.

    An access token lasts for hours. Without a refresh token beside it somebody has to log in anew.
    """
    assert oauth_login.renewable, f"{oauth_login} has no refresh token"


@check(P0, guide="CD06", hint=_LOG_IN)
def test_the_login_has_not_expired(login_lifetime: Lifetime) -> None:
    """The login has not expired.

    Claude renews one that has a refresh token when it is next used. One that has none, or that was
    not renewed although Claude was used since, lets nobody in any more.
    """
    assert not login_lifetime.is_over, f"the login in {login_lifetime}"


@check(P2, guide="CD06", hint=_LOG_IN)
def test_the_login_lasts_for_the_day(days_login: Lifetime, system: ClaudeDocker) -> None:
    """The login lasts for the day.

    One without a refresh token ends in the middle of the work.
    """
    lasts = days_login.left_hours >= system.settings.login_hours
    assert days_login.renewable or lasts, f"the login in {days_login}"


@check(
    P3,
    guide="CD06",
    hint="Start `claude` once and say something: it renews the login, or says that it cannot.",
)
def test_the_access_token_is_current(days_login: Lifetime) -> None:
    """The access token is current.

    It lasts for hours. Claude renews it when it is next used, as far as anybody can tell before.
    """
    current = days_login.left_hours >= 0
    assert current, f"the login in {days_login}, and waits to be renewed"


def _hours(hours: float) -> int:
    return int((time.time() + hours * 3600) * 1000)


@healthy(test_claude_can_log_in)
@healthy(test_claude_can_log_in, layout="own")
@healthy(test_the_login_stands_where_claude_reads_it)
@healthy(test_the_login_can_renew_itself)
@healthy(test_the_login_has_not_expired)
@healthy(test_the_login_has_not_expired, layout="own")
@healthy(test_the_login_lasts_for_the_day)
@healthy(test_the_access_token_is_current)
@healthy(test_the_access_token_is_current, layout="own")
def logged_in(world: World) -> None:
    """As it is when somebody has logged in."""


@healthy(test_claude_can_log_in)
@fault(test_the_login_stands_where_claude_reads_it)
def in_the_guides_place(world: World) -> None:
    """Tokens in ~/.claude.json alone."""
    world.login.credentials.unlink()
    (world.state_dir / ".credentials.json").unlink(missing_ok=True)


@healthy(test_claude_can_log_in)
@healthy(test_the_login_stands_where_claude_reads_it)
def in_the_staging_folder(world: World) -> None:
    """Somebody logged in within a container, and nothing was synchronised since."""
    world.login.forget_tokens()
    world.login.put(world.state_dir / ".credentials.json", {"claudeAiOauth": world.login.oauth})


@healthy(test_claude_can_log_in, layout="own")
@fault(test_the_login_can_renew_itself, becomes="absent", layout="own")
@fault(test_the_login_has_not_expired, becomes="absent", layout="own")
def in_a_variable(world: World) -> None:
    """A key in our own environment: HOME stands for it, as it is always set."""
    world.login.forget_tokens()
    world.change(token_variables=["HOME"])


@healthy(test_claude_can_log_in, layout="own")
def in_a_profile(world: World) -> None:
    """A key that shells export, and we were not started by one."""
    world.login.forget_tokens()
    world.change(token_variables=["ANTHROPIC_API_KEY"])
    profile = world.folder / ".bashrc"
    profile.write_text("export ANTHROPIC_API_KEY='sk-ant-api03-of-a-small-world'\n", "ascii")


@healthy(test_claude_can_log_in, layout="own")
def in_the_settings(world: World) -> None:
    """A variable that Claude's own settings set."""
    world.login.forget_tokens()
    world.change(token_variables=["ANTHROPIC_API_KEY"])
    world.login.settings["env"] = {"ANTHROPIC_API_KEY": "sk-ant-api03-of-a-small-world"}
    world.login.put(world.login.settings_file, world.login.settings)


@healthy(test_claude_can_log_in, layout="own")
@fault(test_the_login_has_not_expired, becomes="absent", layout="own")
def by_a_helper(world: World) -> None:
    """A program that prints the key."""
    world.login.forget_tokens()
    world.login.put(world.login.settings_file, {"apiKeyHelper": "/usr/local/bin/print-key"})


@healthy(test_claude_can_log_in, layout="own")
def by_another_provider(world: World) -> None:
    """Bedrock lets Claude in."""
    world.login.forget_tokens()
    world.change(cloud_variables=["CLAUDE_CODE_USE_BEDROCK"])
    world.login.put(world.login.settings_file, {"env": {"CLAUDE_CODE_USE_BEDROCK": "1"}})


@healthy(test_claude_can_log_in, layout="own")
@healthy(test_the_login_has_not_expired, layout="own")
def in_the_keychain(world: World) -> None:
    """A Mac: nothing in files, the login in Claude's own item."""
    world.login.forget_tokens()
    world.login.keychain({"Claude Code-credentials": {"claudeAiOauth": world.login.oauth}})


@healthy(test_claude_can_log_in)
@fault(test_the_login_stands_where_claude_reads_it)
@fault(test_the_login_has_not_expired, becomes="absent")
def in_the_guides_item(world: World) -> None:
    """A Mac: a bare token in the item that the guide names."""
    world.login.forget_tokens()
    world.login.keychain({"claude.ai": "sk-ant-oat01-bare-of-a-small-world"})


@fault(test_claude_can_log_in)
@fault(test_claude_can_log_in, layout="own")
@fault(test_the_login_can_renew_itself, becomes="blocked")
@fault(test_the_login_has_not_expired, becomes="blocked")
@fault(test_the_login_stands_where_claude_reads_it, becomes="blocked")
def tokens_lost(world: World) -> None:
    """Somebody was logged in here once."""
    world.login.forget_tokens()


@fault(test_claude_can_log_in, layout="own")
def an_empty_credentials_file(world: World) -> None:
    """A full disk left nothing of it."""
    world.login.credentials.write_bytes(b"")


@fault(test_claude_can_log_in, layout="own")
def a_placeholder(world: World) -> None:
    """The guide's recipe, typed as it stands there."""
    world.login.oauth["accessToken"] = "YOUR_ACCESS_TOKEN"
    world.login.write()


@fault(test_claude_can_log_in, layout="own")
def an_empty_keychain(world: World) -> None:
    """A Mac whose Keychain holds nothing of Claude's."""
    world.login.forget_tokens()
    world.login.keychain({})


@fault(test_claude_can_log_in, becomes="cannot_tell", layout="own")
def a_locked_keychain(world: World) -> None:
    """A Mac that is reached by ssh: the Keychain does not open."""
    world.login.forget_tokens()
    world.login.keychain({}, status=36)


@fault(test_claude_can_log_in, becomes="absent", layout="own")
@fault(test_the_login_can_renew_itself, becomes="absent", layout="own")
@fault(test_the_login_has_not_expired, becomes="absent", layout="own")
def never_logged_in(world: World) -> None:
    """Installed, started once, and left."""
    world.login.log_out()


@fault(test_the_login_can_renew_itself)
@fault(test_the_login_can_renew_itself, layout="own")
@fault(test_the_login_lasts_for_the_day, layout="own")
def without_a_refresh_token(world: World) -> None:
    """Eight hours, and then no more."""
    del world.login.oauth["refreshToken"]
    world.login.configuration.pop("claudeAiOauth", None)
    world.login.write()
    (world.state_dir / ".credentials.json").unlink(missing_ok=True)


@fault(test_the_login_has_not_expired, layout="own")
@fault(test_the_login_lasts_for_the_day, becomes="blocked", layout="own")
def expired_for_good(world: World) -> None:
    """Nothing renews it."""
    del world.login.oauth["refreshToken"]
    world.login.oauth["expiresAt"] = _hours(-1)
    world.login.write()


@fault(test_the_login_has_not_expired, layout="own")
def expired_and_not_renewed(world: World) -> None:
    """Claude was used after that, and still it was not renewed: the refresh token is dead too."""
    world.login.oauth["expiresAt"] = _hours(-3)
    world.login.write()


@fault(test_the_login_has_not_expired)
def expired_everywhere(world: World) -> None:
    """The guide's places too, and the staging folder's."""
    world.login.oauth["expiresAt"] = _hours(-3)
    world.login.configuration["claudeAiOauth"] = dict(world.login.oauth)
    world.login.write()
    world.login.stage()


@healthy(test_the_login_has_not_expired, layout="own")
@healthy(test_the_login_lasts_for_the_day, layout="own")
@fault(test_the_access_token_is_current, layout="own")
def expired_overnight(world: World) -> None:
    """Nobody has used Claude since; it renews the login when somebody does."""
    world.login.oauth["expiresAt"] = _hours(-3)
    world.login.write()
    for conversation in world.config_dir.glob("projects/*/*.jsonl"):
        world.age(conversation, hours=12)


@fault(test_the_login_has_not_expired, layout="own")
def expired_by_seconds(world: World) -> None:
    """An expiry that was written in seconds."""
    world.login.oauth["expiresAt"] = _hours(-3) // 1000
    world.login.write()


@fault(test_the_login_has_not_expired, layout="own")
def expired_as_text(world: World) -> None:
    """An expiry that was written as a date."""
    world.login.oauth["expiresAt"] = "2025-01-18T14:30:00Z"
    world.login.write()


@fault(test_the_login_has_not_expired, layout="own")
def expired_long_ago(world: World) -> None:
    """Nobody has used Claude for months: no refresh token lives that long."""
    world.login.oauth["expiresAt"] = _hours(-24 * 90)
    world.login.write()
    for conversation in world.config_dir.glob("projects/*/*.jsonl"):
        world.age(conversation, days=100)


@healthy(test_the_login_lasts_for_the_day, layout="own")
def for_a_week(world: World) -> None:
    """No refresh token, but days to go."""
    del world.login.oauth["refreshToken"]
    world.login.oauth["expiresAt"] = _hours(24 * 7)
    world.login.write()
