"""Where people ask for keys: what they ask for is done, told to all proxies, and said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from strangler_proxy.gateway import Gateway

from strangler.developers import showing, usage
from strangler.developers.publishing import Publishing
from strangler.developers.register import Register
from strangler.developers.usage import Used
from strangler.errors import StranglerError

FORMATS: dict[str, Callable[[list[Used]], str]] = {
    "text": lambda rows: "\n".join(usage.as_text(rows)),
    "csv": usage.as_csv,
    "json": usage.as_json,
}
_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Every method raises StranglerError, also where it is done and a proxy does not know it yet."""

    register: Register
    publishing: Publishing
    gateway: Gateway
    tell: Callable[[str], object]
    warn: Callable[[str], object]

    def create(
        self, *, developer: str, plan: str, scopes: tuple[str, ...], routes: tuple[str, ...], seconds: float | None
    ) -> None:
        """Make a key and show it."""
        if plan and self.gateway.plan(plan) is None:
            known = ", ".join(one.name for one in self.gateway.plans) or "none"
            raise StranglerError(
                f'the gateway has no plan "{plan}" (known: {known}); add it there, with a new revision'
            )
        self._hand_out(
            self.register.create(developer=developer, plan=plan, scopes=scopes, routes=routes, seconds=seconds)
        )

    def rotate(self, name: str, *, keep: float) -> None:
        """Make a new secret and show it; the old one is good for so many seconds."""
        self._hand_out(self.register.rotate(name, keep=keep))

    def revoke(self, name: str) -> None:
        """Let nobody through for a key."""
        self.register.revoke(name)
        self._publish()
        self.tell("No proxy lets anybody through for it any more.")

    def show(self, *, as_json: bool) -> None:
        """All keys, without their secrets. This is a read-only operation."""
        found = showing.rows(self.register.all(), datetime.now(UTC))
        self.tell(json.dumps(found, indent=2) if as_json else "\n".join(showing.lines(found)))

    def usage(self, *, since: date | None, until: date | None, form: str) -> None:
        """What was used by days, today included."""
        try:
            self.publishing.collect()
        except StranglerError as error:
            self.warn(f"not all is collected: {error}")
        today = datetime.now(UTC).date()
        found = usage.used(
            self.publishing.databases, since=str(since or today - timedelta(days=_DAYS)), until=str(until or today)
        )
        self.tell(FORMATS[form](found).rstrip("\n"))

    def _hand_out(self, shown: str) -> None:
        self.tell(shown)  # first of all: whatever comes, nobody could show it again
        self._publish()
        self.warn("All proxies know it. It is kept nowhere: give it to its developer now.")

    def _publish(self) -> None:
        try:
            self.publishing.publish()
        except StranglerError as error:
            raise StranglerError(
                f"it is done, but not all proxies know it: {error}; replicate tells them when they are back"
            ) from error
