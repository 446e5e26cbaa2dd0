"""Lab 23: does each order give one mail, whoever is killed and however often it is told?"""

from __future__ import annotations

from pathlib import Path

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.probing import experiment

_PROGRAM = Path(__file__).parent / "start" / "labs" / "exactly_once.py"
_OUTBOX, _INBOX = "monolith/outbox/services.py", "monolith/notifications/consuming.py"
_RELAY = "monolith/outbox/relay.py"
_CASES = {
    "all goes well": ("1", f"{_OUTBOX}, {_RELAY} and {_INBOX}, in this order"),
    "the payment fails, and the order is taken back": ("0", f"{_OUTBOX}: what is rolled back with the order?"),
    "the topic is away as she orders, and comes back": ("1", f"{_OUTBOX}: who tells it when the request is over?"),
    "Orchard is killed right behind the order's commit": (
        "1",
        f"{_OUTBOX}: what only waits in a process's memory is gone with it",
    ),
    "whoever tells the topic is killed before it answers": ("1", f"{_RELAY} tells it again, so {_INBOX} must know"),
    "the queue delivers three times": ("1", f'{_INBOX}: the table "Received"'),
    "the consumer is killed as it writes the mail": ("1", f"{_INBOX}: what must be in one transaction?"),
    "the consumer is killed as it notes the event": ("1", f"{_INBOX}: what must be in one transaction?"),
}


def check(bench: Bench) -> list[Finding]:
    """The mails that come, case by case."""
    said, broken = experiment(bench, _PROGRAM)
    if broken is not None:
        return [broken]
    return [
        Finding(what=f"{case}: {_told(said[case])}, where {right} is right", where=where)
        for case, (right, where) in _CASES.items()
        if said[case] != right
    ]


def _told(came: str) -> str:
    return f"{came} mails" if came.isdigit() else came
