"""Traces of any number of processes, and spans, from files, added up. What cannot be read costs a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from strangler.analysis.observed.given import count, parsed, sequence, text, texts
from strangler.analysis.observed.otel import add_spans
from strangler.analysis.observed.spans import Span, spans_of
from strangler.analysis.observed.trace import Entry, Fired, Shape, Site, Trace
from strangler.errors import StranglerError

VERSION = 1
_LARGEST = 256 * 1024**2


def read_trace(place: Path) -> Trace:
    """All traces and spans of a folder, or the one file. Raises StranglerError where there is none."""
    files = (
        sorted(path for path in place.glob("*") if path.suffix in (".json", ".jsonl")) if place.is_dir() else [place]
    )
    if not place.exists() or not files:
        raise StranglerError(
            f'there is no trace in "{place}"; record one with STRANGLER["TRACE"] or with pytest --strangler-trace'
        )
    trace, spans = Trace(), list[Span]()
    for file in files:
        try:
            _read(file, trace, spans)
        except (OSError, ValueError) as error:
            trace.complaints.append(f"{file.name} cannot be read ({_said(error)}); it is left out")
    add_spans(trace, spans)
    return trace


def _read(path: Path, trace: Trace, spans: list[Span]) -> None:
    if path.stat().st_size > _LARGEST:
        raise ValueError(f"it has more than {_LARGEST >> 20} MiB")
    content = path.read_text(encoding="utf-8", errors="replace")
    lines = content.splitlines()
    head = _head(lines[0]) if lines else {}
    if "trace" in head:
        _read_head(head, trace)
        bad = list(_File(trace).read(enumerate(lines[1:], start=2)))
    else:
        bad = list(_read_spans(content, lines, spans))
    trace.files += 1
    if bad:
        number, why = bad[0]
        several = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        trace.complaints.append(f"{path.name}: line {number}{several} cannot be read ({why}); the rest counts")


def _head(line: str) -> dict[str, Any]:
    try:
        return parsed(line)
    except ValueError:
        return {}  # of a document of many lines, perhaps


def _read_head(head: dict[str, Any], trace: Trace) -> None:
    if head["trace"] != VERSION:
        raise ValueError("it is of another version of this tool")
    share, left_out = _share(head.get("share")), count(head.get("left_out"))
    moments = [text(head.get("began")), text(head.get("until"))]
    trace.shares.add(share)
    trace.left_out += left_out
    trace.moments += moments


def _read_spans(content: str, lines: list[str], spans: list[Span]) -> Iterator[tuple[int, str]]:
    """One document, or one a line as a collector writes them; what is left are lines that cannot be read."""
    try:
        document = parsed(content)
    except ValueError:
        document = {}
    if document:
        spans.extend(spans_of(document))
        return
    before, bad = len(spans), list[tuple[int, str]]()
    for number, line in enumerate(lines, start=1):
        try:
            spans.extend(spans_of(parsed(line)))
        except ValueError as error:
            bad.append((number, _said(error)))
    if len(spans) == before:
        raise ValueError("it has neither a trace of this tool, nor spans as OTLP or Jaeger's JSON")
    yield from bad


class _File:
    """What the lines of one file refer to by number."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._shapes: dict[int, Shape] = {}
        self._sites: dict[int, Site] = {}

    def read(self, lines: Iterable[tuple[int, str]]) -> Iterable[tuple[int, str]]:
        """Take the lines in; what is left are those that cannot be read, each with the reason."""
        for number, line in lines:
            try:
                self._take(parsed(line))
            except KeyError as error:
                yield number, f"nothing before it has the number {error}"
            except ValueError as error:
                yield number, _said(error)

    def _take(self, given: dict[str, Any]) -> None:
        if "entry" in given:
            self._trace.add(self._entry(given))
        elif "shape" in given:
            shape = Shape(text=text(given.get("sql")), vendor=text(given.get("vendor")))
            measured, size = count(given.get("measured", 0)), count(given.get("bytes", 0))
            self._shapes[count(given["shape"])] = shape
            self._trace.measured[shape] += measured
            self._trace.bytes[shape] += size
        elif "site" in given:
            self._sites[count(given["site"])] = _site(given)
        elif "tables" in given:
            tables, apps = texts(given["tables"]), texts(given.get("apps"))
            self._trace.tables |= {table.lower(): label for table, label in tables.items()}
            self._trace.apps |= apps
        else:
            raise ValueError("nobody knows what it is")

    def _entry(self, given: dict[str, Any]) -> Entry:
        entry = Entry(
            kind=text(given["entry"]),
            name=text(given.get("name")),
            module=text(given.get("module")),
            app=text(given.get("app")),
            units=count(given.get("units")),
        )
        for shape, site, *counts in map(sequence, sequence(given.get("statements"))):
            units, times, most, rows, unknown = map(count, sequence(counts, 5))
            entry.use(self._shapes[count(shape)], self._sites[count(site)]).add(units, times, most, rows, unknown)
        entry.reached = {
            (self._shapes[count(shape)], self._sites[count(site)]) for shape, site in _rows(given, "reached", 2)
        }
        for keys, times in _rows(given, "transactions", 2):
            pairs = (sequence(key, 2) for key in sequence(keys))
            held = frozenset((self._shapes[count(shape)], self._sites[count(site)]) for shape, site in pairs)
            entry.transactions[held] += count(times)
        for signal, sender, app, receivers, times in _rows(given, "signals", 5):
            heard = tuple((text(name), text(of)) for name, of in (sequence(one, 2) for one in sequence(receivers)))
            fired = Fired(signal=text(signal), sender=text(sender), sender_app=text(app), receivers=heard)
            entry.signals[fired] += count(times)
        for where, site, within, times in _rows(given, "calls", 4):
            entry.calls[text(where), self._sites[count(site)], within is True] += count(times)
        for name, site, times in _rows(given, "tasks", 3):
            entry.tasks[text(name), self._sites[count(site)]] += count(times)
        return entry


def _rows(given: dict[str, Any], name: str, length: int) -> Iterable[list[Any]]:
    return (sequence(row, length) for row in sequence(given.get(name)))


def _site(given: dict[str, Any]) -> Site:
    if "line" not in given:
        return Site()
    return Site(
        app=text(given.get("app")),
        module=text(given.get("module", "")),
        function=text(given.get("function", "")),
        path=text(given.get("path", "")) or text(given.get("template", "")),
        line=count(given["line"]),
    )


def _share(value: Any) -> float:
    if not isinstance(value, int | float) or not 0 < value <= 1:
        raise ValueError("its share is none")
    return float(value)


def _said(error: Exception) -> str:
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)
