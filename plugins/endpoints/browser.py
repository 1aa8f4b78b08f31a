"""A real headless browser that opens one page, in a profile of its own, and asks nobody else."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass

from plugins.endpoints.browser_line import BrowserLine, Closed, Said
from plugins.endpoints.wires import Address, address_of
from plugins.hosts import Host, start
from plugins.outcomes import CannotTell, TimedOut, ToolMissing, WrongKind
from plugins.redaction import redact
from plugins.text import printable

# The browser speaks over two pipes, and ends when they do: it cannot outlive who started it.
_PIPES = ("/bin/sh", "-c", 'exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>&2')
_FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--metrics-recording-only",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
    "--no-service-autorun",
    "--password-store=basic",
    "--use-mock-keychain",
)
_NOWHERE = "http://127.0.0.1:1"  # the proxy for all but the page's own server: nobody listens there
_FORM = "document.querySelectorAll('input[type=password]').length > 0"
_LOADED = "document.readyState === 'complete'"
_GRACE = 3.0  # seconds for the browser to end by itself
_PATIENCE = 5.0  # seconds that a page may take to show its form, once it is loaded
_LONGEST_PLACE = 40  # characters; the browser's sockets lie below it, in paths of 107 at most
_QUIET = 0.5  # seconds after the form was seen in which errors may still come


@dataclass(frozen=True)
class Opened:
    """What a browser made of a page.

    Attributes:
        url: of the page.
        has_login_form: whether a field for a password was seen.
        errors: what stood in its console as errors, at most 50, as the page wrote it.
        elsewhere: what the page wanted from other servers, and did not get.
        seconds: from the browser's start.
    """

    url: str
    has_login_form: bool
    errors: tuple[str, ...]
    elsewhere: tuple[str, ...]
    seconds: float


class Browser:
    """A browser of the Chromium family on this machine.

    Args:
        host: this machine.
        program: a name on PATH, or a path.
    """

    def __init__(self, host: Host, program: str = "chromium") -> None:
        self._host = host
        self._program = program

    def open(self, url: str, *, deadline: float = 30.0) -> Opened:
        """Open a page and return what came of it; nothing is clicked, typed or kept.

        Args:
            url: http or https; no other server is reached from the page.
            deadline: seconds for all of it; a form is waited for a while after the page is loaded.

        Raises:
            ToolMissing: there is no such browser.
            CannotTell: a far host, or the browser does not start.
            TimedOut: the browser itself does not answer.
        """
        if not self._host.is_local:
            raise CannotTell(f"no browser is started on {self._host.spec}")
        address = address_of(url, ("http", "https"))
        path = shutil.which(self._program)
        if path is None:
            raise ToolMissing(f"{printable(self._program)} is not installed")
        with (
            _scratch() as folder,
            _running(path, folder, address) as line,
        ):
            return _seen(line, url, deadline)


def _scratch() -> tempfile.TemporaryDirectory[str]:
    """Return a folder that is gone after its block, with a path that a socket's fits behind."""
    place = "/tmp" if len(tempfile.gettempdir()) > _LONGEST_PLACE else None  # noqa: S108 - a fresh folder of ours in it
    return tempfile.TemporaryDirectory(prefix="browser-", dir=place, ignore_cleanup_errors=True)


@contextlib.contextmanager
def _running(path: str, folder: str, address: Address) -> Iterator[BrowserLine]:
    """Run the browser until the end of the block; nothing of it is left behind."""
    process = start(
        (*_PIPES, path, *_words(folder, address)), _environment(folder), folder, feeds=True
    )
    line = BrowserLine(process)
    try:
        yield line
    finally:
        line.close()
        until = time.monotonic() + _GRACE
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        _kill_group(process.pid)
        process.wait(5)


def _words(folder: str, address: Address) -> Iterator[str]:
    yield from _FLAGS
    if os.geteuid() == 0:
        yield "--no-sandbox"  # the sandbox refuses root
    yield f"--user-data-dir={folder}/profile"
    yield f"--proxy-server={_NOWHERE}"
    yield f"--proxy-bypass-list=<-loopback>;{address}"
    yield "about:blank"


def _environment(folder: str) -> dict[str, str]:
    """Return the few variables that a browser needs: none of ours that may be a secret."""
    kept = {
        name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ
    }
    return {**kept, "HOME": folder, "TMPDIR": folder, "LC_ALL": "C.UTF-8"}


def _kill_group(group: int) -> None:
    # macOS says EPERM when all of it has ended.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _seen(line: BrowserLine, url: str, deadline: float) -> Opened:
    """Speak with the browser until the form is there, or the time is over."""
    began = time.monotonic()
    ends = began + deadline
    try:
        session = line.attach(ends)
        line.ask("Page.navigate", {"url": url}, session, ends)
    except TimeoutError:
        raise TimedOut("the browser", deadline) from None
    except Closed as end:
        raise CannotTell(f"the browser ends: {_shown(str(end))}") from None
    found, until = False, ends
    try:
        while not found and time.monotonic() < until:
            if until == ends and line.value(_LOADED, session, ends):
                until = min(ends, time.monotonic() + _PATIENCE)
            found = bool(line.value(_FORM, session, ends))
            line.listen(min(_QUIET if found else 0.2, max(0.0, ends - time.monotonic())))
    except TimeoutError:
        line.errors.append(Said("the page keeps the browser too busy to answer"))
    except Closed:
        line.errors.append(Said("the page brings the browser down"))
    own = address_of(url, ("http", "https"))
    foreign = [said for said in line.errors if said.wanted and _address(said.wanted) != own]
    errors = dict.fromkeys(_shown(str(said)) for said in line.errors if said not in foreign)
    elsewhere = dict.fromkeys(_shown(said.wanted) for said in foreign)
    return Opened(url, found, tuple(errors), tuple(elsewhere), time.monotonic() - began)


def _address(url: str) -> Address | None:
    try:
        return address_of(url, ("http", "https", "ws", "wss"))
    except WrongKind:
        return None


def _shown(text: str) -> str:
    return printable(redact(text), 300)
