"""Follow the changes of all moves, both ways, and keep the proxies' tables fresh, until stopped."""

import signal
import threading
from typing import Any

from strangler.developers import wiring as developers
from strangler.management.command import StranglerCommand
from strangler.plans import wiring
from strangler.split import daemon


class Command(StranglerCommand):
    help = "Applies the changes of all moves, both ways, and refreshes stale proxies, until SIGTERM or SIGINT."

    def run(self, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        moves, routes = wiring.moves(), wiring.routes()
        refreshers = [
            threading.Thread(target=routes.refresh_until, args=(stop,), name="refresh routes"),
            threading.Thread(target=developers.publishing().refresh_until, args=(stop,), name="refresh keys"),
        ]
        for refresher in refreshers:
            refresher.start()
        try:
            daemon.run(lambda: moves, lambda move: wiring.traffic(move, routes), stop)
        finally:
            stop.set()
            for refresher in refreshers:
                refresher.join(timeout=10)
