"""A reading of what `nft -j list ruleset` prints, for a new TCP connection over IPv4."""

from __future__ import annotations

import json
from typing import Any

from .firewall import ACCEPT, DROP, Chains, Rule, both

FAMILIES = {"ip", "inet"}
VERDICTS = {"accept": "accept", "drop": DROP, "return": "return", "reject": DROP}
# These pass or fail by what we do not see: rates, counts, matches of other tools.
UNSEEN = {"limit", "quota", "ct count"}
Thing = dict[str, Any]


def read(text: str, port: int) -> list[Chains]:
    """Return the chains of each table that sees IPv4.

    Raises:
        ValueError: it is no such document.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or not isinstance(document.get("nftables"), list):
        raise ValueError("no nftables in it")
    things = [
        (kind, item[kind])
        for item in document["nftables"]
        for kind in ("set", "map", "chain", "rule")
        if kind in item and item[kind]["family"] in FAMILIES
    ]
    sets = {
        (thing["family"], thing["table"], f"@{thing['name']}"): thing.get("elem", [])
        for kind, thing in things
        if kind in {"set", "map"}
    }
    tables: dict[tuple[str, str], Chains] = {}
    for kind, thing in things:
        place = (thing["family"], thing["table"])
        chains = tables.setdefault(place, Chains())
        if kind == "chain" and thing.get("hook") in {"prerouting", "input"}:
            chains.entries.append((thing["name"], thing.get("policy", ACCEPT)))
        elif kind == "rule":
            own = {key[2]: value for key, value in sets.items() if key[:2] == place}
            where = f"chain {' '.join(place)} {thing['chain']}"
            rules = _Reading(port, own).rules(thing.get("expr", []), where)
            chains.rules.setdefault(thing["chain"], []).extend(rules)
    return list(tables.values())


class _Reading:
    def __init__(self, port: int, sets: dict[str, Any]) -> None:
        self.port = port
        self.sets = sets

    def rules(self, expressions: list[Thing], where: str) -> list[Rule]:
        """Return the rule; a verdict map becomes one rule for each of its entries."""
        applies: bool | None = True
        found: list[Rule] = []
        verdict = next((k for one in expressions for k in one if k in VERDICTS), "")
        text = f"{where}: {verdict or 'verdict map'}"
        for expression in expressions:
            kind, value = next(iter(expression.items()))
            if kind in VERDICTS:
                found.append(Rule(applies, VERDICTS[kind], "", text))
            elif kind in {"jump", "goto"}:
                found.append(Rule(applies, kind, value["target"], text))
            elif kind == "match":
                applies = both(applies, self._match(value))
            elif kind == "vmap":
                found += self._mapped(value, applies, text)
            elif kind == "xt" and value.get("type") == "target" and value.get("name") != "LOG":
                found.append(Rule(None if applies else applies, ACCEPT, "", text))
            elif kind == "xt" or kind in UNSEEN:
                applies = both(applies, None)
        return found

    def _mapped(self, value: Thing, applies: bool | None, text: str) -> list[Rule]:
        entries = value["data"].get("set", []) if isinstance(value["data"], dict) else None
        if entries is None:
            entries = self.sets.get(value["data"])
        if entries is None:
            return [Rule(None if applies else applies, ACCEPT, "", text)]
        found = []
        for key, verdict in entries:
            said = both(applies, self._condition(value["key"], key))
            kind, where = next(iter(verdict.items()))
            target = where["target"] if kind in {"jump", "goto"} else ""
            found.append(Rule(said, VERDICTS.get(kind, kind), target, text))
        return found

    def _match(self, match: Thing) -> bool | None:
        left, right, operator = match["left"], match["right"], match["op"]
        said = self._condition(left, right) if isinstance(left, dict) else None
        if said is None or operator not in {"==", "in", "!="}:
            return None
        return not said if operator == "!=" else said

    def _condition(self, left: Thing, right: Any) -> bool | None:
        if "payload" in left:
            return self._header(left["payload"], right)
        meta, state = left.get("meta", {}).get("key"), left.get("ct", {}).get("key")
        if meta in {"iifname", "iif"}:
            return False if right == "lo" else None
        ours: dict[str | None, str | int] = {"l4proto": "tcp", "nfproto": "ipv4"}
        if meta in ours:
            return self._among(right, ours[meta])
        if state == "state":
            return self._among(right, "new")
        # A new connection that nothing redirected has no status such as dnat.
        return False if state == "status" else None

    def _header(self, payload: Thing, right: Any) -> bool | None:
        protocol, name = payload.get("protocol"), payload.get("field")
        if protocol in {"icmp", "icmpv6", "udp", "ip6", "sctp", "dccp"}:
            return False
        if name == "dport":
            return self._among(right, self.port)
        return self._among(right, "tcp") if name == "protocol" else None

    def _among(self, right: Any, wanted: str | int) -> bool | None:
        if isinstance(right, str) and right.startswith("@"):
            right = self.sets.get(right)
        if isinstance(right, list):
            answers = [self._among(one, wanted) for one in right]
            return True if True in answers else None if None in answers else False
        if isinstance(right, dict) and "set" in right:
            return self._among(right["set"], wanted)
        if isinstance(right, dict) and "range" in right and isinstance(wanted, int):
            low, high = right["range"]
            numbers = isinstance(low, int) and isinstance(high, int)
            return low <= wanted <= high if numbers else None
        if right is None or isinstance(right, dict):
            return None
        return bool(right == wanted or (wanted == "tcp" and right == 6))
