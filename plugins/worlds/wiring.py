"""Real servers on loopback for the endpoints' tests, the worst of them by hand."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

HTTP_OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@dataclass(frozen=True)
class Pair:
    """A self-signed certificate and its key, PEM."""

    certificate: bytes
    key: bytes

    def context(self, folder: Path) -> ssl.SSLContext:
        """Return a server's TLS context with the pair."""
        (folder / "pair.pem").write_bytes(self.certificate + self.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "pair.pem")
        context.set_alpn_protocols(["h2", "http/1.1"])
        return context


def pair(*names: str, days: float = 30, kind: str = "EC", password: bytes = b"") -> Pair:
    """Make a certificate for names and addresses that ends in so many days."""
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "EC" else _rsa()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "common.example")])
    now = datetime.datetime.now(datetime.UTC)
    building = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
    )
    if names:
        listed = x509.SubjectAlternativeName([_name(text) for text in names])
        building = building.add_extension(listed, critical=False)
    made = building.sign(key, hashes.SHA256())
    locked = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, locked)
    return Pair(made.public_bytes(pem), secret)


def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


@contextlib.contextmanager
def serving(behave: Callable[[socket.socket], None], path: str = "") -> Iterator[int]:
    """Serve each connection by a function in a thread of its own; yield the port.

    Args:
        path: of a Unix socket, instead of a port.
    """
    if path:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(path)
        listening.listen()
    else:
        listening = socket.create_server(("127.0.0.1", 0))
    open_ones: list[socket.socket] = []

    def behaved(wire: socket.socket) -> None:
        with contextlib.suppress(OSError), wire:
            behave(wire)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, _ = listening.accept()
                open_ones.append(wire)
                threading.Thread(target=behaved, args=(wire,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield 0 if path else listening.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for wire in open_ones:
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)


def request_of(wire: socket.socket) -> bytes:
    """Read a request up to the end of its headers."""
    text = b""
    while b"\r\n\r\n" not in text:
        piece = wire.recv(4096)
        if not piece:
            break
        text += piece
    return text


def hang(wire: socket.socket) -> None:
    """Accept, and never answer."""
    while wire.recv(4096):
        pass


def drip(text: bytes) -> Callable[[socket.socket], None]:
    """Answer byte by byte, twenty a second, without end."""

    def behave(wire: socket.socket) -> None:
        request_of(wire)
        paused = threading.Event()
        for place in range(100_000):
            wire.sendall(text[place : place + 1] or b"x")
            paused.wait(0.05)

    return behave


def answer(text: bytes) -> Callable[[socket.socket], None]:
    """Answer each request with the same bytes, and close."""

    def behave(wire: socket.socket) -> None:
        request_of(wire)
        wire.sendall(text)
        # What is still unread when a socket closes makes the kernel reset it, and eat the answer.
        wire.shutdown(socket.SHUT_WR)
        while wire.recv(4096):
            pass

    return behave


def flood(text: bytes) -> Callable[[socket.socket], None]:
    """Answer with the text and a GiB of zeros behind it."""

    def behave(wire: socket.socket) -> None:
        request_of(wire)
        wire.sendall(text)
        for _ in range(1024):
            wire.sendall(bytes(1 << 20))

    return behave
