"""Is the service fit to answer? Asked before and while it gets a share of the reads."""

from __future__ import annotations

import time
from dataclasses import dataclass

import httpx

from strangler.plans.errors import PlanError

_EVERY = 0.25


@dataclass(frozen=True, kw_only=True)
class ReadinessGate:
    """Watches a service's readiness: one bad answer ends it. It says nothing about the answers' contents."""

    service: str
    url: str

    def __call__(self, seconds: float) -> None:
        """Ask for so many seconds, at least once. Raises PlanError as soon as an answer is not 2xx."""
        deadline = time.monotonic() + seconds
        with httpx.Client(timeout=2.0, trust_env=False) as client:
            while True:
                self._ask(client)
                if time.monotonic() + _EVERY > deadline:
                    return
                time.sleep(_EVERY)

    def _ask(self, client: httpx.Client) -> None:
        try:
            response = client.get(self.url)
        except httpx.HTTPError as error:
            raise PlanError(f'service "{self.service}" does not answer at {self.url}') from error
        if not response.is_success:
            raise PlanError(f'service "{self.service}" is not ready: {self.url} answers {response.status_code}')
