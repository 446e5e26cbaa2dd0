"""What engines with a Python proxy behind them have in common: what they leave to it, and who replaces a table."""

from __future__ import annotations

import fcntl
import hashlib
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from strangler_proxy.cohorts import Cohorts
from strangler_proxy.gateway.keys import KeyPage
from strangler_proxy.gateway.usage import UsageReport
from strangler_proxy.shadowed import Shadowed

from strangler.rollout.engines.base import EngineError, RoutingEngine
from strangler.rollout.fleet import Fleet


@dataclass(frozen=True, kw_only=True)
class Accompanied:
    """An engine on this machine, and the companions behind it, which count, keep and know what it does not."""

    companions: Sequence[RoutingEngine] = ()

    @property
    def name(self) -> str:
        """What to call it in a message."""
        raise NotImplementedError

    def cohorts(self, move: str, version: tuple[int, int]) -> Cohorts:
        return self._fleet.cohorts(move, version)

    def shadowed(self, move: str) -> Shadowed:
        return self._fleet.shadowed(move)

    def moments(self) -> dict[str, int]:
        return self._fleet.moments()

    def arrived(self, move: str, moments: Mapping[str, int]) -> None:
        self._fleet.arrived(move, moments)

    def bring_keys(self, page: Callable[[int], KeyPage | None]) -> None:
        self._fleet.bring_keys(page)

    def collect_usage(self, keep: Callable[[UsageReport], None]) -> None:
        self._fleet.collect_usage(keep)

    def describe(self, upstream: str, document: Mapping[str, Any]) -> None:
        self._fleet.describe(upstream, document)

    def purge(self, *, route: str = "", tag: str = "") -> int:
        return self._fleet.purge(route=route, tag=tag)

    @cached_property
    def _fleet(self) -> Fleet:
        return Fleet(engines=self.companions)

    @contextmanager
    def _alone(self, path: Path) -> Iterator[None]:
        """Between the look at the table in force and its replacement nobody else replaces it."""
        try:
            with path.open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except PermissionError as error:
            raise EngineError(
                f'"{error.filename}" may not be written, where {self.name} keeps its routes; give the user of '
                "manage.py the right to write there"
            ) from error


def salt(directory: Path) -> str:
    """Hexadecimal digits of the engine in this directory alone, for keys and traces that no other may give."""
    return hashlib.sha256(f"{socket.gethostname()} {directory.resolve()}".encode()).hexdigest()
