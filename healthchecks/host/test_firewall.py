"""The firewall: whether others reach what is meant for them."""

from __future__ import annotations

from plugins import P2, check, fault, healthy, listed

from .probes_network import Dropped
from .world import World
from .world_firewalls import FIREWALLD, FIREWALLD_HOLE, UFW, UFW_HOLE

TOOLS = ("root", "ip", "iptables", "nft")


@check(
    P2,
    guide="H14",
    hint="Let the port through with the tool that made the rule: `ufw allow <port>/tcp`, "
    "`firewall-cmd --permanent --add-port=<port>/tcp` and `firewall-cmd --reload`, "
    "`iptables -I INPUT -p tcp --dport <port> -j ACCEPT`, or `nft insert rule <family> <table> "
    "<chain> tcp dport <port> accept` with the chain that is named; or bind the server to "
    "127.0.0.1 if nobody else is meant to reach it.",
)
def test_the_firewall_lets_watched_ports_through(dropped_ports: tuple[Dropped, ...]) -> None:
    """The firewall lets through the ports that systems listen on beyond loopback.

    From this machine everything works, and from everywhere else the server looks dead.
    """
    assert not dropped_ports, listed("ports that the firewall keeps others from", dropped_ports)


@healthy(test_the_firewall_lets_watched_ports_through, needs=TOOLS)
def an_open_firewall(world: World) -> None:
    world.firewall()


@healthy(test_the_firewall_lets_watched_ports_through, needs=TOOLS)
def a_strict_firewall_with_a_hole(world: World) -> None:
    world.firewall(
        "iptables -P INPUT DROP",
        "iptables -N ours",
        "iptables -A INPUT -i lo -j ACCEPT",
        "iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "iptables -A INPUT -p tcp -j ours",
        "iptables -A ours -p tcp -m multiport --dports 22,{port} -j ACCEPT",
    )


@healthy(test_the_firewall_lets_watched_ports_through, needs=TOOLS)
def strict_nftables_with_a_hole(world: World) -> None:
    world.firewall(
        "nft add table inet guard",
        "nft add chain inet guard input {{ type filter hook input priority 0 ; policy drop ; }}",
        "nft add rule inet guard input ct state vmap {{ established : accept, invalid : drop }}",
        "nft add rule inet guard input tcp dport {{ 22, {port} }} accept",
    )


@healthy(test_the_firewall_lets_watched_ports_through, needs=TOOLS)
def ufw_with_a_hole(world: World) -> None:
    world.firewall(*UFW, UFW_HOLE)


@healthy(test_the_firewall_lets_watched_ports_through, needs=TOOLS)
def firewalld_with_a_hole(world: World) -> None:
    world.firewall(*FIREWALLD, FIREWALLD_HOLE)


@fault(test_the_firewall_lets_watched_ports_through, needs=TOOLS)
def ufw_without_a_hole(world: World) -> None:
    world.firewall(*UFW)


@fault(test_the_firewall_lets_watched_ports_through, needs=TOOLS)
def firewalld_without_a_hole(world: World) -> None:
    world.firewall(*FIREWALLD)


@fault(test_the_firewall_lets_watched_ports_through, needs=TOOLS)
def a_rule_against_the_port(world: World) -> None:
    world.firewall("iptables -A INPUT -p tcp --dport {port} -j DROP")


@fault(test_the_firewall_lets_watched_ports_through, needs=TOOLS)
def a_rule_before_the_input_chains(world: World) -> None:
    world.firewall("iptables -t raw -A PREROUTING -p tcp --dport {port} -j DROP")


@fault(test_the_firewall_lets_watched_ports_through, needs=(*TOOLS, "iptables-legacy"))
def a_rule_in_the_older_tables(world: World) -> None:
    world.firewall("iptables-legacy -A INPUT -p tcp --dport {port} -j DROP")


@fault(test_the_firewall_lets_watched_ports_through, needs=TOOLS)
def a_strict_firewall_without_a_hole(world: World) -> None:
    world.firewall(
        "iptables -P INPUT DROP",
        "iptables -A INPUT -i lo -j ACCEPT",
        "iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "iptables -A INPUT -p tcp -m multiport --dports 22,8000:9000 -j ACCEPT",
        "iptables -A INPUT -p udp --dport {port} -j ACCEPT",
    )


@fault(test_the_firewall_lets_watched_ports_through, needs=TOOLS)
def strict_nftables_without_a_hole(world: World) -> None:
    world.firewall(
        "nft add table inet guard",
        "nft add set inet guard open {{ type inet_service ; elements = {{ 22, 80 }} ; }}",
        "nft add chain inet guard input {{ type filter hook input priority 0 ; }}",
        "nft add rule inet guard input ct state established,related accept",
        "nft add rule inet guard input tcp dport @open accept",
        "nft add rule inet guard input limit rate 3/minute log",
        "nft add rule inet guard input reject",
    )
