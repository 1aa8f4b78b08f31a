"""The private key is private, and the certificate is the server's to change."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from healthchecks.pocket_agent.probes_disk import Exposed, Foreign
from healthchecks.pocket_agent.world import World
from plugins import P1, SAFE, check, fault, healthy, listed, remedy
from plugins.steps import Chmod, Chown


@remedy(SAFE)
def close_the_key(open_keys: tuple[Exposed, ...]) -> Iterator[Chmod]:
    """Run `chmod 600` on the key. Whoever could read it may have a copy: on a machine with other
    users, make a new key and certificate too."""
    for key in open_keys:
        yield Chmod(key.path, key.mode & key.allowed, seen=key.seen)


@check(P1, guide="PA10", remedy=close_the_key)
def test_the_key_is_private(open_keys: tuple[Exposed, ...]) -> None:
    """Nobody but its owner can read the private key.

    With the key, anybody between a client and the server can read and answer in its name.
    """
    assert not open_keys, listed("the private key is open to others", open_keys)


@healthy(test_the_key_is_private)
def private(world: World) -> None:
    world.key.chmod(0o600)


@healthy(test_the_key_is_private)
def read_only(world: World) -> None:
    world.key.chmod(0o400)


@fault(test_the_key_is_private)
def readable_by_all(world: World) -> None:
    world.key.chmod(0o644)


@fault(test_the_key_is_private)
def readable_by_the_group(world: World) -> None:
    world.lay_out("guide")
    world.key.chmod(0o640)


@fault(test_the_key_is_private, becomes="absent")
def without_tls(world: World) -> None:
    world.configure(tls_enabled=False, tls_cert_file=None, tls_key_file=None)
    world.change(tls="auto", certificate="", key="")
    world.key.unlink()


@fault(test_the_key_is_private, becomes="blocked")
def gone(world: World) -> None:
    world.key.unlink()


@fault(test_the_key_is_private, becomes="cannot_tell")
def a_pipe(world: World) -> None:
    world.key.unlink()
    os.mkfifo(world.key)


@remedy(SAFE)
def close_the_certificate(open_certificates: tuple[Exposed, ...]) -> Iterator[Chmod]:
    """Run `chmod 644` on the certificate."""
    for certificate in open_certificates:
        mode = certificate.mode & certificate.allowed
        yield Chmod(certificate.path, mode, seen=certificate.seen)


@check(P1, guide="PA10", remedy=close_the_certificate)
def test_only_the_owner_can_change_the_certificate(open_certificates: tuple[Exposed, ...]) -> None:
    """Nobody but its owner can change the certificate.

    Whoever can put another one there takes the server's place at its next start.
    """
    assert not open_certificates, listed("the certificate is open to others", open_certificates)


@healthy(test_only_the_owner_can_change_the_certificate)
def readable(world: World) -> None:
    world.crt.chmod(0o644)


@fault(test_only_the_owner_can_change_the_certificate)
def writable_by_all(world: World) -> None:
    world.crt.chmod(0o666)


@remedy(SAFE)
def give_the_key_to_the_server(foreign_keys: tuple[Foreign, ...]) -> Iterator[Chown]:
    """Run, as root, `chown` with the server's user on each file that is listed."""
    for file in foreign_keys:
        if file.at_home:
            yield Chown(file.path, file.uid, file.gid, seen=file.seen)


@check(P1, guide="PA10", remedy=give_the_key_to_the_server)
def test_the_key_belongs_to_the_server(foreign_keys: tuple[Foreign, ...]) -> None:
    """The private key and the certificate belong to the server's user.

    A key of another user's is either not private or not readable: then the next start fails.
    """
    assert not foreign_keys, listed("key or certificate of another user", foreign_keys)


@healthy(test_the_key_belongs_to_the_server)
def its_own(world: World) -> None:
    world.certificate()


@fault(test_the_key_belongs_to_the_server, needs=("root",))
def key_of_a_stranger(world: World) -> None:
    shutil.chown(world.key, 65534)


@fault(test_the_key_belongs_to_the_server, needs=("root",))
def certificate_of_a_stranger(world: World) -> None:
    shutil.chown(world.crt, 65534)
