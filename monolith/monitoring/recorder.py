"""Home-made metrics: counted in the process, written to a table every few seconds."""

import logging
import threading
import time

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

FLUSH_SECONDS = 5

logger = logging.getLogger(__name__)

_UPSERT = """
    INSERT INTO monitoring_routeminute AS known (minute, route, requests, errors, milliseconds, slowest)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (minute, route) DO UPDATE
       SET requests = known.requests + excluded.requests,
           errors = known.errors + excluded.errors,
           milliseconds = known.milliseconds + excluded.milliseconds,
           slowest = greatest(known.slowest, excluded.slowest)
"""


class Recorder:
    """Counts per route and minute; whoever finds the counts old enough writes them, inside its own request."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counts = {}
        self._flushed = time.monotonic()

    def add(self, route, milliseconds, failed):
        minute = timezone.now().replace(second=0, microsecond=0)
        with self._lock:
            requests, errors, total, slowest = self._counts.get((minute, route), (0, 0, 0.0, 0.0))
            self._counts[minute, route] = (
                requests + 1,
                errors + failed,
                total + milliseconds,
                max(slowest, milliseconds),
            )
            due = time.monotonic() - self._flushed >= FLUSH_SECONDS
        if due:
            self.flush()

    def flush(self):
        with self._lock:
            counts, self._counts = self._counts, {}
            self._flushed = time.monotonic()
        # In one order everywhere, so that two processes that flush the same routes do not deadlock.
        rows = [(minute, route, *values) for (minute, route), values in sorted(counts.items())]
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.executemany(_UPSERT, rows)
        except DatabaseError:
            logger.exception("metrics lost", extra={"routes": len(rows)})


recorder = Recorder()
