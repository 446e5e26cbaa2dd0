"""The operators' endpoints below /-/, for the table, holds and what is seen of the traffic. Everybody else sees 404."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from strangler_proxy import journal, metrics
from strangler_proxy.addresses import without_address
from strangler_proxy.answers import Answer, as_json, not_found
from strangler_proxy.counting import Counting
from strangler_proxy.holds import Holds
from strangler_proxy.operating_documents import DocumentOperators
from strangler_proxy.operating_keys import KeyOperators
from strangler_proxy.routes import RouteTable
from strangler_proxy.shadow import Shadows
from strangler_proxy.steps.caching import Caching
from strangler_proxy.table import OlderTable, TableStore
from strangler_proxy.wrote import Wrote

PREFIX = "/-/"
_HOLDS = "/-/holds/"
_COHORTS = "/-/cohorts/"
_SHADOWS = "/-/shadows/"
_ARRIVED = "/-/arrived/"
_LONGEST_HOLD = 60.0


@dataclass(frozen=True, kw_only=True)
class Operators:
    """Answers operators' requests. "in_flight" counts the writes of a move that are on their way."""

    token: str
    store: TableStore
    holds: Holds
    counting: Counting
    wrote: Wrote
    shadows: Shadows
    keys: KeyOperators
    documents: DocumentOperators
    in_flight: dict[str, int]
    cache: Caching

    async def answer(self, method: str, path: str, authorization: str, body: bytes) -> Answer:
        """The answer to one request below PREFIX."""
        expected = f"Bearer {self.token}".encode()
        if not self.token or not hmac.compare_digest(authorization.encode("utf-8", "replace"), expected):
            return not_found()
        return await self._answer(method, path, body)

    async def _answer(self, method: str, path: str, body: bytes) -> Answer:
        answer = self.keys.answer(method, path, body) or self.documents.answer(method, path, body)
        if answer is not None:
            return answer
        if path.startswith(_HOLDS):
            return self._hold(method, path.removeprefix(_HOLDS), body)
        if method == "PUT" and path.startswith(_ARRIVED):
            return self._arrived(path.removeprefix(_ARRIVED), body)
        if (method, path) == ("PUT", "/-/table"):
            return await self._apply(body)
        if (method, path) == ("POST", "/-/purge"):
            return self._purge(body)
        return self._tell(path) if method == "GET" else not_found()

    def _tell(self, path: str) -> Answer:
        if path.startswith(_COHORTS):
            return self._cohorts(path.removeprefix(_COHORTS))
        if path.startswith(_SHADOWS):
            shadowed = self.shadows.shadowed(path.removeprefix(_SHADOWS))
            return not_found() if shadowed is None else as_json(200, {"version": shadowed[0], **shadowed[1].to_json()})
        if path == "/-/metrics":
            return Answer(status=200, body=metrics.text(), fields=((b"Content-Type", b"text/plain; version=0.0.4"),))
        told: dict[str, Callable[[], Mapping[str, Any]]] = {
            "/-/health": lambda: {"status": "ok"},
            "/-/table": self.store.table.to_json,
            "/-/moment": self.wrote.now,
        }
        return as_json(200, told[path]()) if path in told else not_found()

    def _cohorts(self, move: str) -> Answer:
        counted = self.counting.cohorts(move)
        if counted is None:
            return not_found()
        version, cohorts = counted
        compared, different = self.shadows.counts(move, version)
        return as_json(200, {"version": version, **cohorts.to_json(), "compared": compared, "different": different})

    async def _apply(self, body: bytes) -> Answer:
        try:
            offered = RouteTable.from_json(body)
        except ValueError as error:
            return as_json(422, {"error": str(error)})
        if (unknown := await without_address(self.store.table, offered)) is not None:
            return as_json(422, {"error": unknown})
        try:
            await self.store.apply(offered)
        except OlderTable as error:
            return as_json(409, {"error": str(error)})
        except OSError as error:
            return as_json(507, {"error": f"the table cannot be remembered ({error}); the old one goes on"})
        self.holds.table_changed(offered.versions)
        self.counting.table_changed(offered.versions)
        journal.table_changed(offered)
        self.cache.table_changed(offered)
        return as_json(200, {"versions": offered.versions})

    def _purge(self, body: bytes) -> Answer:
        try:
            given = json.loads(body)
            if len(given) != 1 or not isinstance(what := given.get("route") or given.get("tag"), str):
                raise ValueError("name one thing")
            purged = self.cache.purge(**{next(iter(given)): what})
        except (ValueError, AttributeError, TypeError) as error:
            return as_json(
                422, {"error": f'a purge has a body like {{"route": "/api/"}} or {{"tag": "reviews"}} ({error})'}
            )
        return as_json(200, {"purged": purged})

    def _arrived(self, move: str, body: bytes) -> Answer:
        try:
            moments = {str(name): int(moment) for name, moment in json.loads(body).items()}
        except (ValueError, AttributeError, TypeError):
            return as_json(422, {"error": 'moments are a body like {"1f0c9a3e": 123456}'})
        self.wrote.arrived(move, moments)
        return as_json(200, {})

    def _hold(self, method: str, name: str, body: bytes) -> Answer:
        move = self.store.table.move(name)
        if method == "DELETE":
            self.holds.release(name)
            return as_json(200, {})
        if method != "PUT":
            return not_found()
        if move is None:
            # Nothing is routed for it, so there is nothing to hold.
            return as_json(200, {"in_flight": 0})
        try:
            seconds = float(json.loads(body)["seconds"])
        except (ValueError, KeyError, TypeError):
            return as_json(422, {"error": 'a hold needs a body like {"seconds": 5}'})
        if not 0 < seconds <= _LONGEST_HOLD:
            return as_json(422, {"error": f"a hold lasts more than 0 and at most {_LONGEST_HOLD:g} seconds"})
        self.holds.hold(name, seconds, move.version)
        return as_json(200, {"in_flight": self.in_flight.get(name, 0)})
