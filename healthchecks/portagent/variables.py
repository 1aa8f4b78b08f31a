"""The variables that Portagent is started with, and which of them are secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from plugins.endpoints import proxying
from plugins.redaction import Secret

SECRETS = frozenset({"LLM_PROVIDER_KEY", "JWT_SECRET", "DEEPRACTICE_API_KEY"})
NAMES = (
    *("LLM_PROVIDER_KEY", "LLM_PROVIDER_URL", "JWT_SECRET", "INVITE_CODE_REQUIRED", "LOG_LEVEL"),
    *("PORT", "AGENTX_DIR", "HOME", "TZ", "NODE_EXTRA_CA_CERTS", *proxying.VARIABLES),
    *("WS_PORT", "DEEPRACTICE_API_KEY"),  # of the second generation
)
# What an option of the command line sets; an option goes before every variable.
OPTIONS = {
    "JWT_SECRET": ("jwt-secret",),
    "LLM_PROVIDER_KEY": ("api-key",),
    "LLM_PROVIDER_URL": ("api-url",),
    "AGENTX_DIR": ("data-dir", "d"),
}


@dataclass(frozen=True)
class Variable:
    """One variable that it is started with.

    Args:
        name: of the variable.
        value: shown to nobody, for a URL may hold a password too.
        source: what sets it: "process 12", "container portagent", a file, "--jwt-secret".
    """

    name: str
    value: Secret
    source: str

    def __str__(self) -> str:
        return f"{self.name} ({self.source})"


def variables_of(pairs: Mapping[str, str | Secret], source: str) -> dict[str, Variable]:
    """Return those of the variables that we look at, by name; an empty one counts as set."""
    return {
        name: Variable(name, value if isinstance(value, Secret) else Secret(value), source)
        for name, value in pairs.items()
        if name in NAMES
    }


def first_of(layers: Iterable[Mapping[str, Variable]]) -> tuple[Variable, ...]:
    """Return the variables in force, by name: each from the first layer that sets it."""
    found: dict[str, Variable] = {}
    for layer in layers:
        found = {**layer, **found}
    return tuple(found[name] for name in sorted(found))
