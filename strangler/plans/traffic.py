"""What one move's cutover asks of the proxies, passed on to all of them."""

from __future__ import annotations

from dataclasses import dataclass

from strangler.errors import StranglerError
from strangler.plans.routes import Routes
from strangler.plans.world import Emit
from strangler.split import Side


@dataclass(frozen=True, kw_only=True)
class MoveTraffic:
    """Implements `strangler.split.Traffic`.

    A proxy that does not answer stops nothing here: the fence keeps the data safe, and `replicate` brings the
    table to that proxy as soon as it is back. That it did not answer is recorded.
    """

    move: str
    routes: Routes
    emit: Emit

    def hold(self, seconds: float) -> None:
        try:
            self.routes.fleet.hold(self.move, seconds)
        except StranglerError as error:
            self.emit("progress", hold=str(error))

    def release(self) -> None:
        try:
            self.routes.fleet.release(self.move)
        except StranglerError as error:
            self.emit("progress", release=str(error))

    def publish(self, owner: Side, term: int, n: int, weight: int) -> None:
        """Publish what the databases say now: the arguments tell the same, or have been overtaken."""
        try:
            self.routes.publish()
        except StranglerError as error:
            self.emit("progress", publish=str(error))
