"""The shop's events, as they come in a message."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that has happened in the shop."""

    id: UUID
    type: str
    version: int
    at: datetime
    traceparent: str
    data: Mapping

    def __str__(self):
        return f"{self.type} v{self.version} {self.id}"


def parse(body):
    """The event in a message's body; what is not known of it is left out. Raises ValueError saying what is wrong."""
    envelope = json.loads(body)
    if not isinstance(envelope, dict):
        raise ValueError("the message is no JSON object")
    event = Event(
        id=UUID(_text(envelope, "event")),
        type=_text(envelope, "type"),
        version=_of(envelope, "version", int),
        at=datetime.fromisoformat(_text(envelope, "at")),
        traceparent=str(envelope.get("traceparent") or ""),
        data=_of(envelope, "data", dict),
    )
    if event.at.tzinfo is None:
        raise ValueError(f'"at" has no time zone: {envelope["at"]}')
    return event


def _text(envelope, name):
    return _of(envelope, name, str)


def _of(envelope, name, kind):
    value = envelope.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f'"{name}" is no {kind.__name__}: {value!r}')
    return value
