"""The events that notifications are made of, as they come; pure. What is needed of each is in docs/events/."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

KNOWN = {"account.registered": 1, "account.deleted": 1, "order.placed": 1, "order.shipped": 1}
"""Types of events and the highest version of each that is understood here."""


class UnknownVersion(ValueError):
    """An event of a type that is known, in a later version: it waits for somebody who understands it."""


@dataclass(frozen=True, kw_only=True)
class Event:
    event: UUID
    type: str
    version: int
    at: datetime
    user: int
    data: dict[str, Any]
    traceparent: str


def read_event(told):
    """The event in an envelope, or None where its type is not known here. Fields that nobody asked for are no matter.

    Raises UnknownVersion, or ValueError where it is not what its type and version promise.
    """
    if not isinstance(told, dict) or not isinstance(told.get("type"), str):
        raise ValueError(f"this is no event: {told!r:.200}")
    known = KNOWN.get(told["type"])
    if known is None:
        return None
    try:
        if int(told["version"]) > known:
            raise UnknownVersion(f'version {told["version"]} of "{told["type"]}" is not known, only up to {known}')
        return Event(
            event=UUID(told["event"]),
            type=told["type"],
            version=int(told["version"]),
            at=datetime.fromisoformat(told["at"]),
            user=int(told["data"]["user_id"]),
            data=told["data"],
            traceparent=told.get("traceparent") or "",
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f'event "{told.get("event")}" of "{told["type"]}" lacks {error}') from error
