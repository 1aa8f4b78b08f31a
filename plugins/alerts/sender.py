"""Sends messages, in a process of its own that is ended at the deadline whatever hangs in it.

On its standard input stands JSON: `{"seconds": 10, "orders": [{"variable": NAME, "title": text,
"blocks": [text], "kind": "failure"}], "done": PATH}`; what is told by is in the variables. The file
at that path, if it is not "", gets the name of each variable whose order is done, a line each, at
once; the path itself is taken away, as whoever gave it holds the file open. On its standard output
it says, as JSON, why each variable's order was not done: `{NAME: ""}` is one that was. One that it
says nothing of broke the program, and standard error tells how.

It knows nothing of this project, so that it can be started by its path.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import sys
import threading
import time
from itertools import accumulate
from typing import Any

_WAITS = (0.5, 1.0, 2.0)  # seconds before each further try
_CONNECT_S = 4.0
_NAP_S = 0.05
_LONGEST = 3500  # characters of a message, however much its receiver would take
# An answer that has no end must not take the memory of the host that is looked after. What is sent
# needs under 100 MiB; each thread's stack is counted too.
_MOST_MEMORY = 512 << 20
_STACK = 1 << 20
_NOT_SENT = "it had no end before the deadline"


class Refused(Exception):  # noqa: N818 - the message says why it is not sent
    """It was not sent; trying again may help, or not."""

    def __init__(self, why: str, *, final: bool = False) -> None:
        super().__init__(why)
        self.final = final


def fitted(blocks: list[str], most: int) -> str:
    """Return as many blocks as fit, and how many are left out."""
    whole = "\n\n".join(blocks)
    if len(whole) <= most:
        return whole
    ends = list(accumulate(len(block) + 2 for block in blocks))
    for count in range(len(blocks) - 1, 0, -1):
        tail = f"and {len(blocks) - count} more; the reports on that machine have all"
        if ends[count - 1] + len(tail) <= most:
            return "\n\n".join([*blocks[:count], tail])
    return whole[:most]


def _post(url: str, order: dict[str, Any], left: float) -> None:
    """Send `{"text": …}` to a plain URL, as a curl in a monitoring script does."""
    import requests

    text = f"{order['title']}\n\n{fitted(order['blocks'], _LONGEST)}"
    try:
        # Its status is all that is wanted: what else it says may be slow, or without an end.
        with requests.post(
            url,
            json={"text": text},
            headers={"User-Agent": "agent-healthchecks"},
            timeout=(min(_CONNECT_S, left), left),
            allow_redirects=False,
            stream=True,
        ) as answer:
            status, reason = answer.status_code, answer.reason or ""
    except (requests.RequestException, ValueError) as error:
        raise Refused(_innermost(str(error))) from None
    if not 200 <= status < 300:
        raise Refused(f"it answered {status} {reason}".rstrip())


def _asset() -> Any:
    from apprise import AppriseAsset

    return AppriseAsset(
        app_id="agent-healthchecks",
        app_desc="Health checks",
        image_url_mask="",
        image_url_logo="",
        # A POST that is sent elsewhere becomes a GET without the message, and a page to log in at
        # would be taken for "it was told".
        http_redirects=False,
    )


def _notify(url: str, order: dict[str, Any], left: float) -> None:
    """Send by apprise; what is no URL of its own and begins with http is a plain webhook."""
    from apprise import Apprise, NotifyFormat

    # It says why something went wrong to its log alone; ours is in what is called back.
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    known = Apprise(asset=_asset())
    known.add(url)
    if len(known) == 0 and url.lower().startswith(("http://", "https://")):
        _post(url, order, left)
        return
    if len(known) != 1:
        why = "it holds more than one URL: give each a variable" if len(known) else "no known URL"
        raise Refused(why, final=True)
    service = known[0]
    service.socket_connect_timeout = min(_CONNECT_S, left)
    service.socket_read_timeout = left
    said: list[str] = []
    title = order["title"]
    body = fitted(order["blocks"], max(min(_LONGEST, service.body_maxlen - len(title) - 20), 100))
    went = known.notify(
        body=body,
        title=title,
        notify_type=order["kind"],
        body_format=NotifyFormat.TEXT,
        log_callback=lambda entry, _: said.append(entry.message),
        log_level=logging.DEBUG,
    )
    if not went:
        raise Refused(_why(said))


def _why(said: list[str]) -> str:
    """Return what tells most of all that was logged."""
    ends = [line for line in said if line.lower().startswith(("failed", "socket exception"))]
    others = [line for line in said if "error" in line.lower() or "exception" in line.lower()]
    return _innermost((ends or others or ["it was not taken"])[-1])


def _innermost(said: str) -> str:
    """Return the bottom of a complaint that wraps others: `…: [Errno 111] refused"))`."""
    return said.rpartition(": ")[2].rstrip("'\")>. ") or said


def _opened(path: str) -> int:
    """Return the descriptor of the file that tells what is done; -1 for none."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW) if path else -1
        if path:
            os.unlink(path)
    except OSError:
        return -1
    return descriptor


def _done(order: dict[str, Any], ends: float, outcome: dict[str, str], done: int) -> None:
    name = order["variable"]
    url = os.environ.get(name, "").strip()
    for wait in (*_WAITS, None):
        try:
            _notify(url, order, max(ends - time.monotonic(), 0.1))
        except Refused as why:
            outcome[name] = str(why)
            if why.final or wait is None:
                return
            time.sleep(wait)
        else:
            outcome[name] = ""
            if done >= 0:
                with contextlib.suppress(OSError):  # a full disk: it is told at the end, too
                    os.write(done, f"{name}\n".encode())
            return


def main() -> None:
    """Do what is asked for, all orders at once, and end at the deadline."""
    began = time.monotonic()
    threading.stack_size(_STACK)
    with contextlib.suppress(OSError, ValueError):  # some systems, and some limits, know it not
        resource.setrlimit(resource.RLIMIT_DATA, (_MOST_MEMORY, _MOST_MEMORY))
    asked = json.loads(sys.stdin.buffer.read())
    ends, done = began + asked["seconds"], _opened(asked.get("done", ""))
    outcome: dict[str, str] = {}
    threads = {
        order["variable"]: threading.Thread(
            target=_done, args=(order, ends, outcome, done), daemon=True
        )
        for order in asked["orders"]
    }
    for thread in threads.values():
        thread.start()
    parent = os.getppid()
    while (left := [t for t in threads.values() if t.is_alive()]) and time.monotonic() < ends:
        left[0].join(_NAP_S)
        if os.getppid() != parent:
            os._exit(1)  # nobody waits for it any more
    late = {name: _NOT_SENT for name, thread in threads.items() if thread.is_alive()}
    os.write(1, json.dumps({**late, **outcome}).encode())
    os._exit(0)  # threads that hang, ours and those of libraries, are not waited for


if __name__ == "__main__":
    main()
