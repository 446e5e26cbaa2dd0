"""One engine with its upstreams, on which case after case is played."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from strangler_proxy.routes import RouteTable

from strangler.rollout.engines.base import RoutingEngine
from tests.conformance.upstream import RecordingUpstream
from tests.conformance.wire import SECONDS, Connection

Result = TypeVar("Result")
_revisions = itertools.count(1)
"""Of the gateway: each table has a greater one than those before, whether it has policies or none."""


@dataclass(kw_only=True)
class Stage:
    """What a case's play has at hand."""

    engine: RoutingEngine
    port: int
    upstreams: Mapping[str, RecordingUpstream]
    nobody: int
    """A port where nobody listens."""
    table: RouteTable = field(init=False)
    """The one that the case began with."""
    _in_force: RouteTable | None = field(default=None, init=False)

    def begin(self, table: RouteTable) -> None:
        """Put a case's table in force, where another one is, and forget what was heard. Raises EngineError."""
        self.table = table
        if table != self._in_force:
            # Moves that are left out are forgotten, so the versions of the case before bind nobody.
            self.apply(replace(table, moves=()))
            self.apply(table)
            self._in_force = table
        for upstream in self.upstreams.values():
            upstream.begin()

    def apply(self, table: RouteTable) -> None:
        """Have the engine route by a case's table, with the upstreams' real addresses."""
        self._in_force = None
        ports = {name: upstream.port for name, upstream in self.upstreams.items()}
        real = tuple(
            replace(upstream, url=f"http://127.0.0.1:{ports.get(upstream.name, self.nobody)}")
            for upstream in table.upstreams
        )
        gateway = replace(table.gateway, revision=next(_revisions))
        self.engine.apply(replace(table, upstreams=real, gateway=gateway))

    def connect(self) -> Connection:
        return Connection.to(self.port)


class Background(Generic[Result]):
    """Work in a thread of its own, whose result is waited for."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self._results: list[Result] = []
        self._thread = threading.Thread(target=lambda: self._results.append(work()), daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> Result:
        self._thread.join(SECONDS)
        assert self._results, "no answer came"
        return self._results[0]


def eventually(condition: Callable[[], object]) -> None:
    """Wait until it is so. Raises AssertionError."""
    until = time.monotonic() + SECONDS / 2
    while not condition():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.005)
