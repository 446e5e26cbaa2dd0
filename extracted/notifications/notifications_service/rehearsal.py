"""Rehearsals: a write that another database owns runs here as well, is compared with the owner's, and never happens.

It runs in a transaction of which the database itself allows no commit (strangler.begin_rehearsal), and nothing leaves
the process meanwhile. The answer's header tells what it would have changed, to the proxy alone.
"""

import hmac
import json

from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction
from django.http import HttpResponseNotFound, JsonResponse
from psycopg.pq import TransactionStatus

from notifications_service import outward

REHEARSAL = "Strangler-Rehearsal"
SHOWN = "Strangler-Rehearsal-Token"
EFFECTS = "Strangler-Effects"
_ROWS = 50
_LONGEST = 16_000
_ENDS = frozenset({"COMMIT", "END", "ROLLBACK", "ABORT", "PREPARE", "BEGIN", "START"})
_BUSY = frozenset({"55P03", "57014", "40P01"})
# A rehearsal is in nobody's way for long: it gives up before a deadlock with the applier would be looked for.
_BOUNDS = (
    "SET LOCAL lock_timeout = '300ms'; SET LOCAL statement_timeout = '2s'; "
    "SET LOCAL idle_in_transaction_session_timeout = '5s'"
)


class RehearsalMiddleware:
    """Stands in front of all that writes; what is in front of it is not rehearsed."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        move = request.headers.get(REHEARSAL, "")
        if not move:
            return self.get_response(request)
        given = request.headers.get(SHOWN, "")
        if not settings.REHEARSAL_TOKEN or not hmac.compare_digest(given.encode(), settings.REHEARSAL_TOKEN.encode()):
            return HttpResponseNotFound()
        outward.watch()
        with outward.kept_in() as blocked:
            try:
                response, told = self._rehearse(request, move)
            except DatabaseError as error:
                return JsonResponse({"detail": f"This cannot be rehearsed: {error}"}, status=503)
        return _telling(response, {**told, "blocked": sorted(blocked)})

    def process_exception(self, request, exception):
        """A view that insists on a commit of its own is told of, not judged. Answers nothing."""
        if isinstance(exception, RuntimeError) and "durable" in str(exception):
            request.wants_commit = True

    def _rehearse(self, request, move):
        # Nobody's block is around this one, so that what ends it is the end.
        with transaction.atomic(durable=True):
            with connection.cursor() as cursor:
                cursor.execute(_BOUNDS)
            # Two of one table take turns: the second waits here, no longer than for any lock.
            began = _ask("SELECT strangler.begin_rehearsal(%s)", move)
            with connection.execute_wrapper(_within):
                response = self.get_response(request)
            rows = _effects(move, began["seq"])
            transaction.set_rollback(True)
        told = {"before": began["received"], "after": _ask("SELECT strangler.stands(%s)", move)["received"]}
        told["unsaid"] = response.streaming or getattr(request, "wants_commit", False)
        return response, {**told, "rows": rows}


def reason_against():
    """Why no write can be rehearsed here, as a sentence; nothing where it can. This is a read-only operation."""
    ours = f"{RehearsalMiddleware.__module__}.{RehearsalMiddleware.__qualname__}"
    if not settings.REHEARSAL_TOKEN:
        return "NOTIFICATIONS_REHEARSAL_TOKEN is not set"
    if ours not in settings.MIDDLEWARE:
        return f"{ours} is not among MIDDLEWARE"
    if connection.vendor != "postgresql" or len(connections.settings) > 1:
        return "only in one PostgreSQL database is every write known to be undone"
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regprocedure('strangler.begin_rehearsal(text)') IS NOT NULL")
        there = cursor.fetchone()[0]
    return "" if there else "the database has no strangler.begin_rehearsal; create the move with this toolkit"


def _within(execute, sql, params, many, context):
    """Let no statement through that ends the transaction, or that runs behind its end."""
    verb = str(sql).split(None, 1)[0].rstrip(";").upper()
    if (verb in _ENDS and not str(sql).upper().startswith("ROLLBACK TO")) or _status() == TransactionStatus.IDLE:
        outward.refuse(f"{verb} of a transaction of its own")
    try:
        return execute(sql, params, many, context)
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) in _BUSY:
            outward.note("waiting for others")  # the applier's locks, which the owner has not met
        raise


def _status():
    return connection.connection.info.transaction_status


def _effects(move, after):
    if _status() != TransactionStatus.INTRANS or connection.needs_rollback:
        return []  # it has failed as a whole, and would have changed nothing
    return _ask("SELECT strangler.effects(%s, %s, %s)", move, after, _ROWS)


def _ask(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found = cursor.fetchone()[0]
    return json.loads(found) if isinstance(found, str) else found


def _telling(response, told):
    text = json.dumps(told)
    if len(text) > _LONGEST or len(told["rows"]) > _ROWS:
        text = json.dumps({**told, "rows": [], "unsaid": True})
    response[EFFECTS] = text
    return response
