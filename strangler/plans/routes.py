"""Who answers which request: derived from the plans and the databases, never edited by hand."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from strangler_proxy.gateway.policies import NO_GATEWAY, Gateway
from strangler_proxy.routes import MoveRoutes, RouteTable, Upstream

from strangler.errors import StranglerError
from strangler.plans.databases import driver_errors
from strangler.plans.errors import PlanError
from strangler.plans.state import MONOLITH, ProjectState
from strangler.rollout.fleet import Fleet
from strangler.split import Side
from strangler.split.status import Routing

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0


def route_table(
    state: ProjectState,
    routings: Mapping[str, Routing | None],
    upstreams: Mapping[str, str],
    gateway: Gateway = NO_GATEWAY,
) -> RouteTable:
    """The table for all proxies. Pure.

    "state" says which routes belong to which plan, "routings" what the databases say of each plan's move (None: not
    set up, so its routes are the monolith's like any other), "upstreams" where monolith and services answer, "gateway"
    what the project has its proxies do beside.
    Raises PlanError.
    """
    moves = []
    for name, routing in routings.items():
        routes = state.routed_by(name)
        if routing is None or not routes:
            continue
        sides = {Side.SOURCE: MONOLITH, Side.TARGET: routes[0].service}
        moves.append(
            MoveRoutes(
                move=name,
                term=routing.term,
                n=routing.n,
                owner=sides[routing.owner],
                candidate=sides[routing.owner.other],
                weight=routing.weight,
                routes=tuple(route.pattern for route in routes),
                shadow=routing.shadow,
                shadow_writes=routes[0].sharing.shadow_writes if routing.shadow else 0,
                ignore=routes[0].sharing.ignore,
                key=routes[0].sharing.key,
                early=routes[0].sharing.early if routing.early else (),
                only_routes=routes[0].sharing.only_routes,
                only_methods=routes[0].sharing.only_methods,
                final=routing.final,
            )
        )
    # Whoever is not the monolith sees no session and needs the client's identity.
    servers = tuple(Upstream(name=name, url=url, identity=name != MONOLITH) for name, url in upstreams.items())
    try:
        return RouteTable(default=MONOLITH, upstreams=servers, moves=tuple(moves), gateway=gateway)
    except ValueError as error:
        raise PlanError(f"no route table follows from the plans and settings: {error}") from error


@dataclass(frozen=True, kw_only=True)
class Routes:
    """The table as it follows from the databases at any moment, and the proxies that it goes to."""

    derive: Callable[[], RouteTable]
    fleet: Fleet

    def publish(self) -> None:
        """Send the table to all proxies. Raises StranglerError where one did not take it."""
        self.fleet.apply(self.derive())

    def refresh_until(self, stop: threading.Event, every: float = REFRESH_SECONDS) -> None:
        """Send the table to every proxy that has another one, again and again until told to stop."""
        said = ""
        while not stop.wait(every):
            try:
                self.fleet.refresh(self.derive())
                said = ""
            except Exception as error:
                if not isinstance(error, (StranglerError, *driver_errors())):
                    raise
                if str(error) != said:  # once, not every second
                    said = str(error)
                    logger.error("the proxies' tables may be stale: %s", said)
