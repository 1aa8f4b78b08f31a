"""MCP servers for worlds: small programs, real ones, that behave well or ill."""

from __future__ import annotations

from pathlib import Path

# A server that answers; what it does otherwise is laid before it or into it.
SERVER = """
import json, os, sys, time
def say(**message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)
def answer(asked):
    if asked.get("method") == "initialize":
        told = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}}
        say(id=asked["id"], result=told | {"serverInfo": {"name": "small", "version": "1"}})
    elif asked.get("method") == "tools/list":
        say(id=asked["id"], result={"tools": [{"name": "look", "inputSchema": {"type": "object"}}]})
"""
SERVE = """
for line in sys.stdin:
    answer(json.loads(line))
"""
# How servers behave, by name; each is Python between the two parts above.
BEHAVIOURS = {
    "good": "",
    "noisy": "print('Installing…\\n{\"not\": 1}\\n[]\\nready', flush=True)",
    "curious": (
        "say(id=7, method='ping')\nsay(id='r', method='roots/list')\n"
        "asked = [json.loads(sys.stdin.readline()) for _ in range(3)]\n"
        "assert {row.get('id') for row in asked} == {1, 7, 'r'}, asked\n"
        "answer(next(row for row in asked if row.get('id') == 1))"
    ),
    "early": "say(method='notifications/message', params={})\nsay(id=2, result={'tools': []})",
    "mute": "time.sleep(60)",
    "deaf": "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)",
    "telling": "sys.exit('my setting is ' + os.environ['MY_SETTING'])",
    "dead": "sys.exit('password=hunter2 is wrong')",
    "moduleless": (
        "sys.stderr.write(\"node:internal/modules\\nError: Cannot find module '/srv/index.js'\\n"
        '    at Module._resolve\\n")\nsys.exit(1)'
    ),
    "flooding": "while True: os.write(1, b'x' * 65536)",
    "flooding_lines": "while True: os.write(1, b'{}\\n' * 9999)",
    "complaining": "while True: os.write(2, b'x' * 65536)",
    "refusing": (
        "asked = json.loads(sys.stdin.readline())\n"
        "say(id=asked['id'], error={'code': -32602, 'message': 'Unsupported protocol version'})"
    ),
    "leaving_a_child": (
        "if os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\n    os._exit(0)\nos._exit(3)"
    ),
    "closing": "os.close(1)\ntime.sleep(60)",
    "toolless": (
        "answer(json.loads(sys.stdin.readline()))\nfor line in sys.stdin: say(id=2,"
        " error={'code': 1, 'message': 'no \\x1b[31m key'})"
    ),
    "odd": "for line in sys.stdin: say(id=json.loads(line).get('id'), result=[1])",
}


def written(folder: Path, behaviour: str = "good") -> Path:
    """Write a server that behaves so into a folder, and return its script."""
    path = folder / f"{behaviour}_server.py"
    path.write_text(f"{SERVER}\n{BEHAVIOURS[behaviour]}\n{SERVE}")
    return path
