"""The operators' endpoints for OpenAPI documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from strangler_proxy.answers import Answer, as_json
from strangler_proxy.documents import Documents
from strangler_proxy.openapi.merging import merged
from strangler_proxy.routes import RouteTable

_PREFIX = "/-/openapi/"


@dataclass(frozen=True, kw_only=True)
class DocumentOperators:
    """Answers what operators.py has let in."""

    documents: Documents
    table: Callable[[], RouteTable]

    def answer(self, method: str, path: str, body: bytes) -> Answer | None:
        """None for what is not its own."""
        if (method, path) == ("GET", "/-/openapi"):
            document, problems = merged(self.documents.known, self.table(), "API")
            return as_json(200, {"document": document, "problems": problems})
        if method != "PUT" or not path.startswith(_PREFIX):
            return None
        return self._take(path.removeprefix(_PREFIX), body)

    def _take(self, name: str, body: bytes) -> Answer:
        if not self.table().knows(name):
            return as_json(422, {"error": f'"{name}" is no upstream of the table in force; publish the routes first'})
        try:
            self.documents.put(name, json.loads(body))
        except ValueError as error:
            return as_json(422, {"error": str(error)})
        except RecursionError:
            return as_json(422, {"error": f'the OpenAPI document of "{name}" is nested too deeply'})
        except OSError as error:
            return as_json(507, {"error": f"the document cannot be remembered ({error}); the old one goes on"})
        return as_json(200, {})
