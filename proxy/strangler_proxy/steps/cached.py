"""What clients get of the cache's entries, and what they are told of it: Age and Cache-Status. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from strangler_proxy.answers import Answer
from strangler_proxy.forwarding import Fields, values
from strangler_proxy.steps import freshness
from strangler_proxy.steps.stored import Entry
from strangler_proxy.steps.visit import Visit


def answered(entry: Entry, visit: Visit, now: int, status: str) -> Answer:
    """The entry as an answer to this request."""
    age = (b"Age", b"%d" % entry.age_at(now))
    if freshness.is_not_modified(entry, visit.fields):
        kept = (b"cache-control", b"content-location", b"date", b"etag", b"expires", b"vary", b"cache-status")
        fields = tuple(one for one in entry.fields if one[0].lower() in kept)
        return with_status(Answer(status=304, fields=(*fields, age)), status)
    length: Fields = () if entry.status == 204 else ((b"Content-Length", b"%d" % len(entry.body)),)
    body = b"" if visit.method == "HEAD" else entry.body
    return with_status(Answer(status=entry.status, fields=(*entry.fields, age, *length), body=body), status)


def with_status(answer: Answer, status: str) -> Answer:
    """The answer, saying what the cache has done."""
    field = (b"Cache-Status", f"strangler; {status}".encode("latin-1", "replace"))
    return Answer(status=answer.status, fields=(*answer.fields, field), body=answer.body)


def changed_by(visit: Visit, answer: Answer) -> set[str]:
    """The targets whose entries a write makes doubtful."""
    host = "".join(values(visit.fields, b"host"))
    named = (answer.header(name) or "" for name in (b"location", b"content-location"))
    return {visit.target, *(target for one in named if (target := _target(one, host)))}


def _target(address: str, host: str) -> str:
    """Path and query of an address at the host; empty for any other."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if not parts.path or parts.netloc not in ("", host):
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")
