"""Lab 25: can one request be followed through all that it set off?"""

from __future__ import annotations

from pathlib import Path

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.probing import experiment

_PROGRAM = Path(__file__).parent / "start" / "labs" / "one_trace.py"
_TRACING = "extracted/reviews/reviews_service/tracing.py"
_PARTS = {
    "orchard": "monolith/tracing.py: the middleware",
    "reviews": f'monolith/reviews/remote.py sends the header "traceparent", and {_TRACING} goes on with it',
    "worker": "monolith/tasks.py: the message's headers, on their way out (apply_async) and in (__call__)",
    "consumer": 'monolith/outbox/services.py: what the event takes along, and docs/events/envelope.json: "traceparent"',
}


def check(bench: Bench) -> list[Finding]:
    """The parts that the traces of two orders come to."""
    traces, broken = experiment(bench, _PROGRAM)
    if broken is not None:
        return [broken]
    return [
        Finding(what=f"the traces of two orders do not both come to the {part}", where=where)
        for part, where in _PARTS.items()
        if not all(part in traces[person] for person in ("ada", "ben"))
    ]
