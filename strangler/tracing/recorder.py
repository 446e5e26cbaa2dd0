"""What a process records, and the file that it keeps it in. A trace that cannot be written is no reason to fail."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import random
import secrets
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from strangler.tracing.book import Book
from strangler.tracing.complaints import harmless
from strangler.tracing.options import Options
from strangler.tracing.pages import lines
from strangler.tracing.texts import Shapes
from strangler.tracing.unit import Unit, current

logger = logging.getLogger(__name__)

_PAUSE = 5.0
"""Seconds between two writes, and what a process that is killed loses at most; more where a write takes long."""
_EASE = 200
"""A write may take this part of the time."""


class Recorder:
    """One file a process, written whole every few seconds beside its place and moved there: never half a one."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.shapes = Shapes()
        self._lock = threading.Lock()
        self._broken = False
        self._start()
        os.register_at_fork(after_in_child=self._start)
        atexit.register(self.flush)

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._book = Book()
        self._began = datetime.now(UTC)
        self._due = time.monotonic() + _PAUSE
        self._dirty = False
        self._file = self.options.folder / f"trace-{os.getpid()}-{secrets.token_hex(4)}.jsonl"

    def begin(self, kind: str, name: str = "") -> Unit | None:
        """Look at what is done from here on; None where this one is left out. Within another one it never is."""
        parent = current.get()
        if parent is None and (self._broken or (self.options.share < 1 and random.random() >= self.options.share)):  # noqa: S311
            return None
        unit = Unit(kind, name, parent, self.shapes)
        current.set(unit)
        return unit

    def end(self, unit: Unit) -> None:
        """It is done: add it to the others."""
        current.set(unit.parent)
        if unit.parent is not None:
            unit.parent.reached |= unit.reached.union(unit.statements)
        with self._lock:
            with harmless():
                self._book.add(unit)
            self._dirty = True
            due = time.monotonic() >= self._due
        if due:
            self.flush()

    @contextlib.contextmanager
    def unit(self, kind: str, name: str) -> Iterator[None]:
        """Look at what is done within."""
        unit = self.begin(kind, name)
        try:
            yield
        finally:
            if unit is not None:
                self.end(unit)

    def flush(self) -> None:
        """Write down what there is. Says once what hinders it, and records no more."""
        with self._lock:
            if not self._dirty or self._broken:
                return
            began = time.monotonic()
            try:
                self._write("".join(lines(self._book, self.options.share, self._began, datetime.now(UTC))))
            except Exception as error:
                self._broken = True
                why = getattr(error, "strerror", None) or error
                logger.warning('nothing is traced any more: "%s" cannot be written (%s)', self._file, why)
            self._dirty = False
            now = time.monotonic()
            self._due = now + max(_PAUSE, (now - began) * _EASE)

    def _write(self, text: str) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = Path(f"{self._file}.new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as out:
            out.write(text)
        beside.replace(self._file)
