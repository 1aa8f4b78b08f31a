"""What the suite sends to Qdrant, and what its stand-in answers, is what Qdrant itself describes.

All scenarios of Qdrant run once, as they do for somebody who names a server of their own: the one
that HEALTHCHECKS_QDRANT_URL names here is a stand-in that knows nothing of their worlds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plugins.worlds.qdrant import RECORD, StandIn

ROOT = Path(__file__).resolve().parents[2]
NAME = "shared/data/qdrant-openapi-1.19.json"
# Beside the repository, or further up where this is one of several trees of it.
DESCRIPTION = next((above / NAME for above in ROOT.parents if (above / NAME).exists()), None)
TOPICS = ("test_qdrant_collection", "test_qdrant_entries", "test_collection", "test_snapshots")
KEY = "a-key-of-this-test"
# Still answered by 1.19, for old programs, and described no more; before 1.10 there is no other.
OLD_ROUTE = "/points/search"

Exchange = dict[str, Any]

# The scenarios are run by one worker, once.
pytestmark = pytest.mark.xdist_group("description")


@pytest.fixture(scope="module")
def exchanges(tmp_path_factory: pytest.TempPathFactory) -> list[Exchange]:
    """Run the scenarios against a server that was started separately; return all that was said."""
    record = tmp_path_factory.mktemp("record")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RECORD, str(record))
        server = StandIn(tmp_path_factory.mktemp("qdrant"), key=KEY)
        server.start()
        own = {"HEALTHCHECKS_QDRANT_URL": server.url, "HEALTHCHECKS_QDRANT_API_KEY": KEY}
        chosen = " or ".join(f"{topic}.py" for topic in TOPICS)
        words = ["-m", "pytest", "healthchecks/dgmo", "--scenarios", "-q", "-k", chosen]
        ran = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=os.environ | own,
            capture_output=True,
            text=True,
            check=False,
        )
        left = list((server.folder / "collections").iterdir())
        server.stop()
    assert ran.returncode == 0, ran.stdout[-3000:]
    assert not left, "worlds delete what they made on a server that is not theirs"
    lines = (line for file in sorted(record.iterdir()) for line in file.open())
    found = {line: json.loads(line) for line in lines}
    return list(found.values())


@pytest.fixture(scope="module")
def description() -> Any:
    """Return Qdrant's own description, for a server of any name."""
    if DESCRIPTION is None:
        pytest.skip("Qdrant's description is not here")
    from openapi_core import OpenAPI

    told = json.loads(DESCRIPTION.read_text())
    told["servers"] = [{"url": "http://here"}]
    return OpenAPI.from_dict(told)


def asked(one: Exchange) -> Any:
    from openapi_core.testing import MockRequest

    place, _, query = one["path"].partition("?")
    pairs = dict(pair.split("=", 1) for pair in query.split("&") if pair)
    body = one["body"].encode() or None
    kind = one["kind"] or "application/json"
    method = one["method"].lower()
    return MockRequest("http://here", method, place, args=pairs, data=body, content_type=kind)


def answered(one: Exchange) -> Any:
    from openapi_core.testing import MockResponse

    kind = one["answer_kind"]
    return MockResponse(one["answer"].encode(), one["status"], content_type=kind)


def wrong(description: Any, one: Exchange) -> str:
    """Return why an exchange is not as described, "" where it is."""
    from openapi_core.exceptions import OpenAPIError

    try:
        description.validate_request(asked(one))
        # A server that is ill on purpose, and the text of a 401, are described nowhere; what a
        # snapshot holds is not written down.
        sent = one["answer_kind"] == "application/octet-stream"
        if not (one["foreign"] or sent) and one["status"] != 401:
            description.validate_response(asked(one), answered(one))
    except OpenAPIError as error:
        more = [str(each)[:200] for each in getattr(error.__cause__, "schema_errors", ())]
        return f"{one['method']} {one['path']} {one['body'][:200]} {one['status']}: {error} {more}"
    return ""


def test_all_that_is_said_is_described(description: Any, exchanges: list[Exchange]) -> None:
    told = [one for one in exchanges if not one["path"].endswith(OLD_ROUTE)]
    assert not [words for one in told if (words := wrong(description, one))]
    assert len({(one["method"], one["path"].split("/")[-1][:9]) for one in told}) > 8


def test_the_old_route_is_asked_of_old_servers_alone(exchanges: list[Exchange]) -> None:
    assert not [one for one in exchanges if one["path"].endswith(OLD_ROUTE) and not one["foreign"]]


def test_worlds_use_the_server_that_is_named(exchanges: list[Exchange]) -> None:
    theirs = {one["path"].split("/")[2] for one in exchanges if "/healthchecks-" in one["path"]}
    assert len(theirs) > 5


@pytest.mark.parametrize(
    "change",
    [
        {"body": '{"query": [0.1], "limit": "ten"}'},
        {"body": '{"query": [0.1], "using": 5}'},
        {"method": "PUT"},
        {"path": "/collections/m/points/found"},
        {"answer": '{"result": {"points": [{"id": 1}]}, "status": "ok", "time": 0.1}'},
        {"answer": '{"result": {"points": {}}, "status": "ok", "time": 0.1}'},
        {"answer": "<html>"},
    ],
)
def test_what_is_not_described_is_seen(description: Any, change: Exchange) -> None:
    found = {"id": 1, "score": 0.5, "version": 3}
    right = {
        "method": "POST",
        "path": "/collections/m/points/query",
        "kind": "application/json",
        "body": '{"query": [0.1], "limit": 10}',
        "status": 200,
        "answer_kind": "application/json",
        "answer": json.dumps({"result": {"points": [found]}, "status": "ok", "time": 0.1}),
        "foreign": False,
    }
    assert not wrong(description, right)
    assert wrong(description, right | change)
