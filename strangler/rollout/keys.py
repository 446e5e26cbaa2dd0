"""Developers' keys and their usage between the database and one proxy, page by page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from strangler_proxy.gateway.keys import KeyPage
from strangler_proxy.gateway.usage import UsageReport

from strangler.rollout.engines.base import EngineError

_REPORTS = 20
"""Reports that are collected at a time: under load there is always something new."""


class KeyHolder(Protocol):
    """A proxy that knows keys. Every method raises EngineError."""

    def keys_revision(self) -> int:
        """The revision of the keys that it goes by; 0 where it has none."""

    def apply_keys(self, page: KeyPage) -> None:
        """Go by what has changed. A page that does not follow its revision is refused."""

    def usage(self) -> UsageReport:
        """How much keys were used here, as far as it was not collected, or a part of that."""

    def collected(self, report: UsageReport) -> None:
        """Need not tell these rows again, unless they change."""


def bring(holder: KeyHolder, page: Callable[[int], KeyPage | None]) -> None:
    """Bring a proxy to the last revision; "page" tells what follows one."""
    # The proxy is asked first: what is read then of the database is never older than what it has.
    revision = holder.keys_revision()
    while (found := page(revision)) is not None:
        try:
            holder.apply_keys(found)
        except EngineError:
            if holder.keys_revision() == revision:
                raise
            # Somebody else has brought it a page meanwhile.
        revision = holder.keys_revision()


def collect(holder: KeyHolder, keep: Callable[[UsageReport], None]) -> None:
    """Have "keep" remember what a proxy tells, which then need not tell it again."""
    for _ in range(_REPORTS):
        report = holder.usage()
        if not report.rows:
            return
        keep(report)
        holder.collected(report)
