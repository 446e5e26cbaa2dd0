"""The operators' endpoints for developers' keys: which there are, and how much they are used."""

from __future__ import annotations

import json
from dataclasses import dataclass

from strangler_proxy.answers import Answer, as_json
from strangler_proxy.gateway.keys import KeyPage
from strangler_proxy.gateway.usage import UsageReport
from strangler_proxy.keys import KeyStore
from strangler_proxy.usage import Usage


@dataclass(frozen=True, kw_only=True)
class KeyOperators:
    """Answers what operators.py has let in."""

    keys: KeyStore
    usage: Usage

    def answer(self, method: str, path: str, body: bytes) -> Answer | None:
        """None for what is not its own."""
        match method, path:
            case "GET", "/-/keys":
                return as_json(200, {"revision": self.keys.ring.revision, "count": len(self.keys.ring.keys)})
            case "PUT", "/-/keys":
                return self._apply(body)
            case "GET", "/-/usage":
                return as_json(200, self.usage.report().to_json())
            case "PUT", "/-/collected":
                return self._collected(body)
        return None

    def _apply(self, body: bytes) -> Answer:
        try:
            page = KeyPage.from_json(json.loads(body))
        except ValueError as error:
            return as_json(422, {"error": str(error)})
        try:
            self.keys.apply(page)
        except ValueError as error:
            return as_json(409, {"error": str(error)})
        except OSError as error:
            return as_json(507, {"error": f"the keys cannot be remembered ({error}); the old ones go on"})
        return as_json(200, {"revision": self.keys.ring.revision})

    def _collected(self, body: bytes) -> Answer:
        try:
            self.usage.collected(UsageReport.from_json(json.loads(body)))
        except ValueError as error:
            return as_json(422, {"error": str(error)})
        return as_json(200, {})
