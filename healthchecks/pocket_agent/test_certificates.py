"""The certificate is valid, for the right name, with its own key, and the one that is served."""

from __future__ import annotations

from healthchecks.pocket_agent.probes_certificates import (
    CertificateFile,
    KeyPair,
    Lifetime,
    Names,
    Served,
)
from healthchecks.pocket_agent.world import World
from plugins import P0, P1, check, fault, healthy, listed


@check(
    P0,
    guide="PA07",
    hint="""Renew it as it was made. Or keep a copy of both files (`cp -p`) and make a pair that
    signs itself: `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365
    -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout <tls_key_file>
    -out <tls_cert_file>`; give both to the server's user (`chown`). Then
    `systemctl restart pocket-agent-server`: it loads them only at start.""",
)
def test_the_certificate_is_valid(certificate_file: CertificateFile) -> None:
    """The certificate is there and valid now.

    With an expired one clients refuse to connect, and without one the server refuses to start.
    """
    trouble = certificate_file.trouble
    assert not trouble, listed(
        "the certificate is not valid", [f"{certificate_file.path}: {trouble}"]
    )


@check(
    P1,
    guide="PA07",
    hint="""Renew it now (`certbot renew`, or as it was made), then restart the server when no
    execution runs: `systemctl restart pocket-agent-server`; it is loaded only at start.
    certificate_days in the systems file says how early this is told.""",
)
def test_the_certificate_lasts(certificate_lifetime: Lifetime) -> None:
    """The certificate has weeks left.

    On the day it ends no client connects any more.
    """
    seen = certificate_lifetime
    assert seen.left.value >= (seen.left.limit or 0.0), listed(
        f"the certificate ends in {seen.left.value:.0f} days; "
        f"{seen.left.limit or 0:g} should be left",
        [f"{seen.path}: until {seen.until}"],
    )


@check(
    P1,
    guide="PA07",
    hint="""Have one made for the name that clients use: with openssl that is
    `-addext subjectAltName=DNS:<name>`; server_name in the systems file is that name.""",
)
def test_the_certificate_is_for_its_name(certificate_names: Names) -> None:
    """The certificate is for the name by which clients reach the server.

    Clients that check names, and all should, refuse any other.
    """
    seen = certificate_names
    told = f"the certificate is not for {seen.wanted or 'any name of this host'}"
    assert seen.matches, listed(told, [f"{seen.path}: for {', '.join(seen.names) or 'no name'}"])


@check(
    P0,
    guide="PA08",
    hint="""Compare `openssl x509 -in <tls_cert_file> -noout -pubkey` with
    `openssl pkey -in <tls_key_file> -pubout`: they must be equal, for RSA and EC. Put the key that
    was made with the certificate in its place, or make both anew.""",
)
def test_certificate_and_key_belong_together(key_pair: KeyPair) -> None:
    """Certificate and key belong together.

    The server does not start with a pair that does not match; one that runs meets it at the next
    start.
    """
    trouble = key_pair.trouble
    assert not trouble, listed(
        "certificate and key do not work together",
        [f"{key_pair.key}: {trouble}", f"certificate: {key_pair.certificate}"],
    )


@check(
    P1,
    guide="PA09",
    hint="""Restart the server when no execution runs: `systemctl restart pocket-agent-server`. It
    loads the certificate only at start; SIGHUP does nothing.""",
)
def test_the_server_serves_the_certificate_on_disk(served_certificate: Served) -> None:
    """The server serves the certificate that lies on disk.

    A renewed one is not served before a restart: the old one goes on to its end, unseen by whoever
    looks only at the file.
    """
    difference = served_certificate.difference
    assert not difference, listed("the server serves another certificate", difference)


@healthy(test_the_certificate_is_valid)
@healthy(test_the_certificate_lasts)
@healthy(test_the_certificate_is_for_its_name)
@healthy(test_certificate_and_key_belong_together)
@healthy(test_the_server_serves_the_certificate_on_disk)
@healthy(test_the_server_serves_the_certificate_on_disk, layout="guide")
@healthy(test_the_certificate_is_valid, layout="guide")
@healthy(test_certificate_and_key_belong_together, layout="guide")
def served(world: World) -> None:
    """The pair on disk, EC, is the one that is served."""
    world.start()


@healthy(test_the_certificate_is_valid)
@healthy(test_certificate_and_key_belong_together)
@healthy(test_the_server_serves_the_certificate_on_disk)
def with_rsa(world: World) -> None:
    """The same with an RSA key."""
    world.certificate(key="RSA")
    world.start()


@healthy(test_the_certificate_is_for_its_name)
def for_a_public_name(world: World) -> None:
    """A wildcard certificate, and a server that is reached by one of its names."""
    world.certificate(names=("*.agents.example.org",))
    world.change(server_name="one.agents.example.org")


@fault(test_the_certificate_is_valid)
def expired(world: World) -> None:
    """It ended yesterday."""
    world.certificate(days=-1)


@fault(test_the_certificate_is_valid)
def not_yet_valid(world: World) -> None:
    """It begins tomorrow: made on a machine with a wrong clock."""
    world.certificate(not_before=-1)


@fault(test_the_certificate_is_valid)
def missing(world: World) -> None:
    """The file is gone."""
    world.crt.unlink()


@fault(test_the_certificate_is_valid)
def cut_short(world: World) -> None:
    """The file is a piece of a certificate."""
    world.crt.write_bytes(world.crt.read_bytes()[:200])


@fault(test_the_certificate_lasts)
def soon_over(world: World) -> None:
    """Twelve days are left."""
    world.certificate(days=12)


@fault(test_the_certificate_lasts, becomes="blocked")
def over(world: World) -> None:
    """What has ended is one finding, not two."""
    world.certificate(days=-1)


@fault(test_the_certificate_is_for_its_name)
def for_another_name(world: World) -> None:
    """Clients use a name that it does not list."""
    world.change(server_name="agent.example.org")


@fault(test_certificate_and_key_belong_together)
def with_another_key(world: World) -> None:
    """The key was made anew, the certificate was not."""
    world.other_key()


@fault(test_certificate_and_key_belong_together)
def without_a_key(world: World) -> None:
    """The key is gone."""
    world.key.unlink()


@fault(test_the_server_serves_the_certificate_on_disk)
def renewed(world: World) -> None:
    """Renewed on disk while the server ran."""
    world.start()
    world.certificate(days=400)


@fault(test_the_certificate_is_valid, becomes="absent")
@fault(test_the_server_serves_the_certificate_on_disk, becomes="absent")
def without_tls(world: World) -> None:
    """TLS is off: there is nothing to judge."""
    world.plain()
    world.start()
