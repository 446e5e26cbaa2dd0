"""The cache: reads whose answers may be shared are answered from memory, or leave their answers there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from strangler_proxy import metrics
from strangler_proxy.answers import Answer, as_json
from strangler_proxy.forwarding import values
from strangler_proxy.gateway.cache import Cache
from strangler_proxy.routes import SAFE_METHODS, RouteTable
from strangler_proxy.steps import freshness
from strangler_proxy.steps.cached import answered, changed_by, with_status
from strangler_proxy.steps.flights import Flight, Flights
from strangler_proxy.steps.shared import keyed, past, without_ignored
from strangler_proxy.steps.stored import LARGEST, Entry, Key, Store, below
from strangler_proxy.steps.visit import Side, Visit

WAITS = 5.0
"""Seconds for which a read waits for another one's answer to the same question."""
_FAILED = 500


@dataclass(kw_only=True)
class _Passing:
    """What is to be said of a request that went on."""

    status: str
    flight: Flight | None = None


@dataclass(kw_only=True)
class Caching:
    """One process's cache. It stands last of the steps, and so keeps answers as their upstreams give them."""

    most: int = 1 << 26
    """Bytes."""
    clock: Callable[[], int] = time.monotonic_ns
    store: Store = field(init=False)
    _flights: Flights = field(default_factory=Flights)
    _refreshing: dict[Key, asyncio.Task[None]] = field(default_factory=dict)
    _passing: int = 0
    """Bytes of bodies that are on their way into the cache."""
    _table: RouteTable | None = None

    def __post_init__(self) -> None:
        self.store = Store(most=self.most)

    async def enter(self, visit: Visit) -> Answer | None:
        """An answer from the cache, if there is one for this client."""
        policy = visit.policy.cache
        if policy is None or visit.method not in SAFE_METHODS:
            return None
        reason = past(policy, visit)
        decision = None if reason else visit.routing.decide(visit.target)
        if decision is None:
            metrics.CACHE.labels("bypass").inc()
            visit.notes[_Passing] = _Passing(status=f'fwd=bypass; detail="{reason or "whose it is has to be asked"}"')
            return None
        without_ignored(policy, visit)
        visit.decision = decision
        key = Key(
            side=visit.routing.side(decision),
            host="".join(values(visit.fields, b"host")),
            target=visit.target,
            headers=keyed(policy, visit.fields),
        )
        answer = await self._look(visit, policy, key)
        if answer is None and freshness.directive(visit.fields, "only_if_cached"):
            return as_json(504, {"detail": "nothing is cached, and the request asks for nothing else"})
        if answer is not None:
            visit.decision = replace(visit.decision, reason=f"the cache, for: {visit.decision.reason}")
        return answer

    async def leave(self, visit: Visit, answer: Answer) -> Answer:
        """Keep what may be kept, once it has passed; a write takes what it may have changed."""
        policy = visit.policy.cache
        if policy is None:
            return answer
        if visit.method not in SAFE_METHODS:
            if answer.status < 400:
                self._changed(changed_by(visit, answer))
            return answer
        passing = visit.notes.get(_Passing) or _Passing(status="fwd=miss")
        stored = False
        if passing.flight is not None:
            stored = self._land(visit, passing.flight, answer)
        return with_status(answer, passing.status + ("; stored" if stored else ""))

    def purge(self, *, route: str = "", tag: str = "") -> int:
        """Forget what is below a route, or has a tag, or everything; how many entries. Raises ValueError."""
        if tag:
            self._flights.spoil(lambda key: True)
            return self._drop(lambda key, entry: tag in entry.tags)
        under = below(route or "/")
        self._flights.spoil(lambda key: under(key.target))
        return self._drop(lambda key, entry: under(key.target))

    def table_changed(self, table: RouteTable) -> None:
        """Forget what was answered by another version of a move, by an upstream elsewhere, or under other policies."""
        before, self._table = self._table, table
        if before is None or before.gateway != table.gateway:
            self.purge()
        elif (before.upstreams, before.moves) != (table.upstreams, table.moves):
            sides = {side: _is_current(side, table) for side in self.store.sides}
            self._drop(lambda key, entry: not sides[key.side] or _now_moved(key, table))

    async def _look(self, visit: Visit, policy: Cache, key: Key) -> Answer | None:
        """Look, and where somebody else is on the way with the same question, once more after that."""
        status = "fwd=uri-miss"
        for attempt in (1, 2):
            now = self.clock()
            entry, status = self._find(visit, key)
            if entry is not None and freshness.wants(visit.fields, entry, now):
                left = entry.left(now)
                if left > 0 or -left < entry.stale_while_revalidate:
                    if left <= 0:
                        self._refresh(visit, policy, key, entry)
                    metrics.CACHE.labels("hit" if left > 0 else "stale").inc()
                    collapsed = "fwd=uri-miss; collapsed" if attempt == 2 else f"hit; ttl={int(left)}"
                    return answered(entry, visit, now, collapsed)
            ahead = self._flights.to_wait_for(key)
            if ahead is None or attempt == 2:
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(WAITS):
                    await ahead.over.wait()
        metrics.CACHE.labels("miss").inc()
        visit.notes[_Passing] = _Passing(status=status)
        if visit.method != "GET":
            return None
        if entry is not None:
            return await self._confirm(visit, policy, key, entry)
        self._take_off(visit, policy, key)
        return None

    def _find(self, visit: Visit, key: Key) -> tuple[Entry | None, str]:
        """The entry for this request and this client, and why there is none, or why it may not serve."""
        found = self.store.find(key)
        value_of = freshness.value_in(visit.fields)
        entry = next((one for one in found if one.matches(value_of)), None)
        if entry is None:
            return None, "fwd=vary-miss" if found else "fwd=uri-miss"
        if key.side.move is not None and entry.began <= visit.routing.wrote(key.side.move):
            return None, 'fwd=request; detail="behind its client\'s write"'
        return entry, "fwd=stale" if entry.left(self.clock()) <= 0 else "fwd=request"

    def _take_off(self, visit: Visit, policy: Cache, key: Key) -> Flight:
        flight = Flight(key=key, policy=policy, fields=visit.fields, began=self.clock())
        self._flights.add(flight)
        visit.notes[_Passing].flight = flight
        visit.ended.append(lambda: self._flights.end(flight))
        return flight

    def _land(self, visit: Visit, flight: Flight, answer: Answer) -> bool:
        """Whether the answer is kept; its body may still have to pass."""
        entry = self._entry(flight, answer, answer.body or b"")
        length = "".join(values(answer.fields, b"content-length"))
        too_long = length.isdecimal() and (len(length) > len(str(LARGEST)) or int(length) > LARGEST)
        if entry is None or too_long or visit.decision is None or visit.routing.side(visit.decision) != flight.key.side:
            self._flights.end(flight, shared=False)
            return False
        if answer.body is not None:
            self._put(flight, entry)
            return True
        visit.tee = self._collect(visit, flight, answer)
        return length.isdecimal()

    def _collect(self, visit: Visit, flight: Flight, answer: Answer) -> Callable[[bytes], bytes]:
        parts: list[bytes] = []

        def forget() -> None:
            self._passing -= sum(map(len, parts))
            parts.clear()

        def tee(data: bytes) -> bytes:
            if not flight.over.is_set() and data:
                parts.append(data)
                self._passing += len(data)
                if sum(map(len, parts)) > LARGEST or self._passing > self.most:
                    self._flights.end(flight, shared=False)
                    forget()
            elif (entry := self._entry(flight, answer, b"".join(parts))) is not None:
                self._put(flight, entry)
            return data

        visit.ended.append(forget)
        return tee

    def _entry(self, flight: Flight, answer: Answer, body: bytes) -> Entry | None:
        if flight.over.is_set():
            return None
        return freshness.entry_of(flight.policy, flight.key.target, flight.fields, answer, body, began=flight.began)

    def _put(self, flight: Flight, entry: Entry) -> None:
        """Unless it was purged on its way."""
        if not flight.spoiled and (self._table is None or _is_current(flight.key.side, self._table)):
            self.store.put(flight.key, entry)
            metrics.CACHE_BYTES.set(self.store.size)
        self._flights.end(flight)

    async def _confirm(self, visit: Visit, policy: Cache, key: Key, entry: Entry) -> Answer | None:
        """Ask the upstream whether a stale entry still holds; None where the request is to go the ordinary way."""
        status = visit.notes[_Passing].status
        flight = self._take_off(visit, policy, key)
        if not entry.stale_if_error and not freshness.can_be_confirmed(entry):
            return None
        found = await visit.routing.ask(visit.target, freshness.conditions(entry, visit.fields), LARGEST)
        answer = None
        if found is not None and visit.routing.side(found[0]) == key.side:
            visit.decision, answer = found
        now = self.clock()
        if answer is None or answer.status >= _FAILED:
            if entry.stale_if_error and -entry.left(now) < entry.stale_if_error:
                self._flights.end(flight)
                metrics.CACHE.labels("stale").inc()
                said = f"; fwd-status={answer.status}" if answer is not None else ""
                return answered(entry, visit, now, f"{status}{said}; detail=stale-if-error")
            return None
        kept = self._renewed(flight, entry, answer)
        if answer.status == 304:
            if kept is None:
                return None
            self._put(flight, kept)
            metrics.CACHE.labels("revalidated").inc()
            return answered(kept, visit, now, f"{status}; fwd-status=304")
        if kept is not None:
            self._put(flight, kept)
        self._flights.end(flight)
        said = f"{status}; fwd-status={answer.status}" + ("; stored" if kept is not None else "")
        return with_status(answer, said)

    def _renewed(self, flight: Flight, entry: Entry, answer: Answer) -> Entry | None:
        if answer.status == 304:
            return freshness.freshened(
                entry, flight.policy, flight.key.target, flight.fields, answer, began=flight.began
            )
        return self._entry(flight, answer, answer.body or b"")

    def _refresh(self, visit: Visit, policy: Cache, key: Key, entry: Entry) -> None:
        """Fetch anew, while the stale entry serves."""
        if key in self._refreshing:
            return
        flight = Flight(key=key, policy=policy, fields=visit.fields, began=self.clock())
        self._flights.add(flight, leads=False)

        async def fetch() -> None:
            try:
                found = await visit.routing.ask(key.target, freshness.conditions(entry, flight.fields), LARGEST)
                if found is None or visit.routing.side(found[0]) != key.side or found[1].status >= _FAILED:
                    return
                if (kept := self._renewed(flight, entry, found[1])) is not None:
                    self._put(flight, kept)
                else:
                    self._drop(lambda of, one: one is entry)
            finally:
                self._flights.end(flight)
                del self._refreshing[key]

        self._refreshing[key] = asyncio.create_task(fetch())

    def _changed(self, targets: set[str]) -> None:
        self._flights.spoil(lambda key: key.target in targets)
        self.store.drop_targets(targets)
        metrics.CACHE_BYTES.set(self.store.size)

    def _drop(self, which: Callable[[Key, Entry], bool]) -> int:
        dropped = self.store.drop(which)
        metrics.CACHE_BYTES.set(self.store.size)
        return dropped


def _is_current(side: Side, table: RouteTable) -> bool:
    return (
        table.knows(side.upstream.name)
        and table.upstream(side.upstream.name) == side.upstream
        and (side.move is None or table.versions.get(side.move) == side.version)
    )


def _now_moved(key: Key, table: RouteTable) -> bool:
    return key.side.upstream.name == table.default and key.side.move is None and table.move_of(key.target) is not None
