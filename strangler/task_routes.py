"""Which queue a task is sent to, for the Celery application of the monolith: what MoveTask has written.

    CELERY_TASK_ROUTES = ["strangler.task_routes.route", ...]

It must stand first, since the first router that knows a task decides. Tasks that no plan has moved it leaves alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from django.db import DatabaseError, InterfaceError, connection, transaction

from strangler import tables

logger = logging.getLogger(__name__)

KEPT_SECONDS = 1.0
"""How old an answer may be; MoveTask waits for longer than that before it looks who still holds messages."""

_known: tuple[float, Mapping[str, str]] = (float("-inf"), {})


def route(name: str, *_: object, **__: object) -> dict[str, Any] | None:
    """The queue of a task that a plan has moved, or None. A router of Celery's `task_routes`."""
    queue = _queues().get(name)
    return None if queue is None else {"queue": queue}


def forget() -> None:
    """Ask the database at the next message."""
    global _known  # noqa: PLW0603
    _known = (float("-inf"), {})


def _queues() -> Mapping[str, str]:
    """All moved tasks and their queues.

    Where the database does not answer, the last answer holds: a message in the wrong queue is still seen by MoveTask,
    one that was not sent is seen by nobody.
    """
    global _known  # noqa: PLW0603
    if time.monotonic() < _known[0] + KEPT_SECONDS or (connection.in_atomic_block and connection.needs_rollback):
        return _known[1]
    asked = time.monotonic()
    try:
        _known = (asked, _read())
    except (DatabaseError, InterfaceError) as error:
        logger.warning("the queues of moved tasks may be stale: %s", str(error).strip().splitlines()[0])
        _known = (asked, _known[1])
    return _known[1]


def _read() -> Mapping[str, str]:
    # A savepoint, where the sender has a transaction: our failure must not be the end of it.
    with transaction.atomic() if connection.in_atomic_block else nullcontext():
        if not tables.exists(connection, "task_routes"):
            return {}
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT task, queue FROM {tables.sql_name(connection, 'task_routes')}")  # noqa: S608
            return dict(cursor.fetchall())
