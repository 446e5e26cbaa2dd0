"""The developers' keys in force: changed page by page, and remembered in a file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from strangler_proxy.gateway.authorize import Keys
from strangler_proxy.gateway.keys import KeyPage, KeyRing
from strangler_proxy.remembering import write
from strangler_proxy.routes import RouteTable
from strangler_proxy.who import Denied, Who


class KeyStore:
    """Holds one ring at a time."""

    def __init__(self, ring: KeyRing, path: Path) -> None:
        self.ring = ring
        self._path = path

    @classmethod
    def open(cls, path: Path) -> KeyStore:
        """The keys that the file remembers; none where there is no file. Raises ValueError on a bad file."""
        if not path.exists():
            return cls(KeyRing(), path)
        try:
            return cls(KeyRing().with_page(KeyPage.from_json(json.loads(path.read_bytes()))), path)
        except ValueError as error:
            raise ValueError(
                f'the file "{path}" holds no keys ({error}); remove it, and replicate brings them anew'
            ) from error

    def apply(self, page: KeyPage) -> None:
        """Go by what has changed from now on, also after a restart. Raises ValueError where it does not follow."""
        ring = self.ring.with_page(page)
        write(self._path, KeyPage(after=0, revision=ring.revision, keys=tuple(ring.keys.values())).to_json())
        self.ring = ring


@dataclass(frozen=True, kw_only=True)
class Developers:
    """Who shows a key."""

    store: KeyStore
    table: Callable[[], RouteTable]
    clock: Callable[[], float] = time.time

    def who(self, shown: str, target: str, terms: Keys) -> Who:
        """The developer whose key it is. Raises Denied."""
        name, _, secret = shown.partition(".")
        key = self.store.ring.keys.get(name)
        if key is None:
            raise Denied("the key is not known")
        if (why := key.refusal(secret, self.clock())) is not None:
            raise Denied(why)
        if not key.is_for(target):
            raise Denied("the key is not for this path", forbidden=True)
        if not set(terms.scopes) <= set(key.scopes):
            raise Denied(f"the key lacks a scope of {', '.join(terms.scopes)}", forbidden=True)
        if key.plan and self.table().gateway.plan(key.plan) is None:
            raise Denied("the key's plan is not known", forbidden=True)
        return Who(way="key", subject=key.developer, scopes=key.scopes, key=key.id, plan=key.plan)
