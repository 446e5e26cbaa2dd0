"""Reads on their way whose answers may be kept."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from strangler_proxy.forwarding import Fields
from strangler_proxy.gateway.cache import Cache
from strangler_proxy.steps.stored import Key

_REMEMBERED = 10_000


@dataclass(kw_only=True, eq=False)
class Flight:
    """One of them; "over" is set once its answer is kept, or is known not to be."""

    key: Key
    policy: Cache
    fields: Fields
    """The request's, as its upstream gets them."""
    began: int
    over: asyncio.Event = field(default_factory=asyncio.Event)
    spoiled: bool = False
    """What it may bring was purged meanwhile."""


@dataclass(kw_only=True)
class Flights:
    """All of one process. As many as there are requests on their way."""

    _leading: dict[Key, Flight] = field(default_factory=dict)
    _all: dict[Flight, None] = field(default_factory=dict)
    _unshared: OrderedDict[Key, None] = field(default_factory=OrderedDict)
    """Where the last one brought nothing to share: the next ones do not wait for each other."""

    def to_wait_for(self, key: Key) -> Flight | None:
        """The one that is on its way with the same question, where its answer may be for all."""
        return None if key in self._unshared else self._leading.get(key)

    def add(self, flight: Flight, *, leads: bool = True) -> None:
        """With "leads" others wait for it, if they wait for none yet."""
        self._all[flight] = None
        if leads:
            self._leading.setdefault(flight.key, flight)

    def spoil(self, which: Callable[[Key], bool]) -> None:
        """Let what they bring not be kept."""
        for flight in self._all:
            flight.spoiled = flight.spoiled or which(flight.key)

    def end(self, flight: Flight, *, shared: bool = True) -> None:
        """Let go who waits. Again changes nothing."""
        if flight.over.is_set():
            return
        flight.over.set()
        self._all.pop(flight, None)
        if self._leading.get(flight.key) is flight:
            del self._leading[flight.key]
        self._unshared.pop(flight.key, None)
        if not shared:
            self._unshared[flight.key] = None
            if len(self._unshared) > _REMEMBERED:
                self._unshared.popitem(last=False)
