"""The page is not blank, and the browser may call the server."""

from __future__ import annotations

from healthchecks.portagent.probes_page import Page, Preflight
from healthchecks.portagent.world import World
from plugins import P1, P2, check, fault, healthy, listed
from plugins.endpoints.browser import Opened


@check(
    P1,
    guide="PT22",
    hint="""Build the page again (`cd apps/portagent && bun run build`) so that dist/public has what
    index.html names (`ls dist/public/assets`), or install the package or image again; then restart
    the server.""",
)
def test_the_page_loads_what_it_needs(page: Page) -> None:
    """The page loads its scripts and styles.

    A path that is not there is answered with the page itself, and status 200: after a build that
    was copied by half, the script is HTML, the browser refuses it, and people see nothing at all.
    """
    assert not page.faults, listed(f"{page.url} does not get all that it needs", page.faults)


@check(
    P1,
    guide="PT22",
    slow=True,
    hint="""Open the page with the browser's own tools (F12, Console): the first error there is the
    cause of those after it. Where a script is missing, build the page again
    (`cd apps/portagent && bun run build`).""",
)
def test_a_browser_shows_the_login_form(page_in_browser: Opened) -> None:
    """A browser shows the login form, and its console no errors.

    Scripts may all be there and fail: only a browser that runs them tells. It opens the page in a
    fresh profile, reaches no other server, and neither clicks nor types.
    """
    seen = page_in_browser
    form = () if seen.has_login_form else ("no field for a password is seen",)
    assert not form + seen.errors, listed(f"{seen.url} in a browser", form + seen.errors)


@check(
    P2,
    guide="PT23",
    hint="""The server itself allows every origin: look for what stands in front of it, which must
    pass OPTIONS on and add no header of its own. By hand: `curl -i -X OPTIONS -H "Origin: $ORIGIN"
    -H 'Access-Control-Request-Method: POST' -H 'Access-Control-Request-Headers:
    authorization,content-type' http://127.0.0.1:5200/api/auth/login`.""",
)
def test_the_browser_may_call_it(preflight: Preflight) -> None:
    """The page of the configured origin may call the server.

    A browser asks before it sends a login from a page of another origin; unless the answer allows
    it, nothing is sent, and people read that the network failed.
    """
    seen = preflight
    assert not seen.faults, listed(f"{seen.url} does not let {seen.origin} in", seen.faults)


@healthy(test_the_page_loads_what_it_needs)
@healthy(test_a_browser_shows_the_login_form, needs=("chromium",))
def as_it_was_built(world: World) -> None:
    """The page with its script and style."""
    world.server.start()


@healthy(test_the_page_loads_what_it_needs)
def below_another_folder(world: World) -> None:
    """Relative paths, a base, a module in front, an integrity, and what is no script at all."""
    world.outside.page(
        '<base href="/assets/"><!-- <script src="/gone.js"></script> -->'
        '<script type="importmap" src="/no-such-map.json"></script>'
        '<link rel="modulepreload" href="$SCRIPT"><link rel="alternate stylesheet" href="/gone">'
        "<link rel=stylesheet href=$STYLE?v=1>"
        '<script type=module integrity="$DIGEST" src="$SCRIPT"></script>'
        '<noscript><link rel="stylesheet" href="/gone.css"></noscript>'
        "<script src='data:text/javascript,1'></script>"
    )
    world.server.start()


@fault(test_the_page_loads_what_it_needs)
@fault(test_a_browser_shows_the_login_form, becomes="blocked")
def without_its_script(world: World) -> None:
    """The page comes in the script's place, with status 200."""
    world.outside.asset("js").unlink()
    world.server.start()


@fault(test_the_page_loads_what_it_needs)
def without_its_style(world: World) -> None:
    """The page comes in the style's place."""
    world.outside.asset("css").unlink()
    world.server.start()


@fault(test_the_page_loads_what_it_needs)
def of_wrong_types(world: World) -> None:
    """Scripts come as plain text."""
    world.server.start("types")


@fault(test_the_page_loads_what_it_needs)
def cut_short(world: World) -> None:
    """A copy that broke off left an empty script."""
    world.outside.asset("js").write_bytes(b"")
    world.server.start()


@fault(test_the_page_loads_what_it_needs)
def changed_on_the_way(world: World) -> None:
    """A script that is not what its integrity says."""
    world.outside.page('<script integrity="sha384-AAAA" src="/assets/$SCRIPT"></script>')
    world.server.start()


@fault(test_the_page_loads_what_it_needs)
def never_built(world: World) -> None:
    """There is no page at all: 404."""
    world.outside.page("")
    world.server.start()


@fault(test_the_page_loads_what_it_needs)
def of_another_program(world: World) -> None:
    """A page without a script."""
    world.outside.page("<h1>It works!</h1>")
    world.server.start()


@fault(test_the_page_loads_what_it_needs, becomes="cannot_tell")
def from_another_server(world: World) -> None:
    """A script of another server is not asked for: this machine is not to tell it of itself."""
    world.outside.page('<script src="//cdn.example/a.js"></script>')
    world.server.start()


@fault(test_the_page_loads_what_it_needs, becomes="blocked")
@fault(test_a_browser_shows_the_login_form, becomes="blocked")
@fault(test_the_browser_may_call_it, becomes="blocked")
def down(world: World) -> None:
    """The server is the cause."""
    world.change(origin="https://agent.example")


@fault(test_a_browser_shows_the_login_form, needs=("chromium",))
def blank(world: World) -> None:
    """The script runs, and shows nothing."""
    world.outside.asset("js").write_text("document.title = 'Portagent';", "utf-8")
    world.server.start()


@fault(test_a_browser_shows_the_login_form, needs=("chromium",))
def broken_code(world: World) -> None:
    """The script is there, and throws."""
    world.outside.asset("js").write_text("null.render('\\u001b[31m');", "utf-8")
    world.server.start()


@fault(test_a_browser_shows_the_login_form, needs=("chromium",))
def complaining(world: World) -> None:
    """The form is there, and so is an error in the console."""
    script = world.outside.asset("js")
    script.write_text(f"{script.read_text('utf-8')}\nconsole.error('chunk failed', 1);", "utf-8")
    world.server.start()


@fault(test_a_browser_shows_the_login_form, needs=("chromium",))
def busy_for_ever(world: World) -> None:
    """The script never ends."""
    world.outside.asset("js").write_text("for (;;) {}", "utf-8")
    world.change(browser_seconds=6.0)
    world.server.start()


@fault(test_a_browser_shows_the_login_form, becomes="cannot_tell")
def without_a_browser(world: World) -> None:
    """There is no browser on this machine."""
    world.change(chromium="no-such-browser")
    world.server.start()


@healthy(test_the_browser_may_call_it)
def any_origin(world: World) -> None:
    """The server allows every origin."""
    world.change(origin="https://agent.example")
    world.server.start()


@fault(test_the_browser_may_call_it)
def no_origin(world: World) -> None:
    """Nothing is allowed."""
    world.change(origin="https://agent.example")
    world.server.start("no_cors")


@fault(test_the_browser_may_call_it, becomes="absent")
def its_own(world: World) -> None:
    """The page is the server's own: no browser asks."""
    world.server.start()


@fault(test_the_page_loads_what_it_needs, becomes="absent", generation=2)
@fault(test_the_browser_may_call_it, becomes="absent", generation=2)
def of_the_second_generation(world: World) -> None:
    """Another page, at another port."""
    world.change(origin="https://agent.example")
    world.server.start()
