"""The dead-letter queue: what is in it, and the way back."""

import json
import time
from datetime import UTC, datetime

LOOK_SECONDS = 30
"""For so long a message that was looked at stays away from others, unless it is given back before."""


def waiting(dead):
    """All messages, which are there again afterwards. Of one group a queue shows ten at most."""
    found = list(_all(dead))
    for message in found:
        dead.leave(message, seconds=0)
    return found


def redrive(dead, url, *, names=()):
    """Move the messages of these names, or all, to the queue at `url`; returns those that were moved.

    Each is sent before it is deleted: killed between, it is in both, which the inbox sees to.
    """
    # A consumer may park it again while we are at it: that one stays.
    began = time.time()
    moved, left = [], []
    for message in _all(dead):
        if message.sent_at <= began and (not names or names_of(message) & set(names)):
            dead.hand_over(message, url)
            moved.append(message)
        else:
            left.append(message)
    for message in left:
        dead.leave(message, seconds=0)
    return moved


def names_of(message):
    """What it can be called by: its own id, and its event's, where it has one."""
    return {message.id, str(_event(message).get("event", message.id))}


def described(message):
    """One line about a message."""
    event = _event(message)
    what = f"{event.get('type', 'no event')} v{event.get('version', '?')} of {event.get('subject') or message.group}"
    since = datetime.fromtimestamp(message.sent_at, UTC).isoformat(timespec="seconds")
    return f"{event.get('event', message.id)}  {since}  {what}  {message.why or 'received too often'}"


def _all(dead):
    while found := dead.receive(invisible=LOOK_SECONDS):
        yield from found


def _event(message):
    try:
        event = json.loads(message.body)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
