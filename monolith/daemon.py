"""The loop of a process that works until it is told to end."""

import logging
import signal
import threading

from django.db import close_old_connections

from monolith.backoff import full_jitter

PAUSE, LONGEST_PAUSE = 0.5, 30

logger = logging.getLogger(__name__)


def run(work, *, idle):
    """Call `work` again and again until SIGTERM or SIGINT, and end between two calls.

    Where it gives 0, there was nothing to do, and `idle` seconds pass. Where it raises, what it needs is away: the
    pauses grow, and are random.
    """
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    failures = 0
    while not told.is_set():
        close_old_connections()
        try:
            pause = 0 if work() else idle
            failures = 0
        except Exception:
            failures += 1
            pause = full_jitter(failures, base=PAUSE, cap=LONGEST_PAUSE)
            logger.exception("work failed", extra={"failures": failures, "pause": round(pause, 1)})
        told.wait(pause)
