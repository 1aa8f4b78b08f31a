"""The certificate on disk, its key, and the one that the server serves."""

from __future__ import annotations

import os.path
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from healthchecks.pocket_agent.probes_wire import WHOLE, converse, said_by
from healthchecks.pocket_agent.seat import find_seat, page
from healthchecks.pocket_agent.system import PocketAgent
from plugins import Absent, Blocked, CannotTell, Measure, NotThere, WrongKind, probe
from plugins.endpoints.certificates import Certificate, Certificates
from plugins.endpoints.filesystem import Filesystem
from plugins.endpoints.http import Http
from plugins.endpoints.processes import Processes
from plugins.endpoints.sockets import Sockets
from plugins.endpoints.websocket import WebSockets

VALID = "pocket_agent.the_certificate_is_valid"


@dataclass(frozen=True)
class CertificateFile:
    """The certificate's file: why it cannot be used now, empty when it can."""

    path: str
    trouble: str


@dataclass(frozen=True)
class Lifetime:
    """How many days the certificate has left."""

    path: str
    left: Measure
    until: str


@dataclass(frozen=True)
class Names:
    """The name that clients use, empty where none is configured, and those it is for."""

    path: str
    wanted: str
    names: tuple[str, ...]
    matches: bool


@dataclass(frozen=True)
class KeyPair:
    """Why certificate and key cannot be used together; empty when they can."""

    certificate: str
    key: str
    trouble: str


@dataclass(frozen=True)
class Served:
    """What is served against what lies on disk: how they differ, empty when they do not."""

    difference: tuple[str, ...]


def _require_tls(system: PocketAgent, http: Http) -> None:
    """Return when the server is meant to speak TLS.

    Raises:
        Absent: it is not.
    """
    off = system.tls == "no" or (system.tls == "auto" and _speaks_plainly(system, http))
    if off or not system.certificate:
        raise Absent("TLS is off: no certificate", (system.config or "the configuration",))


def _speaks_plainly(system: PocketAgent, http: Http) -> bool:
    try:
        return page(system, http).scheme == "http"
    except CannotTell:
        return False


def _read(path: str, filesystem: Filesystem, certificates: Certificates) -> Certificate:
    """The certificate in the file; links are followed, as certbot makes them."""
    return certificates.read(filesystem.read(path, follow=True))


def _usable(
    system: PocketAgent, filesystem: Filesystem, certificates: Certificates, http: Http
) -> Certificate:
    """The certificate on disk.

    Raises:
        Absent: TLS is off.
        Blocked: it is not there, or is none.
    """
    _require_tls(system, http)
    try:
        return _read(system.certificate, filesystem, certificates)
    except (NotThere, WrongKind) as met:
        raise Blocked(VALID, str(met)) from None


@probe
def certificate_file(
    system: PocketAgent, filesystem: Filesystem, certificates: Certificates, http: Http
) -> CertificateFile:
    """Whether the certificate's file can be used now."""
    _require_tls(system, http)
    path, trouble = system.certificate, ""
    try:
        found = _read(path, filesystem, certificates)
    except NotThere:
        trouble = "it is not there"
    except WrongKind as met:
        trouble = str(met).removeprefix(f"{path} ")
    else:
        now = datetime.now(UTC)
        if found.not_after <= now:
            trouble = f"it expired on {found.not_after:%Y-%m-%d}"
        elif found.not_before > now:
            trouble = f"it is valid only from {found.not_before:%Y-%m-%d %H:%M} UTC on"
    return CertificateFile(path, trouble)


@probe
def certificate_lifetime(
    system: PocketAgent, filesystem: Filesystem, certificates: Certificates, http: Http
) -> Lifetime:
    """How long the certificate still lasts; one that has expired is the other check's."""
    found = _usable(system, filesystem, certificates, http)
    days = (found.not_after.timestamp() - time.time()) / 86_400
    if days <= 0:
        raise Blocked(VALID, "the certificate has expired")
    limit = float(system.settings.certificate_days)
    left = Measure("days left of the certificate", round(days, 1), "days", limit)
    return Lifetime(system.certificate, left, f"{found.not_after:%Y-%m-%d}")


@probe
def certificate_names(
    system: PocketAgent, filesystem: Filesystem, certificates: Certificates, http: Http
) -> Names:
    """The names that the certificate is for, against the one that clients use."""
    found = _usable(system, filesystem, certificates, http)
    wanted = system.settings.server_name
    if wanted:
        matches = found.matches(wanted)
    else:
        # Nobody said what clients call it: any public name may be right, or this host's own.
        own = ("localhost", system.settings.address, socket.gethostname())
        public = any("." in name and not name.endswith(".localhost") for name in found.names)
        matches = public or any(found.matches(name) for name in own)
    return Names(system.certificate, wanted, found.names, matches)


@probe
def key_pair(
    system: PocketAgent, filesystem: Filesystem, certificates: Certificates, http: Http
) -> KeyPair:
    """Whether the private key is there and belongs to the certificate, whatever their kind."""
    found = _usable(system, filesystem, certificates, http)
    trouble = ""
    try:
        public = certificates.public_key_of_private(filesystem.read(system.key, follow=True))
    except NotThere:
        trouble = "the key is not there"
    except WrongKind as met:
        trouble = str(met)
    else:
        if public != found.public_key:
            trouble = f"the key belongs to another certificate than this one ({found.key_kind})"
    return KeyPair(system.certificate, system.key, trouble)


@probe(deadline=WHOLE, every=60.0)
def served_certificate(
    system: PocketAgent,
    processes: Processes,
    sockets: Sockets,
    http: Http,
    websocket: WebSockets,
    filesystem: Filesystem,
    certificates: Certificates,
) -> Served:
    """The certificate that the server serves, against the one on disk."""
    on_disk = _usable(system, filesystem, certificates, http)
    find_seat(system, processes, sockets, http).demand_answers()
    talked = converse(system, http, websocket)
    if talked.certificate is None:
        said_by(talked)
        return Served(("the server speaks without TLS, although TLS is configured",))
    served = certificates.read_der(talked.certificate)
    if served.sha256 == on_disk.sha256:
        return Served(())
    name = os.path.basename(system.certificate)
    return Served((_row("served", served), _row(f"{name} on disk", on_disk)))


def _row(what: str, seen: Certificate) -> str:
    """A certificate in a line."""
    return f"{what}: until {seen.not_after:%Y-%m-%d}, SHA-256 {seen.sha256[:16]}"
