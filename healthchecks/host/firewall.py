"""What a firewall's rules do with a new TCP connection from another machine: a pure reading.

Each rule's conditions are answered with yes, no or unknown; a port counts as dropped only when no
reading of the unknown ones lets the connection in.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field

DROP, ACCEPT, RETURN = "drop", "accept", "return"


@dataclass(frozen=True)
class Rule:
    """One rule: what it does when it applies, and whether it applies to us (None: unknown).

    Args:
        verdict: "accept", "drop", "return", "jump", "goto" or "" (it only counts or logs).
        target: the chain of a jump or goto.
        text: the rule as the tool prints it.
    """

    applies: bool | None
    verdict: str
    target: str = ""
    text: str = ""


@dataclass
class Chains:
    """The chains of one table, and where a connection enters them.

    Args:
        rules: chain -> its rules in order.
        entries: (chain, policy) of each base chain at the input hook.
    """

    rules: dict[str, list[Rule]] = field(default_factory=dict)
    entries: list[tuple[str, str]] = field(default_factory=list)


def dropped(tables: Iterable[Chains]) -> str:
    """Return the rule or policy that keeps a connection out for certain, "" when it may get in."""
    for table in tables:
        for chain, policy in table.entries:
            last = [""]
            ends = _ends(table, chain, 0, last)
            if RETURN in ends:
                ends = (ends - {RETURN}) | {policy}
                last[0] = last[0] if policy != DROP else f"policy of {chain}: drop"
            if ends == {DROP}:
                return last[0]
    return ""


def _ends(table: Chains, chain: str, depth: int, last: list[str]) -> set[str]:
    """Return how a connection may leave a chain: accepted, dropped, or back to the caller."""
    ends: set[str] = set()
    if depth > 30:
        return {ACCEPT}
    for rule in table.rules.get(chain, ()):
        if rule.applies is False or not rule.verdict:
            continue
        if rule.verdict in {"jump", "goto"}:
            reached = _ends(table, rule.target, depth + 1, last)
            goes_on = rule.verdict == "jump" and RETURN in reached
            ends |= (reached - {RETURN}) if rule.verdict == "jump" else reached
        else:
            goes_on = False
            ends.add(rule.verdict)
            if rule.verdict == DROP:
                last[0] = rule.text
        if rule.applies and not goes_on:
            return ends
    return ends | {RETURN}


def from_iptables(text: str, port: int) -> Chains:
    """Read what `iptables -S` prints, for a connection to a port."""
    chains = Chains()
    for line in text.splitlines():
        words = shlex.split(line, comments=False)
        if len(words) >= 3 and words[0] == "-P" and words[1] == "INPUT":
            chains.entries.append(("INPUT", ACCEPT if words[2] == "ACCEPT" else DROP))
        elif len(words) > 2 and words[0] == "-A":
            chains.rules.setdefault(words[1], []).append(_iptables_rule(words[2:], port, line))
    return chains


def _iptables_rule(words: list[str], port: int, line: str) -> Rule:
    applies: bool | None = True
    verdict, target = "", ""
    position = 0
    while position < len(words):
        option, negated = words[position], position > 0 and words[position - 1] == "!"
        value = words[position + 1] if position + 1 < len(words) else ""
        position += 1
        if option in {"-j", "-g"}:
            verdict, target = _iptables_verdict(value, option)
            break
        if not option.startswith("-") or option in {"-m", "--match"}:
            continue
        said = _iptables_condition(option, value, port)
        applies = both(applies, (not said if said is not None else None) if negated else said)
    return Rule(applies, verdict, target, line)


def _iptables_verdict(value: str, option: str) -> tuple[str, str]:
    known = {"ACCEPT": ACCEPT, "DROP": DROP, "REJECT": DROP, "RETURN": RETURN}
    silent = {"LOG", "NFLOG", "MARK", "CONNMARK", "AUDIT", "TRACE", "SET", "TCPMSS"}
    if value in known:
        return known[value], ""
    if value in silent:
        return "", ""
    return ("goto" if option == "-g" else "jump"), value


def _iptables_condition(option: str, value: str, port: int) -> bool | None:
    if option in {"-p", "--protocol"}:
        return value in {"tcp", "all"}
    if option in {"--dport", "--dports", "--destination-ports"}:
        return _among(value, port)
    if option in {"--state", "--ctstate"}:
        return "NEW" in value.split(",")
    if option in {"-i", "--in-interface"} and value == "lo":
        return False
    if option in {"--tcp-flags", "--syn"}:
        return True if option == "--syn" else None
    if option in {"--comment", "--wait"}:
        return True
    return None


def _among(value: str, port: int) -> bool:
    for part in value.split(","):
        low, _, high = part.partition(":")
        if low.isdigit() and int(low) <= port <= int(high if high.isdigit() else low):
            return True
    return False


def both(one: bool | None, other: bool | None) -> bool | None:
    """Return whether two conditions hold together; None where that is not known."""
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def from_pf(text: str, port: int) -> Chains:
    """Read what `pfctl -s rules` prints (macOS, BSD), for a connection to a port.

    There the first `quick` rule that applies decides, else the last of the others.
    """
    quick: list[Rule] = []
    others: list[Rule] = []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0] not in {"block", "pass"} or "out" in words[:4]:
            continue
        applies: bool | None = True
        if "proto" in words and words[words.index("proto") + 1] not in {"tcp", "6"}:
            applies = False
        to = words[words.index("to") :] if "to" in words else []
        if "port" in to:
            told = to[to.index("port") + 1 :]
            value = told[1] if told[:1] == ["="] else told[0] if told else ""
            applies = both(applies, _among(value, port) if value[:1].isdigit() else None)
        if "on" in words:
            applies = both(applies, None if words[words.index("on") + 1] != "lo0" else False)
        if not {"all", "any"} & set(words):
            applies = both(applies, None)
        rule = Rule(applies, DROP if words[0] == "block" else ACCEPT, "", line)
        (quick if "quick" in words else others).append(rule)
    return Chains({"rules": [*quick, *reversed(others)]}, [("rules", ACCEPT)])
