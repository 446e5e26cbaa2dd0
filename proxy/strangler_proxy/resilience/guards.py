"""What is known of each upstream under each policy, and what a request takes of it: a way through, a place, a retry."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from strangler_proxy import metrics
from strangler_proxy.gateway.resilience import Resilience
from strangler_proxy.resilience.budget import Budget
from strangler_proxy.resilience.circuit import Circuit
from strangler_proxy.resilience.places import Places
from strangler_proxy.routes import Upstream

UNWELL = frozenset({502, 503, 504})
"""Of an upstream that says this, somebody else may know better."""
_LARGEST = 1_000


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The upstream gets no more requests now."""

    why: str
    seconds: int
    """After which it may be otherwise."""


@dataclass(kw_only=True, eq=False)
class Known:
    """One upstream under one policy, in this process."""

    labels: tuple[str, str]
    circuit: Circuit | None
    budget: Budget | None
    places: Places | None

    def __post_init__(self) -> None:
        if (circuit := self.circuit) is not None:
            metrics.CIRCUIT.labels(*self.labels).set_function(lambda: circuit.state.value)
        if (places := self.places) is not None:
            metrics.INSIDE.labels(*self.labels).set_function(lambda: places.taken)
            metrics.QUEUED.labels(*self.labels).set_function(lambda: places.waiting)


@dataclass(kw_only=True)
class Guard:
    """What one request has taken."""

    known: Known
    terms: Resilience
    entered: int | None = None
    """Of the circuit."""
    placed: bool = False
    retries: int = 0
    heard: int | None = None
    """The status that its upstream has answered."""


@dataclass(kw_only=True)
class Guards:
    """All that is known; what was asked for longest ago is forgotten first."""

    clock: Callable[[], float] = time.monotonic
    _known: OrderedDict[tuple[Upstream, str, Resilience], Known] = field(default_factory=OrderedDict)

    def enter(self, guard: Guard | None, upstream: Upstream, policy: str, terms: Resilience) -> Guard | Refused | Known:
        """Let a request go to the upstream. Known is told where it has to wait for a place first.

        "guard" is what the request has already; what it does not need any more is given back.
        """
        known = self._of(upstream, policy, terms)
        if guard is not None and guard.known is not known:
            self.over(guard, None)
            guard = Guard(known=known, terms=terms, retries=guard.retries)
        guard = guard or Guard(known=known, terms=terms)
        if known.circuit is not None and (left := known.circuit.wait(self.clock())) > 0:
            self.over(guard, None)
            metrics.TURNED_AWAY.labels(*known.labels, "not well").inc()
            return Refused(why=f"{upstream.name} is not well", seconds=math.ceil(left))
        if known.places is not None and not guard.placed:
            if not known.places.take():
                return known
            guard.placed = True
        if known.circuit is not None:
            guard.entered = known.circuit.enter(self.clock())
        if known.budget is not None and guard.retries == 0:
            known.budget.request()
        return guard

    async def wait(self, known: Known, terms: Resilience) -> Guard | Refused:
        """Wait for a place. The guard has nothing else yet, since much may have changed meanwhile."""
        assert known.places is not None
        if await known.places.wait():
            return Guard(known=known, terms=terms, placed=True)
        metrics.TURNED_AWAY.labels(*known.labels, "full").inc()
        return Refused(why=f"{known.labels[0]} has too many requests", seconds=1)

    def failed(self, guard: Guard) -> None:
        """Its upstream gave no proper answer; it keeps its place."""
        self._leave(guard, well=False)

    def retry(self, guard: Guard) -> bool:
        """Whether it may be sent to the same upstream once more; that is noted then."""
        known, retry = guard.known, guard.terms.retry
        if retry is None or known.budget is None or guard.retries >= retry.times:
            return False
        if known.circuit is not None and known.circuit.wait(self.clock()) > 0:
            return False
        if not known.budget.take():
            metrics.RETRIED.labels(*known.labels, "no budget").inc()
            return False
        if known.circuit is not None:
            guard.entered = known.circuit.enter(self.clock())
        guard.retries += 1
        guard.heard = None
        metrics.RETRIED.labels(*known.labels, "sent").inc()
        return True

    def over(self, guard: Guard, well: bool | None) -> None:
        """The request has ended; None where that says nothing of its upstream."""
        self._leave(guard, well=well)
        if guard.placed and guard.known.places is not None:
            guard.placed = False
            guard.known.places.leave()

    def _leave(self, guard: Guard, *, well: bool | None) -> None:
        circuit = guard.known.circuit
        if circuit is None or guard.entered is None:
            return
        before = circuit.opened
        circuit.leave(guard.entered, well, self.clock())
        guard.entered = None
        if circuit.opened > before:
            metrics.EJECTED.labels(*guard.known.labels).inc()

    def _of(self, upstream: Upstream, policy: str, terms: Resilience) -> Known:
        key = (upstream, policy, terms)
        if key not in self._known:
            self._known[key] = Known(
                labels=(upstream.name, policy),
                circuit=None if terms.breaker is None else Circuit(terms=terms.breaker),
                budget=None if terms.retry is None else Budget(terms=terms.retry),
                places=None if terms.bulkhead is None else Places(terms=terms.bulkhead),
            )
        self._known.move_to_end(key)
        while len(self._known) > _LARGEST:
            self._known.popitem(last=False)
        return self._known[key]
