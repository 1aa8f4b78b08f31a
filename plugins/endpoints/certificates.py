"""TLS certificates: what a file holds, what a server serves, and whether a key belongs to one."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from plugins.endpoints.memory import Memory
from plugins.endpoints.wires import Address, Dead, Watch, dial, from_here, wrap
from plugins.hosts import Host
from plugins.outcomes import CannotTell, WrongKind

if TYPE_CHECKING:
    from cryptography import x509

_KEY = re.compile(
    rb"-----BEGIN (?P<kind>(?:[A-Z0-9]+ )*PRIVATE KEY)-----.*?-----END (?P=kind)-----", re.DOTALL
)


@dataclass(frozen=True)
class Certificate:
    """What a certificate says.

    Attributes:
        subject, issuer: as RFC 4514 writes them.
        names: host names and IP addresses that it is for; its common name when it lists none.
        not_before, not_after: with their time zone (UTC).
        key_kind: such as "RSA 2048", "EC secp256r1" or "Ed25519".
        public_key: SHA-256 of the public key (its DER SubjectPublicKeyInfo), in hex.
        sha256: of the whole certificate, in hex.
        self_signed: whether it was signed with its own key.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key_kind: str
    public_key: str
    sha256: str
    self_signed: bool

    def matches(self, name: str) -> bool:
        """Whether it is for this host name or IP address; a `*` stands for one whole label."""
        wanted = name.strip("[]").rstrip(".").lower()
        number = _number(wanted)
        for known in self.names:
            if number is not None:
                if _number(known) == number:
                    return True
                continue
            pattern = known.rstrip(".").lower()
            if pattern == wanted:
                return True
            first, _, rest = wanted.partition(".")
            if first and rest and pattern == f"*.{rest}":
                return True
        return False


def _number(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


class Certificates:
    """Certificates in files' contents and on ports; an address is asked once in a look."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._memory = Memory()
        self._dead = Dead()

    def read(self, pem: bytes) -> Certificate:
        """Return the first certificate of a PEM file's content: the server's own, in a chain.

        Raises:
            WrongKind: there is none, or it cannot be read.
        """
        from cryptography import x509

        try:
            found = x509.load_pem_x509_certificates(pem)[0]
        except (ValueError, IndexError):
            raise WrongKind("the file holds no certificate that can be read") from None
        return _said(found)

    def public_key_of_private(self, pem: bytes) -> str:
        """Return the SHA-256, in hex, of the public key that belongs to a private one.

        Equal to `Certificate.public_key` exactly when the two belong together, RSA or not.

        Raises:
            CannotTell: the key is encrypted, or of a kind that is not known here.
            WrongKind: the content holds no private key.
        """
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization

        block = _KEY.search(pem)
        if block is None:
            raise WrongKind("the file holds no private key")
        # Messages of the library are not passed on: they may quote what they could not read.
        try:
            key = serialization.load_pem_private_key(block.group(), password=None)
        except TypeError:
            raise CannotTell("the private key is encrypted, and we have no password") from None
        except UnsupportedAlgorithm:
            raise CannotTell("the private key is of a kind that is not known here") from None
        except ValueError:
            raise WrongKind("the private key cannot be read: it is damaged") from None
        return _digest(key.public_key())

    def served(self, host: str, port: int, deadline: float = 5.0) -> Certificate:
        """Return what a server serves on a port; it is not verified.

        Raises:
            NotThere, Refused, NoPermission, TimedOut, CannotTell: who did not answer, and why.
            WrongKind: the other side does not speak TLS.
        """
        address = Address(host.strip("[]"), port)
        from_here(self._host, address)
        return self._memory.once(address, lambda: self._served(address, deadline))

    def _served(self, address: Address, deadline: float) -> Certificate:
        with Watch(f"TLS with {address}", deadline) as watch, self._dead.at(address):
            sealed = wrap(dial(address, watch), address, watch)
            with sealed:
                return self.read_der(sealed.getpeercert(binary_form=True) or b"")

    def read_der(self, der: bytes) -> Certificate:
        """Return what a DER certificate says, such as the one of `Talk.certificate`.

        Raises:
            WrongKind: it cannot be read.
        """
        from cryptography import x509

        try:
            return _said(x509.load_der_x509_certificate(der))
        except ValueError:
            raise WrongKind("the certificate that is served cannot be read") from None


def _said(found: x509.Certificate) -> Certificate:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes

    try:
        return Certificate(
            subject=found.subject.rfc4514_string(),
            issuer=found.issuer.rfc4514_string(),
            names=_names(found),
            not_before=found.not_valid_before_utc,
            not_after=found.not_valid_after_utc,
            key_kind=_kind(found.public_key()),
            public_key=_digest(found.public_key()),
            sha256=found.fingerprint(hashes.SHA256()).hex(),
            self_signed=_signed_itself(found),
        )
    except (ValueError, UnsupportedAlgorithm):
        raise WrongKind("the certificate is damaged, or of a kind not known here") from None


def _names(found: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        listed = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = found.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return tuple(str(name.value) for name in common)
    domains = listed.get_values_for_type(x509.DNSName)
    numbers = listed.get_values_for_type(x509.IPAddress)
    return (*domains, *(str(number) for number in numbers))


def _kind(key: object) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return type(key).__name__.strip("_").removesuffix("PublicKey")


def _digest(key: object) -> str:
    from cryptography.hazmat.primitives import serialization

    form = serialization.PublicFormat.SubjectPublicKeyInfo
    der = key.public_bytes(serialization.Encoding.DER, form)  # type: ignore[attr-defined]
    return hashlib.sha256(der).hexdigest()


def _signed_itself(found: x509.Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    if found.subject != found.issuer:
        return False
    try:
        found.verify_directly_issued_by(found)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True
