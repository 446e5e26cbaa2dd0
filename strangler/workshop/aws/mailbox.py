"""The mails that SES has taken, and what became of each."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a mail at one of its addresses."""

    kind: str
    """As SES's events are called: "Delivery", "Bounce" or "Complaint"."""
    address: str
    why: str = ""
    """Of a bounce: its subtype."""

    def __str__(self) -> str:
        said = {"Delivery": "delivered", "Bounce": "bounced", "Complaint": "complained of"}[self.kind]
        return f"{said} ({self.why})" if self.why else said


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail; the last four are known once it is taken."""

    sender: str
    recipients: Sequence[str]
    subject: str
    text: str
    html: str
    tags: Mapping[str, str]
    message_id: str = ""
    outcomes: Sequence[Outcome] = ()
    number: int = 0
    at: str = ""


class Mailbox:
    """All mails, numbered from 1 in the order in which they were taken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mails: list[Mail] = []

    def take(self, mail: Mail, message_id: str, outcomes: Sequence[Outcome]) -> Mail:
        """Keep a mail; as it is kept."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._lock:
            number = len(self._mails) + 1
            taken = replace(mail, message_id=message_id, outcomes=tuple(outcomes), number=number, at=at)
            self._mails.append(taken)
        return taken

    def mails(self) -> list[Mail]:
        with self._lock:
            return list(self._mails)

    def mail(self, number: int) -> Mail | None:
        with self._lock:
            return self._mails[number - 1] if 1 <= number <= len(self._mails) else None
