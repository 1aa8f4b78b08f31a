"""What the firewall does with connections to the ports that watched systems listen on."""

from __future__ import annotations

from dataclasses import dataclass

from plugins import Absent, CannotTell, NoPermission, probe
from plugins.endpoints.sockets import Sockets
from plugins.eyes import naming, reading
from plugins.hosts import Host
from plugins.systems import Uses

from . import firewall, nftables
from .system import WatchedHost

LEGACY = "iptables-legacy"
TOOLS = (
    ("nft", "-j", "list", "ruleset"),
    ("iptables", "-S"),
    (LEGACY, "-S"),
    ("pfctl", "-s", "rules"),
)


@dataclass(frozen=True)
class Dropped:
    """A watched port, and the rule or policy that keeps new connections out."""

    port: int
    rule: str

    def __str__(self) -> str:
        return f"port {self.port}: {self.rule}"


@probe(every=60.0)
def dropped_ports(
    system: WatchedHost, watched: tuple[Uses, ...], commands: Host
) -> tuple[Dropped, ...]:
    """The ports of watched systems that listen beyond loopback and that the firewall drops."""
    wanted = {port for uses in (system.uses, *watched) for port in uses.ports}
    if not wanted:
        raise Absent("no present system listens on a port")
    sockets = Sockets(commands, system.settings.network_tables)
    open_ports = {one.port for one in sockets.listeners() if one.beyond_loopback}
    ports = sorted(wanted & open_ports)
    if not ports:
        names = tuple(f"the sockets of port {port}" for port in sorted(wanted))
        raise Absent("no watched port listens beyond loopback", names)
    rules = _rules(system, commands)
    found = []
    for port in ports:
        reason = next(filter(None, (_dropped(tool, text, port) for tool, text in rules)), "")
        if reason:
            found.append(Dropped(port, reason))
    return tuple(found)


def _rules(system: WatchedHost, commands: Host) -> list[tuple[str, str]]:
    """Return (tool, what it printed) of each firewall tool of the host."""
    found = []
    # They stand in folders that are on root's PATH only.
    names = [argv[0] for argv in TOOLS]
    places = commands.call(naming.programs, names, list(system.tool_folders))
    if not _has_old_tables(system, commands):
        places[LEGACY] = ""
    for name, *words in TOOLS:
        if not places[name]:
            continue
        argv = (*system.settings.firewall_command, places[name], *words)
        ran = commands.run(argv, deadline=8.0)
        said = ran.complaint.lower()
        if ran.status and any(word in said for word in ("permission", "permitted", "root")):
            raise NoPermission(
                f"only root may ask for the firewall's rules ({name}); run as root, or set "
                'firewall_command = ["sudo", "-n"] in [host]'
            )
        if ran.truncated:
            raise CannotTell(f"{name} printed more rules than we read")
        if not ran.status:
            found.append((name, ran.text))
    if not found:
        raise Absent("no firewall that can be asked", tuple(names))
    return found


def _has_old_tables(system: WatchedHost, commands: Host) -> bool:
    """Whether rules stand in the kernel's older tables; merely asking for them would make them."""
    file = f"{system.settings.network_tables}/net/ip_tables_names"
    return "filter" in str(commands.call(reading.at, [file], 4096)[file]["text"]).split()


def _dropped(tool: str, text: str, port: int) -> str:
    if not text.strip():
        return ""
    try:
        if tool in {"iptables", LEGACY}:
            return firewall.dropped([firewall.from_iptables(text, port)])
        if tool == "pfctl":
            return firewall.dropped([firewall.from_pf(text, port)])
        return firewall.dropped(nftables.read(text, port))
    except (ValueError, LookupError, TypeError, AttributeError):
        raise CannotTell(f"{tool} printed rules of a kind that we do not know") from None
