"""The real nginx before the process that serves, configured as the page on it says."""

from __future__ import annotations

import base64
import contextlib
import http.client
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.tests.served import TOKEN, free_port, is_open, served
from plugins.tests.toy import ROOT
from plugins.tests.watched import until

_WHOLE = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;
events {{}}
http {{
  access_log off; proxy_set_header Host $host;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  {server}
}}
"""


def page() -> str:
    """Return the server that the page shows."""
    (block,) = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs/serve.md").read_text(), re.DOTALL)
    return str(block)


@contextlib.contextmanager
def proxied(folder: Path, port: int, text: str) -> Iterator[int]:
    """Yield the port of an nginx with this server before a port of ours."""
    own = free_port()
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-subj", "/CN=health.example", "-keyout", f"{folder}/health.key"]
    subprocess.run([*command, "-out", f"{folder}/health.pem"], check=True, capture_output=True)
    (folder / "health.users").write_text("ada:{PLAIN}lovelace\n")
    text = text.replace("443", f"127.0.0.1:{own}").replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    text = re.sub(r"/etc/(?:ssl|nginx)/", f"{folder}/", text)
    (folder / "conf").write_text(_WHOLE.format(folder=folder, server=text))
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    process = subprocess.Popen(
        [nginx, "-p", folder, "-e", folder / "errors", "-c", folder / "conf"]
    )
    try:
        until(lambda: is_open(own), "nginx")
        yield own
    finally:
        process.kill()
        process.wait()


def asked(port: int, path: str, method: str = "GET", user: str = "ada:lovelace") -> tuple[int, str]:
    """Return the status and the body of an answer that came by TLS."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    line = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
    basic = f"Basic {base64.b64encode(user.encode()).decode()}"
    try:
        line.request(method, path, headers={"Authorization": basic, "Host": "health.example"})
        answer = line.getresponse()
        return answer.status, answer.read().decode()
    finally:
        line.close()


@pytest.mark.parametrize("token", ["", TOKEN])
def test_nginx_as_the_page_shows_it_hands_on_what_we_answer(tmp_path: Path, token: str) -> None:
    text = page()
    assert 'Authorization ""' in text
    if token:
        text = text.replace('Authorization ""', f'Authorization "Bearer {token}"')
    body = "<p>all is well" * 1000
    with served(body.encode(), token=token) as house, proxied(tmp_path, house.port, text) as port:
        assert asked(port, "/report") == (200, body)
        assert '"healthy"' in asked(port, "/healthz")[1]
        assert asked(port, "/report", "GET", "ada:wrong")[0] == 401
        assert asked(port, "/report", "DELETE")[0] == 405
        assert asked(port, "/nothing")[0] == 404


def test_without_its_line_on_host_the_page_would_not_be_true(tmp_path: Path) -> None:
    text = re.sub(r" *proxy_set_header .*\n", "", page())
    with served() as house, proxied(tmp_path, house.port, text) as port:
        assert asked(port, "/report")[0] == 421
