"""What the rest of the shop sees of notifications, the same wherever they live."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class NotificationCard:
    id: int
    subject: str
    body: str
    read: bool
    created_at: datetime
