"""Traces over all components, from their logs: the latest ones, and each by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from strangler import conf
from strangler.dashboard.snapshot import TraceView
from strangler.tracing.logs import Line, Trace, lines_of, trace_id, traces_of

_LATEST = 128 << 10
"""Bytes of each log that are read for the latest traces: it is done as often as anybody looks."""
_OF_A_WAY, _SHOWN = 3, 24
_SEEN = 1.0
"""Percent of a trace's time that each line is wide at least, to be seen."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """A line of a trace, and where it lies in the trace's time, in percent of that."""

    line: Line
    after: float
    """Milliseconds from the trace's beginning."""
    left: float
    width: float


def traces() -> tuple[TraceView, ...] | None:
    """The latest ones, the newest first; None where the settings name no logs. Raises StranglerError.

    This is a read-only operation.
    """
    folder = conf.configuration().logs
    return None if folder is None else latest(traces_of(lines_of(folder, _LATEST)))


def trace(named: str) -> Trace | None:
    """The trace of this id, with all that the logs have of it. Raises StranglerError, ImproperlyConfigured.

    This is a read-only operation.
    """
    folder, name = conf.configuration().logs, trace_id(named)
    if folder is None:
        raise ImproperlyConfigured('the settings name no logs; name their folder in STRANGLER["LOGS"]')
    return next((one for one in traces_of(lines_of(folder)) if one.id == name), None)


def latest(found: Iterable[Trace]) -> tuple[TraceView, ...]:
    """Those to show, of some by the time at which they began: the latest of each way through the components. Pure.

    So what is rare, or went wrong, stays longer than what each page does.
    """
    seen: Counter[tuple[tuple[str, ...], bool]] = Counter()
    shown = []
    for one in reversed(list(found)):
        way = one.components, one.failed
        seen[way] += 1
        if seen[way] <= _OF_A_WAY and (one.failed or len(one.components) > 1):
            shown.append(_view(one))
    return tuple(shown[:_SHOWN])


def spans(found: Trace) -> list[Span]:
    """Its lines over its time. Pure."""
    began, ended = min(line.began for line in found.lines), max(line.ended for line in found.lines)
    whole = max((ended - began).total_seconds(), 0.001)

    def span(line: Line) -> Span:
        after = (line.began - began).total_seconds()
        width = max((line.ended - line.began).total_seconds() / whole * 100, _SEEN)
        return Span(line=line, after=after * 1000, left=min(after / whole * 100, 100 - width), width=width)

    return [span(line) for line in found.lines]


def _view(found: Trace) -> TraceView:
    first = found.lines[0]
    return TraceView(
        id=found.id,
        at=first.began.isoformat(timespec="milliseconds"),
        name=first.text,
        milliseconds=first.milliseconds,
        components=found.components,
        failed=found.failed,
    )
