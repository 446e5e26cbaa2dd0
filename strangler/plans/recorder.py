"""The record of a plan: an append-only file of events, one JSON object a line; the latest decides."""

from __future__ import annotations

import enum
import getpass
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from strangler.plans.errors import PlanError

FORWARDS = "forwards"
BACKWARDS = "backwards"


class Event(enum.StrEnum):
    """What can happen to an operation."""

    STARTED = "started"  # written before its first effect
    PROGRESS = "progress"  # how far it is; decides nothing
    STEP = "step"  # a boundary inside it was passed; decides nothing
    DONE = "done"  # written after its last effect; moves the plan's position
    FAILED = "failed"  # it raised; the operation stays half done until it is run again or undone


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a record."""

    at: str
    who: str
    plan: str
    plan_hash: str
    index: int
    operation: str
    direction: str
    event: str
    facts: dict[str, object]

    def __str__(self) -> str:
        if self.event == Event.STARTED:
            undo = "" if self.direction == FORWARDS else "Undo: "
            return f"{self.at[11:19]} {self.index + 1}. {undo}{self.operation}"
        facts = ", ".join(f"{name} {value}" for name, value in self.facts.items())
        return f"{self.at[11:19]}    {facts or self.event}"


@dataclass(frozen=True, kw_only=True)
class Position:
    """How far a plan is: "lowest" operations are surely applied, "highest" are surely all that may be."""

    lowest: int = 0
    highest: int = 0

    @property
    def half_done(self) -> bool:
        """Whether an operation was started and did not finish."""
        return self.lowest != self.highest

    def __str__(self) -> str:
        return f"operation {self.highest} is half done" if self.half_done else f"{self.lowest} operations applied"


class PlanRecorder:
    """Appends to, and reads, one plan's record. Every line is durable before the call returns."""

    def __init__(self, path: Path, plan: str, who: str | None = None) -> None:
        self.path = path
        self.plan = plan
        self.who = who or getpass.getuser()

    def append(
        self, event: Event, *, plan_hash: str, index: int, operation: str, direction: str, facts: dict[str, object]
    ) -> Entry:
        """Write one event and wait until the disk has it. Raises PlanError where the file cannot be written."""
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
        try:
            self._write(json.dumps(asdict(entry), ensure_ascii=False, default=str) + "\n")
        except OSError as error:
            raise PlanError(f'the record "{self.path}" cannot be written: {error.strerror}') from error
        return entry

    def entries(self) -> Iterator[Entry]:
        """All events, oldest first; a last line that a crash tore off is no event. This is a read-only operation.

        Raises PlanError where another line cannot be read.
        """
        if not self.path.exists():
            return
        lines = self.path.read_bytes().split(b"\n")[:-1]
        for number, line in enumerate(lines, start=1):
            try:
                yield Entry(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise PlanError(f'the record "{self.path}", line {number}, cannot be read: {error}') from error

    def position(self) -> Position:
        """How far the plan is, by its latest events. This is a read-only operation."""
        position = Position()
        for entry in self.entries():
            below, above = entry.index, entry.index + 1
            if entry.event == Event.STARTED:
                position = Position(lowest=below, highest=above)
            elif entry.event == Event.DONE:
                reached = above if entry.direction == FORWARDS else below
                position = Position(lowest=reached, highest=reached)
        return position

    def applied(self) -> int:
        """The number of operations that are surely applied."""
        return self.position().lowest

    def hashes(self) -> dict[int, str]:
        """By index, the plan's fingerprint when that operation was last started forwards."""
        started = (e for e in self.entries() if e.event == Event.STARTED and e.direction == FORWARDS)
        return {entry.index: entry.plan_hash for entry in started}

    def _write(self, line: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = not self.path.exists()
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            _cut_torn_line(descriptor)
            data = line.encode()
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if new:
            _sync_directory(self.path.parent)


def _cut_torn_line(descriptor: int) -> None:
    """Drop what a crash left behind the last whole line; it never was an event."""
    size = os.fstat(descriptor).st_size
    whole = size and os.pread(descriptor, size, 0).rfind(b"\n") + 1
    if whole != size:
        os.ftruncate(descriptor, whole)


def _sync_directory(path: Path) -> None:
    """Make the file's name durable, too."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
