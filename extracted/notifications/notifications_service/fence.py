"""The fence on our tables: as it is told to whoever routes requests here, and to ourselves before we take messages.

While another database owns the tables, ours refuses every write with its own SQLSTATE. Such a request has done
nothing here: it is rolled back as a whole, and this service sends nothing out. So it may be sent again elsewhere.
"""

import json
from contextvars import ContextVar

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpResponse, JsonResponse

REFUSED = "Strangler-Refused"
MOVE = "Strangler-Move"
_SQLSTATE = "SF001"

_refusal = ContextVar("refusal", default=None)


class FenceMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        refusal = _not_ours(request.headers.get(MOVE, ""))
        if refusal is None:
            token = _refusal.set(None)
            try:
                with connection.execute_wrapper(_remember):
                    response = self.get_response(request)
                refusal = _refusal.get()
            finally:
                _refusal.reset(token)
        if refusal is None:
            return response
        answer = JsonResponse({"detail": "The notifications are moving; try again."}, status=503)
        answer["Retry-After"] = "1"
        answer[REFUSED] = f"move={refusal['move']}; term={refusal['term']}; replay=1"
        return answer

    def process_exception(self, request, exception):
        """An answer for a refusal that reached the top; __call__ replaces it. None for all else."""
        return HttpResponse(status=503) if _refusal.get() is not None else None


def refused(error):
    """Whether the fence raised this: nothing was written, and the owner can do it."""
    return isinstance(error, DatabaseError) and getattr(error.__cause__, "sqlstate", None) == _SQLSTATE


def owns():
    """Whether the messages are ours to take: our database says that it owns the tables of `settings.MOVE`.

    Where nothing is known of that move yet, they are another's. Without a move the service stands alone: always True.
    """
    if not settings.MOVE:
        return True
    return _asked("SELECT FROM strangler.ownership WHERE move = %s AND owns", settings.MOVE) is not None


def _not_ours(move):
    """A refusal where the caller writes to a move that this database does not own; None where it may go on.

    The view would read rows that lag behind the owner's before it met the fence, and answer wrongly.
    """
    row = _asked("SELECT term FROM strangler.ownership WHERE move = %s AND NOT owns", move) if move else None
    return None if row is None else {"move": move, "term": row[0]}


def _asked(statement, move):
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('strangler.ownership') IS NOT NULL")
        if cursor.fetchone() != (True,):
            return None
        cursor.execute(statement, [move])
        return cursor.fetchone()


def _remember(execute, sql, params, many, context):
    try:
        result = execute(sql, params, many, context)
    except DatabaseError as error:
        if refused(error):
            _refusal.set(json.loads(error.__cause__.diag.message_detail))
        raise
    if _refusal.get() is not None and context["connection"].in_atomic_block:
        # Somebody swallowed the refusal and went back to a savepoint: the request must not commit its other half.
        context["connection"].needs_rollback = True
    return result
