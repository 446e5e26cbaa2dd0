"""Is the service fit to answer? Asked before and while it gets a share of the reads."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from strangler.plans.errors import PlanError


@dataclass(frozen=True, kw_only=True)
class ReadinessGate:
    """Asks a service whether it is ready. It says nothing about the answers' contents."""

    service: str
    url: str
    timeout: float = 2.0

    def __call__(self) -> None:
        """Ask once. Raises PlanError where the answer is late or not 2xx."""
        try:
            response = httpx.get(self.url, timeout=self.timeout, trust_env=False)
        except httpx.HTTPError as error:
            raise PlanError(f'service "{self.service}" does not answer at {self.url}') from error
        if not response.is_success:
            raise PlanError(f'service "{self.service}" is not ready: {self.url} answers {response.status_code}')
