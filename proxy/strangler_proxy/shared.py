"""A Valkey server whose counts all processes of the proxy share."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from valkey.asyncio import BlockingConnectionPool, Valkey
from valkey.exceptions import ValkeyError

from strangler_proxy import metrics

logger = logging.getLogger(__name__)

_SECONDS = 0.25
"""How long a request waits for it at most."""
_PAUSE = 1.0
"""How long nobody asks a server that was away."""
_CONNECTIONS = 32


class Away(Exception):
    """The server does not answer, or refuses; whoever asked goes by the process's own counts."""


class Shared:
    """Runs scripts there; each is atomic."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises ValueError on what is no such URL. Nothing is asked yet."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=_SECONDS,
            socket_timeout=_SECONDS,
            socket_connect_timeout=_SECONDS,
        )
        self._valkey = Valkey(connection_pool=pool)
        self._scripts: dict[str, Any] = {}
        self._clock = clock
        self._away_until = 0.0
        """0 while it is there."""

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[float]) -> list[Any]:
        """What the script, in Lua, returns. Raises Away."""
        if self._clock() < self._away_until:
            raise self._away()
        if script not in self._scripts:
            self._scripts[script] = self._valkey.register_script(script)
        try:
            # One slot, so that a cluster takes them as well.
            answer: list[Any] = await self._scripts[script]([f"{{strangler}}:{key}" for key in keys], arguments)
        except (ValkeyError, OSError) as error:
            if not self._away_until:
                logger.warning("the shared Valkey is away (%s); this process goes by its own counts", error)
            self._away_until = self._clock() + _PAUSE
            metrics.SHARED_UP.set(0)
            raise self._away() from error
        self._away_until = 0.0
        metrics.SHARED_UP.set(1)
        return answer

    def _away(self) -> Away:
        """One more decision that this process makes alone."""
        metrics.SHARED_ALONE.inc()
        return Away()
