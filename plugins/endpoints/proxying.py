"""Which proxy a program goes through, as the variables that it was started with say."""

from __future__ import annotations

from collections.abc import Mapping

from plugins.endpoints.wires import address_of
from plugins.outcomes import WrongKind

# A program that finds none of its scheme goes on to the next.
_NAMES = {
    "https": ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"),
    "http": ("http_proxy", "HTTP_PROXY"),
}
_EXCEPT = ("no_proxy", "NO_PROXY")
VARIABLES = (*_NAMES["https"], *_EXCEPT)


def proxy_for(url: str, variables: Mapping[str, str]) -> tuple[str, str]:
    """Return the proxy's URL and the variable that names it; ("", "") where none is used.

    Args:
        url: http or https.
        variables: those of `VARIABLES` that the program was started with.
    """
    if any(_spared(url, variables.get(name, "")) for name in _EXCEPT):
        return "", ""
    for name in _NAMES.get(url.partition(":")[0].lower(), ()):
        if value := variables.get(name, "").strip():
            return value if "://" in value else f"http://{value}", name
    return "", ""


def _spared(url: str, exceptions: str) -> bool:
    """Whether the URL's host, with or without its port, is one of the exceptions or below one."""
    try:
        address = address_of(url, tuple(_NAMES))
    except WrongKind:
        return False
    host = address.name.lower()
    for word in exceptions.lower().replace(",", " ").split():
        if word == "*":
            return True
        name, _, number = word.rpartition(":")
        if not number.isdigit() or (":" in name and not name.endswith("]")):
            name, number = word, ""
        name = name.strip("[]").removeprefix("*").removeprefix(".")
        if number and int(number) != address.port:
            continue
        if name and (host == name or host.endswith(f".{name}")):
            return True
    return False
