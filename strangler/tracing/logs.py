"""One trace over all components, joined from their logs: a JSON object a line, each with its `traceparent`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from strangler.errors import StranglerError

_LATEST = 16 << 20
"""Bytes of each log that are read, from its end."""
_SAID = ("message", "method", "path", "status", "task", "type", "event", "mail", "state", "reason", "upstream")
"""What is shown of a line, in this order."""
_QUIET = {"INFO", "DEBUG"}
_MISTAKES = {"ERROR", "CRITICAL"}
_CUT = timedelta(milliseconds=1)
"""Logs cut their times to milliseconds: what a task says in its first one would else stand before the task."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """What one component logged of a trace."""

    trace: str
    began: datetime
    """When what it tells of began: it is logged at its end."""
    milliseconds: float | None
    component: str
    text: str
    status: int | None
    """Of an answer."""
    error: bool
    """Whether it was logged as one."""

    @property
    def failed(self) -> bool:
        return self.error or (self.status is not None and self.status >= 500)

    @property
    def ended(self) -> datetime:
        return self.began + timedelta(milliseconds=self.milliseconds or 0.0)

    def __str__(self) -> str:
        took = "" if self.milliseconds is None else f"{self.milliseconds:8.1f} ms"
        return (
            f"{self.began:%H:%M:%S}.{self.began.microsecond // 1000:03}  {took:>11}  {self.component:<14} {self.text}"
        )


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A request, with all that it led to."""

    id: str
    lines: tuple[Line, ...]
    """By the time at which they began; there is one at least."""

    @property
    def components(self) -> tuple[str, ...]:
        """Each once, as they were come to."""
        return tuple(dict.fromkeys(line.component for line in self.lines))

    @property
    def failed(self) -> bool:
        """Whether it was answered with a failure, or anybody logged an error.

        An answer to one of the components alone is neither: what is refused during a switch is sent once more.
        """
        return self.lines[0].failed or any(line.error for line in self.lines)


def traces_of(lines: Iterable[Line]) -> list[Trace]:
    """Lines that are in order, by their traces, the one that began first first."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.trace, []).append(line)
    return [Trace(id=name, lines=tuple(its)) for name, its in found.items()]


def lines_of(folder: Path, latest: int = _LATEST) -> list[Line]:
    """All lines of the logs in a folder ("orchard.log" is of the component "orchard") that belong to a trace, by time.

    Of each log so many bytes are read, from its end. What is no JSON, or of no trace, is passed over. Raises
    StranglerError where there are no logs, or one cannot be read.
    """
    logs = sorted(folder.glob("*.log"))
    if not logs:
        raise StranglerError(f'there are no logs in "{folder}"; name the folder with a file for each component, *.log')
    found = [line for log in logs for line in _lines(log, latest)]
    return sorted(found, key=_place)


def trace_id(named: str) -> str:
    """The id of a trace, given as such or as a `traceparent`. Raises StranglerError where it is neither."""
    parts = named.split("-")
    found = parts[1] if len(parts) == 4 else named
    if len(found) != 32 or not set(found) <= set("0123456789abcdef"):
        raise StranglerError(f'"{named}" is no trace; give its 32 hexadecimal digits, or a whole traceparent')
    return found


def _place(line: Line) -> tuple[datetime, float]:
    lasted = line.milliseconds
    return (line.began, 0.0) if lasted is None else (line.began - _CUT, -lasted)


def _lines(log: Path, latest: int) -> Iterator[Line]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - latest))
            for written in file:
                if b'"traceparent"' in written and (line := _line(log.stem, written)) is not None:
                    yield line
    except OSError as error:
        raise StranglerError(f'the log "{log}" cannot be read ({error.strerror}); make it readable') from error


def _line(component: str, written: bytes) -> Line | None:
    try:
        told = json.loads(written)
        trace = trace_id(told["traceparent"])
        at = datetime.fromisoformat(told.get("time") or told["at"])
        took = told.get("ms", told.get("milliseconds"))
        began = at.astimezone(UTC) - timedelta(milliseconds=took or 0.0)
    except (ValueError, TypeError, KeyError, AttributeError, StranglerError):
        return None
    status = told.get("status")
    return Line(
        trace=trace,
        began=began,
        milliseconds=took,
        component=component,
        text=_text(told),
        status=status if isinstance(status, int) else None,
        error=_level(told) in _MISTAKES,
    )


def _level(told: Mapping[str, Any]) -> str:
    return str(told.get("level", "INFO")).upper()


def _text(told: Mapping[str, Any]) -> str:
    level = _level(told)
    said = [str(told[name]) for name in _SAID if told.get(name) not in (None, "")]
    return " ".join([*([] if level in _QUIET else [level]), *said])
