"""The dead-letter queue: what lies there, and the way back into the queue that it came from."""

import json

LOOK_SECONDS = 30
"""As long as somebody looks at them, messages are hidden from others."""
_AT_ONCE = 10


def waiting(dead):
    """All messages, visible again afterwards. Of one group the queue shows ten at most."""
    found = []
    while batch := dead.receive(most=_AT_ONCE, hidden=LOOK_SECONDS):
        found += batch
    for delivery in found:
        dead.give_back(delivery, seconds=0)
    return found


def redrive(dead, queue, *, events=None):
    """Put messages back into `queue`: those of `events`, or all; returns the ids of what was put back.

    Each is sent before it is deleted: who is killed in between leaves it in both, and the inbox knows it.
    """
    back, left = [], []
    while batch := dead.receive(most=_AT_ONCE, hidden=LOOK_SECONDS):
        for delivery in batch:
            if events is None or event_of(delivery) in events:
                queue.send(delivery)
                dead.delete(delivery)
                back.append(event_of(delivery))
            else:
                left.append(delivery)
    for delivery in left:
        dead.give_back(delivery, seconds=0)
    return back


def event_of(delivery):
    """The id of the event in a message, "" where there is none to be read."""
    return str(_read(delivery).get("event", ""))


def described(delivery):
    """One line about a message."""
    told = _read(delivery)
    what = f"{told.get('type', 'no event')} v{told.get('version', '?')} of {told.get('subject', delivery.group)}"
    why = delivery.why or f"received {delivery.receives} times"
    return f"{event_of(delivery) or '-'}  {what}  {told.get('at', '')}  {why}"


def _read(delivery):
    try:
        told = json.loads(delivery.body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
