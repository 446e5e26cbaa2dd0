"""What the toolkit asks of anything that routes requests."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from strangler_proxy.cohorts import Cohorts
from strangler_proxy.gateway.keys import KeyPage
from strangler_proxy.gateway.usage import UsageReport
from strangler_proxy.routes import RouteTable
from strangler_proxy.shadowed import Shadowed

from strangler.errors import StranglerError


class EngineError(StranglerError):
    """An engine did not do what it was asked."""


class NotCarried(EngineError):
    """An engine cannot do what a table asks for. Nothing has changed: the table before goes on."""


class RoutingEngine(Protocol):
    """One proxy. Every method raises EngineError with one sentence that names the engine."""

    @property
    def name(self) -> str:
        """What to call it in a message."""

    def apply(self, table: RouteTable) -> None:
        """Route by this table from now on. One with an older version of a move is refused.

        Raises NotCarried where the table asks for more than the engine can do.
        """

    def observe(self) -> RouteTable:
        """The table in force, as the engine itself tells it."""

    def hold(self, move: str, seconds: float) -> None:
        """Let new writes of the move's routes wait, for so long at most; returns when that is in force."""

    def release(self, move: str) -> None:
        """Send the waiting writes on, to whom the table names now."""

    def cohorts(self, move: str, version: tuple[int, int]) -> Cohorts:
        """What the reads came to that this proxy has counted since it routes by this version of the move."""

    def shadowed(self, move: str) -> Shadowed:
        """What shadows of the move's reads have shown this proxy since its routes were last changed."""

    def moments(self) -> dict[str, int]:
        """A moment of each of its clocks, by a name of the clock's own: the writes answered before are committed."""

    def describe(self, upstream: str, document: Mapping[str, Any]) -> None:
        """Go by this OpenAPI document of an upstream from now on."""

    def purge(self, *, route: str = "", tag: str = "") -> int:
        """Forget the answers that are kept below a route, or with a tag; how many."""

    def bring_keys(self, page: Callable[[int], KeyPage | None]) -> None:
        """Have it go by the last revision of the developers' keys; "page" tells what follows one."""

    def collect_usage(self, keep: Callable[[UsageReport], None]) -> None:
        """Have "keep" remember what it tells of the keys' usage, which it then need not tell again."""

    def arrived(self, move: str, moments: Mapping[str, int]) -> None:
        """Let clients read from the candidate again that wrote to the move before these moments, of all proxies."""
