"""What the fence says to Django code: a typed, retryable error, and a request that remembers it.

In a request, a refusal dooms the transaction: code that swallows it cannot commit the rest. Elsewhere (tasks,
commands, shells) the write fails with MoveRefused; retry it, the next try finds where the rows live now.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import DatabaseError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

SQLSTATE = "SF001"
_IN_SQLITE = re.compile(rf'{SQLSTATE}: move "(.*)" is owned elsewhere', re.DOTALL)
_SIGNALLED = 1644
"""MySQL's number of an error that a trigger raises."""
_OWNED_ELSEWHERE = re.compile(r'move "(?P<move>.+)" is owned elsewhere \(term (?P<term>\d+)\)')


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A fence's answer: this database does not own the move's tables, since that term (0: it could not say)."""

    move: str
    term: int

    def __str__(self) -> str:
        return f'move "{self.move}" is owned elsewhere (term {self.term})'


class MoveRefused(OperationalError):
    """A write met the fence: the rows live in another database now. Nothing was written; try again."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


@dataclass
class Watch:
    """What one request has met and done so far."""

    refusals: list[Refusal] = field(default_factory=list)
    committed: bool = False
    emitted: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether the request can be sent again as if it had never been here."""
        return not self.committed and not self.emitted


_watch: ContextVar[Watch | None] = ContextVar("strangler_watch", default=None)


def refusal_of(error: BaseException) -> Refusal | None:
    """The refusal behind a database error, or None."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MoveRefused):
            return seen.refusal
        if isinstance(seen, Exception) and seen.args[:1] == (_SIGNALLED,):
            # Not every driver of MySQL passes the SQLSTATE on, and none has a detail.
            found = _OWNED_ELSEWHERE.fullmatch(str(seen.args[-1]))
            if found:
                return Refusal(move=found["move"], term=int(found["term"]))
        if getattr(seen, "sqlstate", None) == SQLSTATE:
            detail = json.loads(getattr(getattr(seen, "diag", None), "message_detail", None) or "{}")
            return Refusal(move=str(detail.get("move", "")), term=int(detail.get("term") or 0))
        if isinstance(seen, sqlite3.Error) and (found := _IN_SQLITE.match(str(seen))):
            # A trigger of SQLite raises a fixed text; the term is read where the connection is at hand.
            return Refusal(move=found[1], term=0)
        seen = seen.__cause__
    return None


@contextmanager
def watching() -> Iterator[Watch]:
    """Watch what happens within: refusals, commits, and things that leave the process."""
    record = Watch()
    token = _watch.set(record)
    try:
        yield record
    finally:
        _watch.reset(token)


def note_emission(**_: Any) -> None:
    """Say that the current request has let something out that cannot be taken back, so it must not be replayed.

    Tasks handed to Celery and new network connections are noticed by themselves. Bytes sent on a connection that an
    earlier request opened (a pooled HTTP client) are not: such code calls this.
    """
    record = _watch.get()
    if record is not None:
        record.emitted = True


def watch() -> None:
    """Install the watch on all connections of the process, now and later. Safe to call again."""
    connection_created.connect(_wrap, dispatch_uid="strangler.refusal")
    for connection in connections.all(initialized_only=True):
        _wrap(connection=connection)
    if "celery" in sys.modules:
        from celery.signals import before_task_publish  # noqa: PLC0415

        before_task_publish.connect(note_emission, dispatch_uid="strangler.refusal", weak=False)
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_on_audit_event)


_hooked: list[bool] = []


def _on_audit_event(event: str, _: object) -> None:
    # psycopg connects within libpq, which raises no audit event: what is seen here goes to somebody else.
    if event == "socket.connect":
        note_emission()


def _wrap(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _execute not in connection.execute_wrappers:
        connection.execute_wrappers.append(_execute)


def _execute(
    execute: Callable[..., Any],
    sql: str,
    params: Any,
    many: bool,
    context: dict[str, Any],
) -> Any:
    connection: BaseDatabaseWrapper = context["connection"]
    record = _watch.get()
    if record is not None:
        _note_commit(record, connection, str(sql))
    try:
        result = execute(sql, params, many, context)
    except DatabaseError as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        refusal = _with_term(connection, refusal)
        if record is not None:
            record.refusals.append(refusal)
            if connection.in_atomic_block:
                # PostgreSQL has ended the transaction for good; elsewhere all but this statement would be committed.
                connection.needs_rollback = True
        raise MoveRefused(refusal) from error
    if record is not None and record.refusals and _verb(str(sql)) in ("ROLLBACK", "RELEASE"):
        # A savepoint was rolled back and the refusal with it, as far as Django knows: the whole block must go.
        connection.needs_rollback = True
    return result


def _with_term(connection: BaseDatabaseWrapper, refusal: Refusal) -> Refusal:
    """SQLite's refusals do not bear the term. Only the statement was undone: its transaction can still be asked."""
    if connection.vendor != "sqlite" or refusal.term:
        return refusal
    row = connection.connection.execute(
        "SELECT term FROM strangler_ownership WHERE move = ?", (refusal.move,)
    ).fetchone()
    return refusal if row is None else replace(refusal, term=int(row[0]))


def _note_commit(record: Watch, connection: BaseDatabaseWrapper, sql: str) -> None:
    """A statement that may write has committed when its transaction has; without one, when it has run."""
    if _verb(sql) in ("SELECT", "SAVEPOINT", "ROLLBACK", "RELEASE", "SET", "SHOW", "BEGIN", "PRAGMA"):
        return

    def committed() -> None:
        record.committed = True

    if connection.in_atomic_block:
        connection.on_commit(committed)
    else:
        committed()


def _verb(sql: str) -> str:
    return sql.lstrip(" \n\t(").partition(" ")[0].upper()
