"""Spans of OpenTelemetry (OTLP as JSON) and of Jaeger, in one form. Of their attributes only these are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from strangler.analysis.observed.given import dictionary, sequence, text

_NAMES: Mapping[str, str] = {
    "db.query.text": "statement",
    "db.statement": "statement",
    "db.system.name": "database",
    "db.system": "database",
    "db.response.returned_rows": "rows",
    "http.route": "route",
    "http.request.method": "method",
    "http.method": "method",
    "server.address": "host",
    "net.peer.name": "host",
    "server.port": "port",
    "net.peer.port": "port",
    "celery.action": "action",
    "celery.task_name": "task",
    "span.kind": "kind",
}
"""Attributes by their names of today and of before."""
_KINDS = {2: "server", 3: "client", 4: "producer", 5: "consumer"}


@dataclass(frozen=True, kw_only=True)
class Span:
    """One of them. "values" has what its attributes say, as far as they are of interest."""

    id: str
    parent: str
    service: str
    kind: str
    began: int
    """Nanoseconds since 1970."""
    values: Mapping[str, str]


def spans_of(document: dict[str, Any]) -> Iterator[Span]:
    """Those of one document. Raises ValueError where it is none of theirs."""
    if "resourceSpans" in document:
        for resource in map(dictionary, sequence(document["resourceSpans"])):
            yield from _otlp(resource)
    elif "data" in document:
        for trace in map(dictionary, sequence(document["data"])):
            yield from _jaeger(trace)
    else:
        raise ValueError("it has neither a trace of this tool, nor spans as OTLP or Jaeger's JSON")


def _otlp(resource: dict[str, Any]) -> Iterator[Span]:
    about = _attributes(dictionary(resource.get("resource", {})).get("attributes", []), ("service.name",))
    for scope in map(dictionary, sequence(resource.get("scopeSpans", []))):
        for span in map(dictionary, sequence(scope.get("spans", []))):
            given = span.get("kind", 0)
            yield Span(
                id=f"{text(span.get('traceId'))}/{text(span.get('spanId'))}",
                parent=f"{text(span.get('traceId'))}/{text(span.get('parentSpanId', ''))}",
                service=about.get("service.name", ""),
                kind=_KINDS.get(given, "")
                if isinstance(given, int)
                else text(given).lower().removeprefix("span_kind_"),
                began=_number(span.get("startTimeUnixNano", 0)),
                values=_named(_attributes(span.get("attributes", []), _NAMES)),
            )


def _attributes(given: Any, wanted: Iterable[str]) -> dict[str, str]:
    found = {}
    for attribute in map(dictionary, sequence(given)):
        if str(attribute.get("key")) in wanted:
            for value in dictionary(attribute.get("value", {})).values():
                found[str(attribute["key"])] = str(value)
    return found


def _jaeger(trace: dict[str, Any]) -> Iterator[Span]:
    processes = {key: dictionary(value) for key, value in dictionary(trace.get("processes", {})).items()}
    for span in map(dictionary, sequence(trace.get("spans", []))):
        tags = [tag for tag in map(dictionary, sequence(span.get("tags", []))) if str(tag.get("key")) in _NAMES]
        values = _named({str(tag["key"]): str(tag.get("value")) for tag in tags})
        references = map(dictionary, sequence(span.get("references") or []))
        parent = next((text(one.get("spanID")) for one in references if one.get("refType") == "CHILD_OF"), "")
        yield Span(
            id=f"{text(span.get('traceID'))}/{text(span.get('spanID'))}",
            parent=f"{text(span.get('traceID'))}/{parent}",
            service=text(processes.get(text(span.get("processID", "")), {}).get("serviceName", "")),
            kind=values.get("kind", ""),
            began=_number(span.get("startTime", 0)) * 1000,
            values=values,
        )


def _named(attributes: Mapping[str, str]) -> dict[str, str]:
    # Today's name goes before yesterday's, where there are both. A statement may be longer, and has more than one line.
    found = {name: attributes[key] for key, name in reversed(list(_NAMES.items())) if key in attributes}
    return {name: value if name == "statement" else text(value) for name, value in found.items()}


def _number(value: Any) -> int:
    """OTLP writes 64 bits as a text."""
    return int(text(value)) if isinstance(value, str) else value if isinstance(value, int) and value >= 0 else 0
