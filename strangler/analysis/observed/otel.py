"""From spans to what routes and tasks did. Spans know neither transactions nor signals, and seldom rows or lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from strangler.analysis.observed.given import text
from strangler.analysis.observed.spans import Span
from strangler.analysis.observed.trace import Entry, Shape, Site, Trace
from strangler.tracing.shapes import shape

_VENDORS = {"postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite", "oracle": "oracle"}
_VENDORS |= {"oracle.db": "oracle", "": ""}
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_DEEPEST = 100


def add_spans(trace: Trace, spans: Sequence[Span]) -> None:
    """Add what all these spans say. A statement counts for the request or task that it lies within."""
    by_id = {span.id: span for span in spans}
    several = len({span.service for span in spans if _is_entry(span)}) > 1
    units: dict[str, Entry] = {}
    for span in spans:
        if _is_entry(span):
            units[span.id] = _entry(span, several)
    for span in spans:
        unit = next((units[above.id] for above in _above(span, by_id) if above.id in units), None)
        if unit is not None:
            _note(unit, span)
    for unit in units.values():
        for use in unit.uses.values():
            use.units, use.most = 1, use.times
        trace.add(unit)
    moments = [span.began for span in spans if 0 < span.began < 2**62]
    if moments:
        ends = (min(moments), max(moments))
        trace.moments += [datetime.fromtimestamp(end // 10**9, UTC).isoformat(timespec="seconds") for end in ends]


def _note(unit: Entry, span: Span) -> None:
    values, nowhere = span.values, Site()
    vendor = _VENDORS.get(values.get("database", ""))
    if (statement := values.get("statement")) is not None and vendor is not None:
        found = shape(statement, vendor)
        if found:
            rows = values.get("rows", "")
            known = int(rows) if rows.isdecimal() and len(rows) < 16 else None
            unit.use(Shape(text=text(found), vendor=vendor), nowhere).add(0, 1, 0, known or 0, known is None)
    elif values.get("action") == "apply_async":
        unit.tasks[values.get("task", "a task"), nowhere] += 1
    elif span.kind == "client" and "host" in values and "database" not in values:
        port = f":{values['port']}" if "port" in values else ""
        unit.calls[f"http {values['host']}{port}", nowhere, False] += 1


def _is_entry(span: Span) -> bool:
    return span.kind == "server" or span.values.get("action") == "run"


def _entry(span: Span, several: bool) -> Entry:
    service = f"{span.service}: " if several else ""
    if span.kind == "server":
        route = span.values.get("route")
        what = f"/{route.removeprefix('/')}" if route else "(no route)"
        method = span.values.get("method", "")
        return Entry(
            kind="route", name=f"{service}{method if method in _METHODS else 'another method,'} {what}", units=1
        )
    return Entry(kind="task", name=f"{service}{span.values.get('task', 'a task')}", units=1)


def _above(span: Span, by_id: dict[str, Span]) -> Iterator[Span]:
    current: Span | None = span
    for _ in range(_DEEPEST):
        if current is None:
            return
        yield current
        current = by_id.get(current.parent)
