"""The record of a plan: an append-only file of events, one JSON object a line, each line chained to the one before."""

from __future__ import annotations

import getpass
import os
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from strangler.plans.chain import Fault, read_chain, seal
from strangler.plans.errors import PlanError
from strangler.plans.standing import Entry, Event, Position, Standing, standing


class Content(NamedTuple):
    """What stands in the file: all that can be read, and everything that is wrong, a sentence each."""

    entries: tuple[Entry, ...]
    """Each after those that it follows."""
    heads: tuple[str, ...]
    faults: tuple[str, ...]


class PlanRecorder:
    """Appends to, and reads, one plan's record. Every line is durable before the call returns."""

    def __init__(self, path: Path, plan: str, who: str | None = None) -> None:
        self.path = path
        self.plan = plan
        self.who = who or getpass.getuser()
        # The file as this object read or wrote it last, so that a long record is not read again for every line.
        self._stamp: tuple[int, int] | None = None
        self._content: Content | None = None
        self._end = ""

    def append(
        self, event: Event, *, plan_hash: str, index: int, operation: str, direction: str, facts: dict[str, object]
    ) -> Entry:
        """Write one event and wait until the disk has it.

        Raises PlanError where the file cannot be written, or is damaged.
        """
        entry = Entry(
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            who=self.who,
            plan=self.plan,
            plan_hash=plan_hash,
            index=index,
            operation=operation,
            direction=direction,
            event=str(event),
            facts=facts,
        )
        fields = asdict(entry)
        del fields["after"], fields["hash"]
        try:
            heads = (self._end,) if self._end and self._stamp == _stamp(self.path) else self._sound().heads
            line, hash_ = seal(fields, heads)
            self._write(line)
            self._stamp, self._content, self._end = _stamp(self.path), None, hash_
        except OSError as error:
            raise PlanError(f'the record "{self.path}" cannot be written: {error.strerror}') from error
        return replace(entry, after=heads, hash=hash_)

    def entries(self) -> tuple[Entry, ...]:
        """All events, each after those that it follows; a last line that a crash tore off is no event.

        This is a read-only operation. Raises PlanError where another line cannot be read, or is not what was written.
        """
        return self._sound().entries

    def read(self) -> Content:
        """All that stands in the file, damaged or not. This is a read-only operation."""
        stamp = _stamp(self.path)
        if self._content is not None and self._stamp == stamp:
            return self._content
        chain = read_chain(self.path.read_bytes() if self.path.exists() else b"")
        entries, faults = [], list(chain.faults)
        for link in chain.links:
            try:
                entries.append(Entry(**link.fields, after=link.after, hash=link.hash))
            except TypeError as error:
                faults.append(Fault(line=link.number, what=f"cannot be read: {error}"))
                continue
            if entries[-1].plan != self.plan:
                faults.append(Fault(line=link.number, what=f'speaks of another plan, "{entries[-1].plan}"'))
        sentences = (f'the record "{self.path}", {fault}' for fault in sorted(faults, key=lambda fault: fault.line))
        content = Content(tuple(entries), chain.heads, tuple(sentences))
        self._stamp, self._content, self._end = stamp, content, ""
        return content

    def standing(self) -> Standing:
        """What the record says of its plan. This is a read-only operation. Raises PlanError as `entries`."""
        return standing(self.entries())

    def position(self) -> Position:
        """How far the plan is. This is a read-only operation. Raises PlanError as `entries`."""
        return self.standing().position

    def applied(self) -> int:
        """The number of operations that are surely applied."""
        return self.position().lowest

    def _sound(self) -> Content:
        content = self.read()
        if content.faults:
            raise PlanError(content.faults[0])
        return content

    def _write(self, line: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = not self.path.exists()
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            _cut_torn_line(descriptor)
            while line:
                line = line[os.write(descriptor, line) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if new:
            _sync_directory(self.path.parent)


def _stamp(path: Path) -> tuple[int, int]:
    """By which to see that a file has changed: its size and when it was written last."""
    if not path.exists():
        return 0, 0
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _cut_torn_line(descriptor: int) -> None:
    """Drop what a crash left behind the last whole line; it never was an event."""
    size = os.fstat(descriptor).st_size
    if not size or os.pread(descriptor, 1, size - 1) == b"\n":
        return
    whole = os.pread(descriptor, size, 0).rfind(b"\n") + 1
    os.ftruncate(descriptor, whole)


def _sync_directory(path: Path) -> None:
    """Make the file's name durable, too."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
