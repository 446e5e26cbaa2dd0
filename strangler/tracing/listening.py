"""Where Django and Python are listened to. What goes wrong in here is said once, and never the project's error."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import Signal

from strangler.tracing import celery
from strangler.tracing.complaints import complain
from strangler.tracing.options import Options
from strangler.tracing.recorder import Recorder
from strangler.tracing.texts import Shape
from strangler.tracing.unit import current, note_begin, note_call, note_commit, note_end, note_signal, note_statement

_MEASURED = 20
"""Rows of a result whose bytes are counted."""
_REQUEST = re.compile(rb"[A-Z]+ \S+ HTTP/1")
_EVENTS = frozenset({"socket.connect", "socket.getaddrinfo", "http.client.send"})
_DATABASES = "django.db.backends.base.base"

_recorder: Recorder | None = None


def start(options: Options) -> Recorder:
    """The process's recorder. It is made once, and with it all that listens: nothing of that can be taken away."""
    global _recorder  # noqa: PLW0603 - what is listened to is the process's as well
    if _recorder is None:
        _recorder = Recorder(options)
        connection_created.connect(_wrap, dispatch_uid="strangler.tracing")
        for connection in connections.all(initialized_only=True):
            _wrap(connection)
        transaction.Atomic.__enter__ = _entering(transaction.Atomic.__enter__)  # type: ignore[method-assign]
        transaction.Atomic.__exit__ = _leaving(transaction.Atomic.__exit__)  # type: ignore[method-assign]
        hooks = BaseDatabaseWrapper.run_and_clear_commit_hooks
        BaseDatabaseWrapper.run_and_clear_commit_hooks = _committed(hooks)  # type: ignore[method-assign]
        for name in ("send", "send_robust", "asend", "asend_robust"):
            setattr(Signal, name, _sending(getattr(Signal, name)))
        sys.addaudithook(_on_audit_event)
        celery.listen(_recorder)
    return _recorder


def started() -> Recorder | None:
    """The recorder, if there is one already."""
    return _recorder


def _wrap(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _execute not in connection.execute_wrappers:
        connection.execute_wrappers.append(_execute)


def _execute(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    unit = current.get()
    result = execute(sql, params, many, context)
    if unit is None:
        return result
    try:
        connection, cursor = context["connection"], context["cursor"]
        shape = unit.shapes.get(sql if type(sql) is str else _text(sql, connection), connection.vendor)
        if shape is not None:
            note_statement(unit, shape, cursor.rowcount, connection.alias, above=2)
            shape.times += 1
            if not shape.times & (shape.times - 1):  # the first, second, fourth, eighth ...
                _measure(shape, cursor.cursor)
    except Exception:
        complain()
    return result


def _text(sql: Any, connection: BaseDatabaseWrapper) -> str:
    if isinstance(sql, bytes):
        return sql.decode(errors="replace")
    return str(sql.as_string(connection.connection)) if hasattr(sql, "as_string") else str(sql)


def _measure(shape: Shape, cursor: Any) -> None:
    """Count the bytes of some rows, where the driver keeps the result as the server sent it (psycopg)."""
    result = getattr(cursor, "pgresult", None)
    if result is None or not result.ntuples:
        return
    rows = min(result.ntuples, _MEASURED)
    shape.measured += rows
    values = (result.get_value(row, field) for row in range(rows) for field in range(result.nfields))
    shape.bytes += sum(len(value) for value in values if value is not None)


def _entering(enter: Callable[..., Any]) -> Callable[..., Any]:
    # Django has no hook at a transaction's ends, and a callback on the commit would show up in projects' own tests.
    @functools.wraps(enter)
    def __enter__(self: transaction.Atomic) -> Any:  # noqa: N807
        result = enter(self)
        unit = current.get()
        if unit is not None and not self._from_testcase:  # type: ignore[attr-defined]
            note_begin(unit, self.using or "default")
        return result

    return __enter__


def _leaving(leave: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(leave)
    def __exit__(self: transaction.Atomic, exc_type: Any, exc_value: Any, traceback: Any) -> Any:  # noqa: N807
        unit = current.get()
        if unit is None or self._from_testcase:  # type: ignore[attr-defined]
            return leave(self, exc_type, exc_value, traceback)
        kept = exc_type is None and not transaction.get_connection(self.using).needs_rollback
        try:
            return leave(self, exc_type, exc_value, traceback)
        except BaseException:
            kept = False
            raise
        finally:
            note_end(unit, self.using or "default", kept)

    return __exit__


def _committed(run: Callable[..., Any]) -> Callable[..., Any]:
    # Django calls what waits for a commit before it leaves the transaction's block: that is no longer part of it.
    @functools.wraps(run)
    def run_and_clear_commit_hooks(self: BaseDatabaseWrapper) -> Any:
        unit = current.get()
        if unit is not None and self.run_on_commit:
            note_commit(unit, self.alias)
        return run(self)

    return run_and_clear_commit_hooks


def _sending(send: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(send)
    def wrapped(self: Signal, sender: Any, **named: Any) -> Any:
        if self.receivers and (unit := current.get()) is not None:
            note_signal(unit, self, sender)
        return send(self, sender, **named)

    return wrapped


def _on_audit_event(event: str, args: tuple[Any, ...]) -> None:
    if event not in _EVENTS or (unit := current.get()) is None:
        return
    try:
        if event == "socket.getaddrinfo":
            unit.host = (str(args[0]), args[1])
        elif event == "http.client.send":
            if isinstance(args[1], bytes) and _REQUEST.match(args[1]):
                note_call(unit, f"http {args[0].host}:{args[0].port}", above=2)
        elif not _connects_to_database():
            note_call(unit, _address(args[1], unit.host), above=2)
    except Exception:
        complain()


def _address(address: Any, asked: tuple[str, Any]) -> str:
    """Where a connection goes: by the name that was asked for last, if that was for this port."""
    if not isinstance(address, tuple) or len(address) < 2:
        return "a local socket"
    host, port = address[:2]
    return f"{asked[0] if str(asked[1]) == str(port) else host}:{port}"


def _connects_to_database() -> bool:
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_globals.get("__name__") == _DATABASES:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False
