"""The Python proxy (package strangler_proxy), spoken to over its operators' endpoints."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from strangler_proxy.cohorts import Cohorts
from strangler_proxy.gateway.keys import KeyPage
from strangler_proxy.gateway.usage import UsageReport
from strangler_proxy.routes import RouteTable
from strangler_proxy.shadowed import Shadowed

from strangler.rollout import keys
from strangler.rollout.engines.base import EngineError

_SECONDS = 5.0
_certificates = functools.cache(httpx.create_ssl_context)
"""Read once: reading them costs more than a request."""


@dataclass(frozen=True, kw_only=True)
class MitmproxyEngine:
    """A proxy at "url", for whoever has the operators' token."""

    url: str
    token: str

    @property
    def name(self) -> str:
        return self.url

    def apply(self, table: RouteTable) -> None:
        self._ask("PUT", "/-/table", table.to_json())

    def observe(self) -> RouteTable:
        return RouteTable.from_json(self._ask("GET", "/-/table"))

    def hold(self, move: str, seconds: float) -> None:
        self._ask("PUT", f"/-/holds/{move}", {"seconds": seconds})

    def release(self, move: str) -> None:
        self._ask("DELETE", f"/-/holds/{move}")

    def cohorts(self, move: str, version: tuple[int, int]) -> Cohorts:
        counted = self._ask("GET", f"/-/cohorts/{move}")
        found = tuple(counted.pop("version", ()))
        if found != version:
            raise EngineError(f'the proxy at {self.url} has version {found} of move "{move}", not {version}')
        return Cohorts.from_json(counted)

    def shadowed(self, move: str) -> Shadowed:
        told = self._ask("GET", f"/-/shadows/{move}")
        told.pop("version", None)
        return Shadowed.from_json(told)

    def moments(self) -> dict[str, int]:
        return self._ask("GET", "/-/moment")

    def describe(self, upstream: str, document: Mapping[str, Any]) -> None:
        self._ask("PUT", f"/-/openapi/{upstream}", dict(document))

    def purge(self, *, route: str = "", tag: str = "") -> int:
        purged = self._ask("POST", "/-/purge", {"tag": tag} if tag else {"route": route})["purged"]
        return int(purged)

    def bring_keys(self, page: Callable[[int], KeyPage | None]) -> None:
        keys.bring(self, page)

    def collect_usage(self, keep: Callable[[UsageReport], None]) -> None:
        keys.collect(self, keep)

    def keys_revision(self) -> int:
        return int(self._ask("GET", "/-/keys")["revision"])

    def apply_keys(self, page: KeyPage) -> None:
        self._ask("PUT", "/-/keys", page.to_json())

    def usage(self) -> UsageReport:
        return UsageReport.from_json(self._ask("GET", "/-/usage"))

    def collected(self, report: UsageReport) -> None:
        self._ask("PUT", "/-/collected", report.to_json())

    def arrived(self, move: str, moments: Mapping[str, int]) -> None:
        self._ask("PUT", f"/-/arrived/{move}", dict(moments))

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            answer = httpx.request(
                method,
                self.url.rstrip("/") + path,
                json=body,
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=_SECONDS,
                trust_env=False,
                verify=_certificates(),
            )
            said = answer.json() if answer.content else {}
        except (httpx.HTTPError, ValueError) as error:
            raise EngineError(
                f"the proxy at {self.url} does not answer ({type(error).__name__}); check that it runs, and "
                'STRANGLER["PROXIES"]'
            ) from error
        if answer.status_code == 404:
            raise EngineError(
                f"the proxy at {self.url} knows no {path}; check its version and its routes, and that "
                'STRANGLER["PROXY_TOKEN"] is its operators\' token'
            )
        if answer.is_error:
            raise EngineError(f"the proxy at {self.url} refused: {said.get('error', answer.status_code)}")
        return dict(said)
