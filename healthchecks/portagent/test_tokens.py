"""Whoever logged in stays logged in: the secret that signs tokens lasts, and tokens are taken."""

from __future__ import annotations

from healthchecks.portagent.probes_tokens import SigningSecret, TokenTrial
from healthchecks.portagent.world import World
from plugins import P1, check, fault, healthy, listed


@check(
    P1,
    guide="PT06",
    hint="""Make a secret once, `openssl rand -base64 32`, and start it with that each time:
    JWT_SECRET=<secret> in a file of mode 600 that its unit names as EnvironmentFile, or that
    `docker run --env-file <file> …` reads. Everybody logs in once more after that.""",
)
def test_logins_survive_a_restart(signing_secret: SigningSecret) -> None:
    """Logins survive a restart.

    Without a fixed JWT_SECRET it makes up another at each start, and refuses every token that was
    given before. With a secret that can be read or guessed anybody signs a token of anybody.
    """
    by = f" ({signing_secret.source})" if signing_secret.source else ""
    assert not signing_secret.trouble, f"{signing_secret.trouble}{by}"


@check(
    P1,
    guide="PT08",
    hint="""Log in again, and keep the new token in that variable: with
    {"usernameOrEmail":"…","password":"…"} in a file of mode 600, `curl -s -H 'Content-Type:
    application/json' -d @<file> http://127.0.0.1:<port>/api/auth/login`. Where it was signed with
    another secret, give the server a fixed JWT_SECRET; where the user is disabled or gone, ask who
    did that.""",
)
def test_tokens_are_accepted(token_trial: TokenTrial) -> None:
    """The test token is accepted.

    A token lasts seven days. `/agentx/info` looks at its signature and its time alone, and lets
    those of deleted users in; `/api/auth/verify` looks at the user too.
    """
    told = f"the test token of ${token_trial.variable} is refused"
    assert not token_trial.refusals, listed(told, token_trial.refusals)


@healthy(test_logins_survive_a_restart)
def fixed(world: World) -> None:
    """A long secret in its environment."""
    world.server.start()


@healthy(test_logins_survive_a_restart)
def fixed_by_an_option(world: World) -> None:
    """A long secret on its command line."""
    secret = world.server.environment.pop("JWT_SECRET")
    world.server.start(jwt_secret=secret)


@healthy(test_logins_survive_a_restart)
def fixed_by_a_file(world: World) -> None:
    """A long secret in its .env file."""
    secret = world.server.environment.pop("JWT_SECRET")
    (world.server.app / ".env").write_text(f'JWT_SECRET="{secret}"\n')
    world.server.start()


@healthy(test_logins_survive_a_restart)
def fixed_by_its_unit(world: World) -> None:
    """It does not run, and its unit says what it starts with."""
    world.server.unit()


@fault(test_logins_survive_a_restart)
def made_up_each_time(world: World) -> None:
    """No secret is set."""
    del world.server.environment["JWT_SECRET"]
    world.server.start()


@fault(test_logins_survive_a_restart)
def empty(world: World) -> None:
    """A variable that is set to nothing counts as none."""
    world.server.environment["JWT_SECRET"] = ""
    world.server.start()


@fault(test_logins_survive_a_restart)
def public(world: World) -> None:
    """The default of the second generation, which is on the web."""
    world.server.environment["JWT_SECRET"] = "development-secret-key-change-me"  # noqa: S105 - public
    world.server.start()


@fault(test_logins_survive_a_restart)
def out_of_the_guide(world: World) -> None:
    """The guide's own example was typed as it stands."""
    world.server.environment["JWT_SECRET"] = "your-fixed-secret"  # noqa: S105 - public
    world.server.start()


@fault(test_logins_survive_a_restart)
def short(world: World) -> None:
    """A secret that can be tried out."""
    world.server.environment["JWT_SECRET"] = "hunter2"  # noqa: S105 - a world's own
    world.server.start()


@fault(test_logins_survive_a_restart, becomes="blocked")
@fault(test_tokens_are_accepted, becomes="absent")
def nothing_runs(world: World) -> None:
    """Nothing runs, nothing tells how it is started, and no test token is set."""
    assert not world.server.pid


@healthy(test_tokens_are_accepted)
def taken(world: World) -> None:
    """The token of a user who is there."""
    world.server.start()
    world.server.offer(world.server.register()["token"])


@healthy(test_tokens_are_accepted)
def taken_after_a_restart(world: World) -> None:
    """The secret is fixed, so an older token holds."""
    world.server.start()
    world.server.offer(world.server.register()["token"])
    world.server.restart()


@fault(test_tokens_are_accepted)
def expired(world: World) -> None:
    """It was given eight days ago."""
    world.server.start()
    user = world.server.register()["user"]["userId"]
    world.server.offer(world.server.token(user, age=8 * 86_400))


@fault(test_tokens_are_accepted)
def of_another_secret(world: World) -> None:
    """The server was started with another secret since."""
    world.server.start()
    user = world.server.register()["user"]["userId"]
    world.server.offer(world.server.token(user, secret="a secret of another server, and long"))  # noqa: S106 - a world's own


@fault(test_tokens_are_accepted)
def of_a_secret_that_was_made_up(world: World) -> None:
    """No secret is set, and it was started again."""
    del world.server.environment["JWT_SECRET"]
    world.server.start()
    world.server.offer(world.server.register()["token"])
    world.server.restart()


@fault(test_tokens_are_accepted)
def of_a_disabled_user(world: World) -> None:
    """The signature is right, and its user may not log in any more."""
    world.server.start()
    world.server.offer(world.server.register()["token"])
    world.databases.run("portagent", "UPDATE users SET isActive = 0")


@fault(test_tokens_are_accepted)
def of_a_deleted_user(world: World) -> None:
    """The signature is right, and its user is gone."""
    world.server.start()
    world.server.offer(world.server.register()["token"])
    world.databases.run("portagent", "DELETE FROM users")


@fault(test_tokens_are_accepted)
def malformed(world: World) -> None:
    """Something else was put into the variable."""
    world.server.start()
    world.server.offer("not-a-token")


@fault(test_tokens_are_accepted, becomes="blocked")
def while_its_users_are_locked(world: World) -> None:
    """It cannot look its users up: that is another finding."""
    world.server.start()
    world.server.offer(world.server.register()["token"])
    world.databases.hold("portagent", "BEGIN EXCLUSIVE")


@fault(test_tokens_are_accepted, becomes="absent", generation=2)
def of_the_second_generation(world: World) -> None:
    """Its successor lets people in by a cookie."""
    world.server.start()
    world.server.offer(world.server.token("anybody"))
