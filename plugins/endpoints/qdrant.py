"""Qdrant's REST interface: is it well, what is in it, and how much."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from plugins.endpoints.http import Answer, Http
from plugins.endpoints.memory import Memory
from plugins.hosts import Host
from plugins.outcomes import CannotTell, NoPermission, NotThere, Refused, WrongKind
from plugins.text import printable


class Qdrant:
    """Qdrant servers; the same question is asked once in a look."""

    def __init__(self, host: Host) -> None:
        self._http = Http(host)
        self._memory = Memory()

    def at(self, url: str, api_key: str = "", *, deadline: float = 5.0) -> QdrantServer:
        """Return the server at a URL such as http://127.0.0.1:6333; nothing is asked yet.

        Args:
            api_key: "" for a server without one; it is sent as a header, and shown nowhere.
            deadline: seconds for each question.
        """
        address = url.rstrip("/")
        return self._memory.once(
            (address, api_key, deadline),
            lambda: QdrantServer(self._http, address, api_key, deadline),
        )


class QdrantServer:
    """One Qdrant server. Each question raises what `Http.request` does, and besides

    NoPermission: it wants an API key, or another one.
    NotThere: there is no such collection.
    Refused: it answers with another error.
    WrongKind: what answers is no Qdrant.
    """

    def __init__(self, http: Http, url: str, api_key: str, deadline: float) -> None:
        self.url = url
        self._http = http
        self._headers = {"api-key": api_key} if api_key else {}
        self._deadline = deadline
        self._memory = Memory()

    def __repr__(self) -> str:
        return f"QdrantServer({printable(self.url)!r})"

    def healthz(self) -> bool:
        """Whether it says that it is well; a server too old to be asked is judged by its root."""
        answer = self._http.get(
            f"{self.url}/healthz", deadline=self._deadline, headers=self._headers
        )
        if answer.status == 404:
            return bool(self.version())
        return answer.status == 200

    def version(self) -> str:
        """Return its version, such as "1.12.4"."""
        answer = self._http.get(f"{self.url}/", deadline=self._deadline, headers=self._headers)
        told = self._checked(answer)
        if not isinstance(told, dict) or not isinstance(told.get("version"), str):
            raise WrongKind(f"{printable(self.url)} answers, and is not Qdrant")
        return printable(told["version"], 40)

    def collections(self) -> tuple[str, ...]:
        """Return the names of all collections, sorted."""
        told = self._result(self._ask("GET", "/collections"))
        try:
            return tuple(sorted(str(row["name"]) for row in told["collections"]))
        except (KeyError, TypeError):
            raise self._strange() from None

    def count(self, collection: str, *, exact: bool = True) -> int:
        """Return how many points a collection holds; not exact is fast, and may be off."""
        place = f"/collections/{quote(collection, safe='')}/points/count"
        told = self._result(self._ask("POST", place, {"exact": exact}))
        count = told.get("count") if isinstance(told, dict) else None
        if not isinstance(count, int):
            raise self._strange()
        return count

    def _ask(self, method: str, place: str, question: object = None) -> Answer:
        body = b"" if question is None else json.dumps(question).encode()
        kind = {"content-type": "application/json"} if body else {}
        return self._memory.once(
            (method, place, body),
            lambda: self._http.request(
                method,
                f"{self.url}{place}",
                body=body,
                deadline=self._deadline,
                headers={**self._headers, **kind},
            ),
        )

    def _checked(self, answer: Answer) -> Any:
        where = printable(self.url)
        if answer.status in {401, 403}:
            how = "another API key" if self._headers else "an API key"
            raise NoPermission(f"{where} wants {how} (status {answer.status})")
        if answer.status == 404:
            raise NotThere(f"{where}: {printable(answer.body, 120)}")
        if answer.status != 200:
            raise Refused(f"{where}: status {answer.status}, {printable(answer.body, 120)}")
        return answer.json()

    def _result(self, answer: Answer) -> Any:
        told = self._checked(answer)
        if not isinstance(told, dict) or "result" not in told:
            raise self._strange()
        return told["result"]

    def _strange(self) -> CannotTell:
        return WrongKind(f"{printable(self.url)} answers, and not as Qdrant does")
