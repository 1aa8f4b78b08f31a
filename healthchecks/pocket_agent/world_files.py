"""Files of a world: certificates, metadata, message logs, a program with the server's name."""

from __future__ import annotations

import datetime
import functools
import ipaddress
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from healthchecks.pocket_agent.world_log import moment

if TYPE_CHECKING:
    from cryptography.x509 import GeneralName

CLAUDE = """#!/bin/sh
case "$1" in
  --version) echo "2.1.0 (Claude Code)"; exit 0 ;;
  --end) exit 0 ;;
esac
read -r _
"""
# A shell starts the interpreter: a line that begins with #! may be neither long nor hold blanks.
_PROGRAM = """#!/bin/sh
'''exec' "{interpreter}" "$0" "$@"
' '''
import sys

from healthchecks.pocket_agent.world_server import main

sys.exit(main(sys.argv[1:]))
"""
_DAY = 86_400


@functools.cache
def private_key(kind: str, which: int = 0) -> bytes:
    """Return a private key as PEM, "EC" or "RSA"; each `which` is made once a process."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = ec.generate_private_key(ec.SECP256R1())
    if kind == "RSA":
        key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def certificate(key_pem: bytes, days: float, names: Sequence[str], age: float) -> bytes:
    """Return a self-signed certificate as PEM, valid from `age` days ago to `days` days ahead."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key = serialization.load_pem_private_key(key_pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise TypeError("the key is EC or RSA")
    now = datetime.datetime.now(datetime.UTC)
    end = now + datetime.timedelta(days=days)
    start = min(now - datetime.timedelta(days=age), end - datetime.timedelta(hours=1))
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    builder = x509.CertificateBuilder(subject, subject, key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(start).not_valid_after(end)
    others = x509.SubjectAlternativeName([_general(name) for name in names])
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    builder = builder.add_extension(others, critical=False).add_extension(
        constraints, critical=True
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _general(name: str) -> GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def executable(folder: Path, repository: Path) -> Path:
    """Put a program in `folder`/bin that runs as `pocket-agent-server`; return its path.

    The interpreter is copied under that name and finds its library as in a virtual environment.
    Where it cannot be copied, the program runs under the interpreter's own name.
    """
    interpreter = folder / "libexec/pocket-agent-server"
    interpreter.parent.mkdir()
    source = Path(sys.executable).resolve()
    try:
        shutil.copyfile(source, interpreter)
        interpreter.chmod(0o755)
    except OSError:
        interpreter = Path(sys.executable)
    (folder / "pyvenv.cfg").write_text(f"home = {source.parent}\n", "utf-8")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    # Interpreters that look for their own shared library beside themselves find it here.
    for library in (source.parent.parent / "lib").glob("libpython*"):
        if library.is_file():
            (folder / "lib" / library.name).symlink_to(library)
    (packages / "world.pth").write_text(f"{repository}\n{_site()}\n", "utf-8")
    return script(folder / "bin/pocket-agent-server", _PROGRAM.format(interpreter=interpreter))


def _site() -> Path:
    import websockets

    return Path(websockets.__file__).parents[1]


def script(path: Path, text: str) -> Path:
    """Write an executable script and return its path."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(0o755)
    return path


def metadata(identifier: str, path: str, guide: bool, over: Mapping[str, object]) -> bytes:
    """Return a healthy project's metadata as its server writes it; a None in `over` drops a key."""
    now = time.time_ns()
    made, used = now - 10 * _DAY * 10**9 - 1, now - 3600 * 10**9 - 1
    held: dict[str, object] = {"id": identifier, "path": path}
    held |= {"created_at": moment(made), "last_active": moment(used)}
    if guide:
        shape = "%Y-%m-%dT%H:%M:%SZ"
        held["created_at"] = time.strftime(shape, time.gmtime(made // 10**9))
        held["last_active"] = time.strftime(shape, time.gmtime(used // 10**9))
        held["session_id"] = None
    for key, value in over.items():
        held[key] = value
        if value is None:
            del held[key]
    return json.dumps(held, indent=2, ensure_ascii=False).encode()


def conversation() -> bytes:
    """Return the lines of a healthy message log: question, start of the CLI, answer, result."""
    said = [{"text": "I'm doing well, thank you!", "type": "text"}]
    session = "15aa8498-9d20-4fcb-8459-9190f477322e"
    system = {"subtype": "init", "type": "system", "session_id": session, "apiKeySource": "none"}
    answer = {"message": {"content": said, "role": "assistant"}, "session_id": session}
    result = {"is_error": False, "num_turns": 1, "type": "result", "session_id": session}
    rows = (
        ("user", {"text": "hello"}, "client"),
        ("system", {"content": system, "type": "system"}, "claude"),
        ("assistant", {"content": answer, "type": "assistant"}, "claude"),
        ("result", {"content": result, "type": "result"}, "claude"),
    )
    return b"".join(_record(kind, content, direction) for kind, content, direction in rows)


def _record(kind: str, content: object, direction: str) -> bytes:
    message = {"type": kind, "content": content}
    record = {"timestamp": moment(), "message": message, "direction": direction}
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def log_line(held: Mapping[str, object], guide: bool) -> bytes:
    """Return one line of the server's log in its dialect; the time is now unless it is given."""
    row = {"time": moment(), "level": "INFO", "source": "server.go:1"} | dict(held)
    if guide:
        row["timestamp"] = row.pop("time")
        row["level"] = str(row["level"]).lower()
        del row["source"]
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def earlier_log(guide: bool) -> bytes:
    """Return a healthy server's log: two clients came and went, and each close is an ERROR."""
    rows: list[dict[str, object]] = []
    for number in (1, 2):
        who = {"session_id": f"ws_177260076910000000{number}_100000040"}
        rows.append({"msg": "WebSocket connection established", **who, "remote": "127.0.0.1"})
        error: dict[str, object] = {"level": "ERROR", "msg": "WebSocket read error"}
        rows.append(error | who | {"error": "websocket: close 1000 (normal)"})
        rows.append({"msg": "WebSocket connection closed", **who, "active_connections": 0})
    return b"".join(log_line(row, guide) for row in rows)


def yaml(held: Mapping[str, object], depth: int = 0) -> str:
    """Return nested settings as the guide's YAML."""
    lines: list[str] = []
    for key, value in held.items():
        if isinstance(value, Mapping):
            lines += ["  " * depth + f"{key}:\n", yaml(value, depth + 1)]
        else:
            shown = str(value).lower() if isinstance(value, bool) else value
            lines.append("  " * depth + f"{key}: {shown}\n")
    return "".join(lines)
