"""Developers' keys on their way to the proxies, and their usage on its way back."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from strangler_proxy.gateway.keys import KeyPage
from strangler_proxy.gateway.usage import UsageReport

from strangler.developers import usage
from strangler.developers.register import page_after
from strangler.errors import StranglerError
from strangler.plans.databases import MONOLITH, Databases, driver_errors
from strangler.rollout.fleet import Fleet

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0
"""How long a proxy that was away goes by keys that were revoked meanwhile, once it is back."""


@dataclass(frozen=True, kw_only=True)
class Publishing:
    """Between the register and all proxies. Raises StranglerError naming each that did not answer."""

    databases: Databases
    fleet: Fleet

    def publish(self) -> None:
        """Tell every proxy of the keys that it does not know; the others have been told all the same."""
        with self.databases.connect(MONOLITH) as store:
            if not store.has_tables("api_keys"):
                return
            one_at_a_time = threading.Lock()

            def page(revision: int) -> KeyPage | None:
                with one_at_a_time:
                    return page_after(store, revision)

            self.fleet.bring_keys(page)

    def collect(self) -> None:
        """Remember what every proxy tells of its keys."""
        with self.databases.connect(MONOLITH) as store:
            if not store.has_tables("api_usage"):
                return
            one_at_a_time = threading.Lock()

            def keep(report: UsageReport) -> None:
                with one_at_a_time:
                    usage.keep(store, report)

            self.fleet.collect_usage(keep)

    def refresh_until(self, stop: threading.Event, every: float = REFRESH_SECONDS) -> None:
        """Both, again and again until told to stop."""
        said = ""
        while not stop.wait(every):
            try:
                self.publish()
                self.collect()
                said = ""
            except Exception as error:
                if not isinstance(error, (StranglerError, *driver_errors())):
                    raise
                if str(error) != said:  # once, not every second
                    said = str(error)
                    logger.error("the proxies' keys may be stale: %s", said)
