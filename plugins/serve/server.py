"""The process that serves: one thread, which hands out bytes and does nothing else.

It gets a socket that listens and one from the watch, as descriptors. When the watch's end closes,
by whatever end of the watch, it ends at once. h11 reads HTTP; what is bounded is bounded here: how
many clients there are, how much of a request is kept, and how long each part of it may take.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import socket
import sys
from email.utils import formatdate
from typing import cast

import h11

from plugins.serve.answers import REASONS, Answer, Answers, told

MOST_CLIENTS = 256  # one more, and the one that has waited longest for its next request goes
MOST_HEADER = 16 << 10  # bytes of a request
SECONDS_OF_REQUEST = 10.0  # from its first byte, or from the connection, to its last
SECONDS_OF_REST = 75.0  # between two requests; proxies keep a connection for 60 as a rule
SECONDS_OF_ANSWER = 60.0  # until the client has taken all of it
SECONDS_OF_PARTING = 2.0  # for what is sent yet, so that the answer before is not lost
_BACKLOG = 512  # clients that wait at the door
_PIECE = 64 << 10
_WATCH_LINE = 1 << 20


class Client(asyncio.BufferedProtocol):
    """One connection.

    Args:
        house: what they all share.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEADER)
        self._deadline: asyncio.TimerHandle | None = None
        self._left = memoryview(b"")
        self._answering = self._full = self._parting = self._resting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)  # what is there of it is full
        self._house.let_in(self)
        self._within(SECONDS_OF_REQUEST)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._left = memoryview(b"")
        self._house.clients.pop(self, None)

    def _within(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self.end)

    def end(self) -> None:
        """End it, whatever it is about."""
        self._transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to put what came: it is taken away at once, so all share one place."""
        return self._house.room

    def buffer_updated(self, nbytes: int) -> None:
        """Take what came."""
        if self._parting:
            return
        if self._resting:
            self._resting = False
            self._within(SECONDS_OF_REQUEST)
        self._http.receive_data(bytes(self._house.room[:nbytes]))
        if not self._answering:
            self._go_on()

    def eof_received(self) -> bool:
        """Answer what was asked in full before the client stopped sending."""
        if self._parting:
            return False
        self._http.receive_data(b"")
        if not self._answering:
            self._go_on()
        return True

    def pause_writing(self) -> None:
        """Wait until the client has taken some."""
        self._full = True

    def resume_writing(self) -> None:
        """Go on with the answer."""
        self._full = False
        self._pour()

    def _go_on(self) -> None:
        """Read on, up to the end of one request."""
        if self._transport.is_closing() or self._answering or self._parting:
            return
        try:
            event = self._http.next_event()
        except h11.RemoteProtocolError as error:
            status = error.error_status_hint
            answer = told(431 if status == 431 else 400, "this is no HTTP request")
            self._give(answer, whole=True)
            return
        if isinstance(event, h11.Request):
            self._asked(event)
        elif isinstance(event, h11.ConnectionClosed):
            self._part()

    def _asked(self, request: h11.Request) -> None:
        headers = {name.decode("ascii"): value.decode("latin-1") for name, value in request.headers}
        method, target = request.method.decode("ascii"), request.target.decode("latin-1")
        bare = "transfer-encoding" not in headers and headers.get("content-length", "0") == "0"
        if bare:
            self._http.next_event()  # its end: what follows is another request
        if not target.startswith("/"):
            answer = told(400, "a path is wanted")
        elif not bare and method in {"GET", "HEAD"}:
            answer = told(413, "a request has no body here")
        else:
            answer = self._house.answers.answer(method, target, headers)
        self._give(answer, whole=method != "HEAD" and answer.status != 304)

    def _give(self, answer: Answer, *, whole: bool) -> None:
        if self._http.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.end()
            return
        self._answering = True
        self._within(SECONDS_OF_ANSWER)
        head = [*answer.headers, ("Date", formatdate(usegmt=True))]
        if answer.status != 304:
            head.append(("Content-Length", str(len(answer.body))))
        if self._http.their_state is not h11.DONE:  # what is sent yet is not read
            head.append(("Connection", "close"))
        status, reason = answer.status, REASONS[answer.status]
        begun = self._http.send(h11.Response(status_code=status, reason=reason, headers=head))
        if whole:
            self._http.send_with_data_passthrough(h11.Data(data=answer.body))
            self._left = memoryview(answer.body)
        self._transport.write(begun or b"")
        self._pour()
        if self._answering:
            self._transport.pause_reading()

    def _pour(self) -> None:
        """Give what the client takes, and no copy of what it does not take yet."""
        while self._left and not self._full and not self._transport.is_closing():
            piece, self._left = self._left[:_PIECE], self._left[_PIECE:]
            self._transport.write(piece)
        if self._answering and not self._left and not self._full:
            self._given()

    def _given(self) -> None:
        self._answering = False
        self._http.send(h11.EndOfMessage())
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            self._part()
            return
        self._http.start_next_cycle()
        self._house.let_in(self)
        self._transport.resume_reading()
        self._resting = self._http.trailing_data == (b"", False)
        self._within(SECONDS_OF_REST if self._resting else SECONDS_OF_REQUEST)
        if not self._resting:  # what was sent ahead waits for its turn like everybody else
            asyncio.get_running_loop().call_soon(self._go_on)

    def _part(self) -> None:
        """Say that no more comes, and let what is under way arrive before the connection ends."""
        self._parting = True
        if self._http.trailing_data[1]:
            self._transport.close()
            return
        self._within(SECONDS_OF_PARTING)
        self._transport.resume_reading()
        with contextlib.suppress(OSError):
            self._transport.write_eof()


class House:
    """What all clients share.

    Args:
        answers: what there is to say.
    """

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.clients: dict[Client, None] = {}
        self.room = memoryview(bytearray(MOST_HEADER))

    def let_in(self, client: Client) -> None:
        """Let a client in, or put one that was served behind the others; see the last one out."""
        self.clients.pop(client, None)
        self.clients[client] = None
        if len(self.clients) > MOST_CLIENTS:
            oldest = next(iter(self.clients))
            del self.clients[oldest]
            oldest.end()


async def _serve(listening: socket.socket, watch: socket.socket) -> None:
    house = House(Answers())
    reader, _ = await asyncio.open_connection(sock=watch, limit=_WATCH_LINE)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)  # nobody reads what it would say
    server = None
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while line := await reader.readline():
            message = json.loads(line)
            bodies = [await reader.readexactly(size) for size in message.get("sizes", ())]
            house.answers.take(message, bodies)
            if server is None:  # not before it is known who may ask
                server = await loop.create_server(
                    lambda: Client(house), sock=listening, backlog=_BACKLOG
                )
    os._exit(0)  # the watch has ended: whoever is here yet waits in vain


def main() -> None:
    """Serve until the watch ends; takes the numbers of the two descriptors."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for descriptor in (1, 2):
        os.set_blocking(descriptor, False)
    with contextlib.suppress(OSError):
        os.nice(5)  # the rounds go first
    room, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * (MOST_CLIENTS + _BACKLOG)
    if 0 <= room < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    listening, watch = (socket.socket(fileno=int(word)) for word in sys.argv[-2:])
    asyncio.run(_serve(listening, watch))
