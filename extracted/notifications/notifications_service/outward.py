"""What leaves this process: nothing does while a write is only rehearsed."""

import importlib
import sys
from contextlib import contextmanager
from contextvars import ContextVar

_EVENTS = frozenset(
    {"socket.connect", "socket.sendto", "socket.sendmsg", "http.client.send", "smtplib.send"}
    | {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"}
)
_CALLS = [
    ("django.core.mail.message", "EmailMessage", "send"),
    # A thread would not know that it belongs to a rehearsal.
    ("threading", "Thread", "start"),
    # Celery's tasks, which go out on connections that are open already.
    ("kombu.messaging", "Producer", "publish"),
]

_blocked = ContextVar("blocked", default=None)
_hooked = []


class Blocked(PermissionError):
    """Something was to leave the process within a rehearsal."""


@contextmanager
def kept_in():
    """Let nothing out within; yields the set of what was tried, whether or not the code minded."""
    tried = set()
    token = _blocked.set(tried)
    try:
        yield tried
    finally:
        _blocked.reset(token)


def watch():
    """Install the watch in this process. Safe to call again: it adds what was imported since."""
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_on_audit_event)
    for module, owner, name in _CALLS:
        if module in sys.modules or not module.startswith("kombu"):
            _guard(getattr(importlib.import_module(module), owner), name)


def refuse(what):
    """Note that something was tried, and raise Blocked, within a rehearsal; nothing elsewhere."""
    if _blocked.get() is not None:
        note(what)
        raise Blocked(f"{what} is not done in a rehearsal")


def note(what):
    """Note something within a rehearsal that makes it incomparable; nothing elsewhere."""
    tried = _blocked.get()
    if tried is not None:
        tried.add(what)


def _on_audit_event(event, _):
    if event in _EVENTS:
        refuse(event)


def _guard(owner, name):
    call = getattr(owner, name)
    if getattr(call, "guarded", False):
        return

    def guarded(*args, **kwargs):
        refuse(f"{owner.__name__}.{name}")
        return call(*args, **kwargs)

    guarded.guarded = True
    setattr(owner, name, guarded)
