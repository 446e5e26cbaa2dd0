"""Who is logged in at the monolith."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from strangler_proxy.gateway.authorize import Session
from strangler_proxy.identity import Identities, IdentityUnknown, Known
from strangler_proxy.routes import Upstream
from strangler_proxy.who import Denied, Unknown, Who

_AUDIENCE = "gateway"


@dataclass(frozen=True, kw_only=True)
class People:
    """Asks the monolith, and knows for seconds what it said."""

    identities: Identities
    monolith: Callable[[], Upstream]

    async def who(self, cookies: Sequence[str], authorization: str | None, terms: Session) -> Who | None:
        """The user; None for nobody. Raises Denied, or Unknown where the monolith does not say."""
        try:
            token = await self.identities.token(self.monolith(), _AUDIENCE, cookies, authorization)
        except IdentityUnknown as error:
            raise Unknown(str(error)) from error
        if token is None:
            return None
        known = Known(token=token)
        if terms.staff and not known.staff:
            raise Denied("this is for the staff", forbidden=True)
        subject = known.claims.get("sub")
        if not isinstance(subject, str) or not subject:
            raise Unknown("the monolith did not say who the client is (no subject)")
        return Who(way="session", subject=subject)
