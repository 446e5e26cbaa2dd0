"""All proxies of a project, asked at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from strangler_proxy.cohorts import Cohorts
from strangler_proxy.gateway.keys import KeyPage
from strangler_proxy.gateway.usage import UsageReport
from strangler_proxy.routes import RouteTable, older
from strangler_proxy.shadowed import Shadowed

from strangler.rollout.engines.base import EngineError, RoutingEngine


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Every method asks all engines at once, and raises EngineError that names each one that did not do it.

    The others have done it all the same: a proxy that is away must not keep the rest from moving on.
    """

    engines: Sequence[RoutingEngine]

    def apply(self, table: RouteTable) -> None:
        """Have every proxy route by this table."""
        self._ask(lambda engine: engine.apply(table))

    def refresh(self, table: RouteTable) -> None:
        """Give the table to every proxy that has another one."""
        self._ask(lambda engine: None if engine.observe() == table else engine.apply(table))

    def hold(self, move: str, seconds: float) -> None:
        """Have every proxy hold the move's new writes; returns when those that answered do."""
        self._ask(lambda engine: engine.hold(move, seconds))

    def release(self, move: str) -> None:
        """Have every proxy send the held writes on."""
        self._ask(lambda engine: engine.release(move))

    def observe(self) -> dict[str, RouteTable]:
        """The table in force at each proxy, by its name."""
        found: dict[str, RouteTable] = {}
        self._ask(lambda engine: found.__setitem__(engine.name, engine.observe()))
        return found

    def hindmost(self, mine: RouteTable) -> RouteTable:
        """The table of an engine that is behind one with "mine", or that differs from it otherwise; else "mine".

        So whoever leaves work to these engines tells of a table that is not yet in force everywhere.
        """
        for theirs in self.observe().values():
            ahead = older(theirs, mine) or set(theirs.versions) - set(mine.versions)
            if theirs != mine and not ahead:
                return theirs
        return mine

    def cohorts(self, move: str, version: tuple[int, int]) -> Cohorts:
        """What the reads of all proxies came to, that were routed by this version of the move."""
        found: list[Cohorts] = []
        self._ask(lambda engine: found.append(engine.cohorts(move, version)))
        return sum(found, Cohorts())

    def shadowed(self, move: str) -> Shadowed:
        """What shadows of the move's reads have shown all proxies."""
        found: list[Shadowed] = []
        self._ask(lambda engine: found.append(engine.shadowed(move)))
        return sum(found, Shadowed())

    def moments(self) -> dict[str, int]:
        """A moment of every proxy's clock."""
        found: dict[str, int] = {}
        self._ask(lambda engine: found.update(engine.moments()))
        return found

    def describe(self, upstream: str, document: Mapping[str, Any]) -> None:
        """Have every proxy go by this OpenAPI document of an upstream."""
        self._ask(lambda engine: engine.describe(upstream, document))

    def purge(self, *, route: str = "", tag: str = "") -> int:
        """Have every proxy forget the answers that it keeps below a route, or with a tag; how many these were."""
        found: list[int] = []
        self._ask(lambda engine: found.append(engine.purge(route=route, tag=tag)))
        return sum(found)

    def bring_keys(self, page: Callable[[int], KeyPage | None]) -> None:
        """Give every proxy the keys that it does not have; "page" tells what follows a revision, None where nothing."""
        self._ask(lambda engine: engine.bring_keys(page))

    def collect_usage(self, keep: Callable[[UsageReport], None]) -> None:
        """Have "keep" remember what every proxy tells of its keys, which then need not tell it again."""
        self._ask(lambda engine: engine.collect_usage(keep))

    def arrived(self, move: str, moments: Mapping[str, int]) -> None:
        """Tell every proxy that the candidate has what was committed before these moments."""
        self._ask(lambda engine: engine.arrived(move, moments))

    def _ask(self, what: Callable[[RoutingEngine], None]) -> None:
        if not self.engines:
            return
        with ThreadPoolExecutor(max_workers=len(self.engines)) as all_at_once:
            errors = [error for error in all_at_once.map(lambda engine: _error(what, engine), self.engines) if error]
        if errors:
            raise EngineError("; ".join(map(str, errors)))


def _error(what: Callable[[RoutingEngine], None], engine: RoutingEngine) -> EngineError | None:
    try:
        what(engine)
    except EngineError as error:
        return error
    return None
