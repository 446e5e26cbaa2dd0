"""Is the service fit to answer, and to rehearse? The one is asked before and while it gets a share of the reads."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import httpx

from strangler.plans.errors import PlanError
from strangler.split import Capture


@dataclass(frozen=True, kw_only=True)
class ReadinessGate:
    """Asks a service whether it is ready. It says nothing about the answers' contents."""

    service: str
    url: str
    timeout: float = 2.0
    attempts: int = 3

    def __call__(self) -> None:
        """Raises PlanError where the answer is not 2xx, nobody is there, or each of the attempts is late."""
        try:
            response = _answer(self.url, self.timeout, self.attempts)
        except httpx.HTTPError as error:
            raise PlanError(f'service "{self.service}" does not answer at {self.url}') from error
        if not response.is_success:
            raise PlanError(f'service "{self.service}" is not ready: {self.url} answers {response.status_code}')


@dataclass(frozen=True, kw_only=True)
class RehearsalGate:
    """Asks a service whether it can run writes that cannot be committed, with nothing let out of its process."""

    service: str
    url: str
    monolith: str
    """DSN of the database that tells what each write has changed there, from the log that triggers fill."""
    capture: str
    timeout: float = 2.0
    attempts: int = 3

    def __call__(self) -> None:
        """Raises PlanError where the service does not promise it, or the monolith could not be compared."""
        if not self.monolith.startswith("postgres"):
            raise PlanError(
                "writes are not shadowed: the monolith is not on PostgreSQL, which alone tells their effects"
            )
        if self.capture != Capture.TRIGGERS:
            raise PlanError(
                "writes are not shadowed: their effects are read from the log of triggers, and CAPTURE is not"
            )
        try:
            response = _answer(self.url, self.timeout, self.attempts)
        except httpx.HTTPError as error:
            raise PlanError(
                f'writes are not shadowed: service "{self.service}" does not answer at {self.url}'
            ) from error
        if not response.is_success:
            raise PlanError(
                f'writes are not shadowed: service "{self.service}" does not promise to rehearse them, {self.url} '
                f"answers {response.status_code} ({_reason(response)}); see to that, or take out shadow_writes"
            )


def _answer(url: str, timeout: float, attempts: int) -> httpx.Response:
    """Raises httpx.HTTPError where nobody is there, or each of the attempts is late."""
    for _ in range(attempts - 1):
        # Late once is a moment of a busy machine; to take all reads back for it would cost more.
        with suppress(httpx.TimeoutException):
            return httpx.get(url, timeout=timeout, trust_env=False)
    return httpx.get(url, timeout=timeout, trust_env=False)


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["reason"])
    except (ValueError, LookupError, TypeError):
        return "it does not say why"
