"""Qdrant's REST interface: is it well, what is in it, and how much. It is only read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from plugins.endpoints import qdrant_rows as rows
from plugins.endpoints.http import Answer, Http
from plugins.endpoints.memory import Memory
from plugins.endpoints.qdrant_rows import CollectionInfo, Health, Hits, Snapshot, Vector
from plugins.endpoints.qdrant_words import error_of, is_page, said, says_ready, says_well
from plugins.hosts import Host
from plugins.outcomes import CannotTell, NoPermission, NotThere, Refused, TimedOut, WrongKind
from plugins.redaction import Secret
from plugins.text import printable

__all__ = ["CollectionInfo", "Health", "Hits", "Qdrant", "QdrantServer", "Snapshot", "Vector"]

# A list of a hundred thousand collections is still smaller.
_BIGGEST = 16 << 20


class Qdrant:
    """Qdrant servers; the same question is asked once in a look."""

    def __init__(self, host: Host) -> None:
        self._http = Http(host)
        self._memory = Memory()

    def at(self, url: str, api_key: str | Secret = "", *, deadline: float = 5.0) -> QdrantServer:
        """Return the server at a URL such as http://127.0.0.1:6333; nothing is asked yet.

        Args:
            url: http or https; a certificate need not be trusted.
            api_key: "" for a server without one; it is sent as a header, and shown nowhere.
            deadline: seconds for each question.
        """
        address = url.rstrip("/")
        key = api_key if isinstance(api_key, Secret) else Secret(api_key)
        return self._memory.once(
            (address, key, deadline), lambda: QdrantServer(self._http, address, key, deadline)
        )


class QdrantServer:
    """One Qdrant server. Each question raises what `Http.request` does, and besides

    NoPermission: it wants an API key, or another one.
    NotThere: there is no such collection.
    Refused: it answers with another error, or leads elsewhere.
    WrongKind: what answers is no Qdrant.
    """

    def __init__(self, http: Http, url: str, api_key: Secret, deadline: float) -> None:
        self.url = url
        self.deadline = deadline
        self._http = http
        self._key = api_key
        self._answered = False
        self._memory = Memory()

    def __repr__(self) -> str:
        return f"QdrantServer({self.where!r})"

    @property
    def where(self) -> str:
        """Its URL as it may be shown, without a name and password."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{printable(rest.rpartition('@')[2])}"

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries: the API key, in the clear."""
        return {"api-key": self._key.reveal()} if self._key else {}

    def health(self) -> Health:
        """Ask its pages, one after the other, until one says that it is well.

        Old servers have no /healthz, no server since the oldest has /health, and what stands before
        it may let some pages through and others not.

        Raises:
            NoPermission: none says so, and one wants an API key, or another one.
            CannotTell: a loopback address of a far host, or no way to it.
        """
        met: list[tuple[str, CannotTell]] = []
        version = self._try("/", met, self._version)
        well = self._try("/healthz", met, says_well)
        ready = self._try("/readyz", met, says_ready) if well else "yes"
        if not (well or version):
            well = self._try("/collections", met, self._lists)
            well = well or self._try("/health", met, says_well)
        if not (well or version):
            for _, why in met:
                if isinstance(why, NoPermission):
                    raise why.with_traceback(None)
        tried = (str(why) if place in str(why) else f"{place}: {why}" for place, why in met)
        # Before a container whose server is down stands a proxy that closes every connection.
        strange = any(
            isinstance(why, WrongKind) and "closed the connection" not in str(why) for _, why in met
        )
        said = tuple(dict.fromkeys(tried))
        answered = bool(well or version or self._answered)
        return Health(bool(well or version), ready != "no", version, said, answered, strange)

    def version(self) -> str:
        """Return its version, such as "1.12.4"."""
        return self._version(self._get("/"))

    def collections(self) -> tuple[str, ...]:
        """Return the names of all collections, sorted."""
        return self._names(self._get("/collections"))

    def answers_without_key(self) -> bool:
        """Tell whether who brings no API key is told the names of the collections."""
        url = f"{self.url}/collections"
        answer = self._http.get(url, deadline=self.deadline, limit=_BIGGEST)
        if answer.status in {401, 403}:
            return False
        self._names(answer)
        return True

    def collection(self, name: str) -> CollectionInfo:
        """Return what it tells of a collection."""
        return rows.collection(name, self._result(self._get(_place(name))))

    def count(self, collection: str, *, exact: bool = True, having: str = "") -> int:
        """Count the points, or those `having` a vector of a name; not exact may be off."""
        place = f"{_place(collection)}/points/count"
        filtered = {"filter": {"must": [{"has_vector": having}]}} if having else {}
        question = {"exact": exact, **filtered}
        told = self._result(self._once("POST", place, question))
        count = rows.whole(told.get("count")) if isinstance(told, dict) else None
        if count is None:
            raise self._strange()
        return count

    def query(
        self, collection: str, vector: Sequence[float], using: str = "", *, limit: int = 1
    ) -> Hits:
        """Return the points nearest to a vector; asked anew each time, as it is timed.

        Servers before 1.10 have no points/query and are asked by points/search.

        Args:
            collection: its name.
            vector: the numbers.
            using: the vector's name, "" for that without one.
            limit: of how many points.
        """
        place = f"{_place(collection)}/points/query"
        question: dict[str, Any] = {"query": list(vector), "limit": limit}
        answer = self._ask("POST", place, question | ({"using": using} if using else {}))
        if answer.status == 404 and not answer.body.strip():
            named: object = {"name": using, "vector": list(vector)} if using else list(vector)
            place = f"{_place(collection)}/points/search"
            answer = self._ask("POST", place, {"vector": named, "limit": limit})
        told = self._result(answer)
        found = told.get("points") if isinstance(told, dict) else told
        try:
            ids = tuple(str(row["id"]) for row in found)  # type: ignore[union-attr]
        except (KeyError, TypeError):
            raise self._strange() from None
        return Hits(ids, answer.seconds)

    def aliases(self, collection: str) -> tuple[str, ...]:
        """Return the aliases that lead to a collection; dropping it drops them."""
        told = self._result(self._get("/aliases"))
        try:
            rows = [row for row in told["aliases"] if row["collection_name"] == collection]
            return tuple(sorted(str(row["alias_name"]) for row in rows))
        except (KeyError, TypeError):
            raise self._strange() from None

    def elsewhere(self, collection: str) -> int:
        """Return how many parts of a collection lie on other servers of its cluster."""
        try:
            told = self._result(self._get(f"{_place(collection)}/cluster"))
        except NotThere:
            return 0
        return len(told.get("remote_shards") or ()) if isinstance(told, dict) else 0

    def snapshots(self, collection: str) -> tuple[Snapshot, ...]:
        """Return the snapshots that it holds of a collection, oldest first."""
        return rows.snapshots(self._result(self._get(f"{_place(collection)}/snapshots")))

    # ---- asking

    def _get(self, place: str) -> Answer:
        url = f"{self.url}{place}"
        headers = self.headers
        return self._http.get(url, deadline=self.deadline, headers=headers, limit=_BIGGEST)

    def _once(self, method: str, place: str, question: object) -> Answer:
        asked = (method, place, json.dumps(question))
        return self._memory.once(asked, lambda: self._ask(method, place, question))

    def _ask(self, method: str, place: str, question: object) -> Answer:
        return self._http.request(
            method,
            f"{self.url}{place}",
            body=json.dumps(question).encode(),
            deadline=self.deadline,
            headers={**self.headers, "content-type": "application/json"},
            limit=_BIGGEST,
        )

    def _try(
        self, place: str, met: list[tuple[str, CannotTell]], read: Callable[[Answer], str]
    ) -> str:
        """Return what a page tells, or "" with the reason among what was met.

        Where one page costs the whole deadline, no other is asked.
        """
        if any(isinstance(why, TimedOut) for _, why in met):
            return ""
        try:
            answer = self._get(place)
            self._answered = True
            return read(answer)
        except (NotThere, Refused, NoPermission, TimedOut, WrongKind) as why:
            met.append((place, why))
            return ""

    # ---- reading

    def _version(self, answer: Answer) -> str:
        if answer.status == 404:
            raise WrongKind(f"{self.where} answers, and not as Qdrant does: {said(answer)}")
        told = self._checked(answer)
        title = str(told.get("title", "")) if isinstance(told, dict) else ""
        if not title.lower().startswith("qdrant") or not isinstance(told.get("version"), str):
            raise WrongKind(f"{self.where} answers, and is not Qdrant")
        return printable(told["version"], 40)

    def _lists(self, answer: Answer) -> str:
        return f"{len(self._names(answer))} collections"

    def _names(self, answer: Answer) -> tuple[str, ...]:
        told = self._result(answer)
        try:
            return tuple(sorted(str(row["name"]) for row in told["collections"]))
        except (KeyError, TypeError):
            raise self._strange() from None

    def _checked(self, answer: Answer) -> Any:
        """Return the JSON of an answer that went well."""
        if answer.status in {401, 403}:
            how = "another API key" if self._key else "an API key"
            raise NoPermission(f"{self.where} wants {how} (status {answer.status})")
        words = said(answer)
        if answer.status == 404 and error_of(answer) is None:
            # A proxy before it that has lost it says so too: nothing is known of what it holds.
            raise WrongKind(f"{self.where} answers, and not as Qdrant does: status 404 {words}")
        if answer.status == 404:
            raise NotThere(f"{self.where}: {words or 'status 404'}")
        if 300 <= answer.status < 400:
            raise Refused(f"{self.where}: status {answer.status}, it leads elsewhere")
        if answer.status != 200:
            raise Refused(f"{self.where}: status {answer.status}{words and ', '}{words}")
        if is_page(answer):
            raise WrongKind(f"{self.where} answers with a web page, not as Qdrant does")
        return answer.json()

    def _result(self, answer: Answer) -> Any:
        told = self._checked(answer)
        if not isinstance(told, dict) or told.get("result") is None:
            raise self._strange()
        return told["result"]

    def _strange(self) -> CannotTell:
        return WrongKind(f"{self.where} answers, and not as Qdrant does")


def _place(collection: str) -> str:
    return f"/collections/{quote(collection, safe='')}"
