"""The services' OpenAPI documents in force at this proxy: taken in, remembered in a file, compiled once, merged."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openapi_core import OpenAPI

from strangler_proxy.openapi.document import Document, checked
from strangler_proxy.openapi.merging import merged
from strangler_proxy.routes import RouteTable


@dataclass(kw_only=True)
class Documents:
    """By the names of the upstreams that they describe."""

    path: Path | None = None
    _given: dict[str, Any] = field(default_factory=dict)
    """As they were sent."""
    _known: dict[str, Document] = field(default_factory=dict)
    _compiled: dict[str, Any] = field(default_factory=dict)
    _merged: tuple[RouteTable, str, Document] | None = None

    @classmethod
    def open(cls, path: Path) -> Documents:
        """Those that the file remembers. Raises ValueError on a bad file."""
        made = cls(path=path)
        if path.exists():
            try:
                for name, given in json.loads(path.read_bytes()).items():
                    made._take(name, given)
            except (ValueError, AttributeError) as error:
                raise ValueError(
                    f'the file "{path}" holds no OpenAPI documents ({error}); remove it, then publish them anew'
                ) from error
        return made

    def put(self, name: str, given: Any) -> None:
        """Go by this document from now on. Raises ValueError or OSError, and keeps the old one then."""
        before = dict(self._given), dict(self._known), dict(self._compiled)
        try:
            self._take(name, given)
            if self.path is not None:
                draft = self.path.with_name(self.path.name + ".new")
                draft.write_text(json.dumps(self._given))
                draft.replace(self.path)
        except (ValueError, OSError):
            self._given, self._known, self._compiled = before
            raise
        self._merged = None

    @property
    def known(self) -> dict[str, Document]:
        """All of them."""
        return dict(self._known)

    def of(self, name: str) -> Document | None:
        """The upstream's document."""
        return self._known.get(name)

    def compiled(self, name: str) -> Any:
        """The upstream's document as openapi-core goes by it; None without one."""
        return self._compiled.get(name)

    def merged(self, table: RouteTable, title: str) -> Document:
        """All of them as clients see them under this table."""
        if self._merged is None or self._merged[0] is not table or self._merged[1] != title:
            self._merged = (table, title, merged(self._known, table, title)[0])
        return self._merged[2]

    def _take(self, name: str, given: Any) -> None:
        known = checked(given, name)
        # Who may do what is the upstream's to say, and the policies'.
        plain = {key: part for key, part in known.items() if key != "security"} | {"servers": [{"url": "/"}]}
        try:
            self._compiled[name] = OpenAPI.from_dict(_without_security(plain))
        except Exception as error:  # whatever openapi-core and its libraries find wrong with it
            message = str(error).strip().partition("\n")[0][:200]
            raise ValueError(f'the OpenAPI document of "{name}" is not valid ({message})') from error
        self._given[name], self._known[name] = given, known


def _without_security(document: Document) -> Document:
    paths = {
        path: {
            method: {key: one for key, one in part.items() if key != "security"} if isinstance(part, dict) else part
            for method, part in item.items()
        }
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths}
