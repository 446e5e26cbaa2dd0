"""RFC 9111's rules over plain fields. What may be stored and what a 304 makes of an entry is hishel's reading of them.

hishel reads ages from Date alone and leaves a request's directives, stale answers' bounds and Content-Encoding to
others; these are here.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from dataclasses import replace

import hishel
from hishel._core._headers import parse_cache_control
from hishel._core._spec import get_freshness_lifetime
from hishel._utils import parse_date

from strangler_proxy.answers import Answer
from strangler_proxy.forwarding import Fields, end_to_end, values
from strangler_proxy.gateway.cache import Cache
from strangler_proxy.steps.stored import Entry

_KEPT = frozenset({200, 203, 204, 300, 301, 308, 404, 410})
"""Others are answers to what one client did, or to a moment, whatever they say."""
_TOKEN = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_OPTIONS = {"shared": True}


def entry_of(policy: Cache, target: str, request: Fields, answer: Answer, body: bytes, *, began: int) -> Entry | None:
    """What to keep of a GET's answer, None for nothing."""
    if answer.status not in _KEPT or answer.header(b"set-cookie") is not None:
        return None
    vary = _varies(answer)
    state = hishel.CacheMiss(request=_request(target, request), options=_OPTIONS).next(_response(answer))
    if vary is None or not isinstance(state, hishel.StoreAndUse):
        return None
    said = parse_cache_control(answer.header(b"cache-control"))
    lifetime = _lifetime(policy, answer)
    if lifetime <= 0 and answer.header(b"etag") is None and answer.header(b"last-modified") is None:
        return None
    strict = said.must_revalidate or said.proxy_revalidate or said.s_maxage is not None or said.no_cache is not False
    whilst = said.stale_while_revalidate
    error = said.stale_if_error
    kept = set(state.response.headers)
    return Entry(
        status=answer.status,
        fields=tuple(
            (name, value)
            for name, value in end_to_end(answer.fields)
            if name.decode("latin-1").lower() in kept and name.lower() not in (b"age", b"content-length")
        ),
        body=body,
        vary=tuple((name, field(request, name)) for name in vary),
        began=began,
        age=_age(answer),
        lifetime=0 if said.no_cache is True else lifetime,
        stale_while_revalidate=0 if strict else policy.stale_while_revalidate if whilst is None else whilst,
        stale_if_error=0 if strict else policy.stale_if_error if error is None else error,
        tags=frozenset((*policy.tags, *_tags(answer))),
    )


def freshened(entry: Entry, policy: Cache, target: str, request: Fields, answer: Answer, *, began: int) -> Entry | None:
    """The entry as a 304 confirms it; None where the 304 speaks of another."""
    stored = Answer(status=entry.status, fields=entry.fields)
    asked = _request(target, request)
    known = hishel.Entry(id=uuid.uuid4(), request=asked, response=_response(stored))
    state = hishel.NeedRevalidation(
        request=asked, original_request=asked, revalidating_entries=[known], options=_OPTIONS
    ).next(_response(answer))
    if not isinstance(state, hishel.NeedToBeUpdated):
        return None
    headers = state.updating_entries[0].response.headers
    fields = tuple(
        (name.encode("latin-1"), value.encode("latin-1")) for name in headers for value in headers.get_list(name)
    )
    renewed = Answer(status=entry.status, fields=fields)
    made = entry_of(policy, target, request, renewed, entry.body, began=began)
    return None if made is None else replace(made, vary=entry.vary, age=_age(answer))


def conditions(entry: Entry, request: Fields) -> Fields:
    """The request that has the entry confirmed, or brings a new one, whatever its client has."""
    tag, modified = (b"".join(_all(entry.fields, name)) for name in (b"etag", b"last-modified"))
    kept = tuple(one for one in request if one[0].lower() not in (b"if-none-match", b"if-modified-since"))
    if tag:
        return (*kept, (b"If-None-Match", tag))
    return (*kept, (b"If-Modified-Since", modified)) if modified else kept


def can_be_confirmed(entry: Entry) -> bool:
    """Whether anything identifies it."""
    return any(name.lower() in (b"etag", b"last-modified") for name, _ in entry.fields)


def is_not_modified(entry: Entry, request: Fields) -> bool:
    """Whether the client has it already."""
    wanted = values(request, b"if-none-match")
    if wanted:
        mine = _opaque(b"".join(_all(entry.fields, b"etag")).decode("latin-1"))
        asked = [_opaque(part.strip()) for part in ",".join(wanted).split(",")]
        return entry.status == 200 and ("*" in asked or (bool(mine) and mine in asked))
    since = parse_date("".join(values(request, b"if-modified-since")))
    modified = parse_date(b"".join(_all(entry.fields, b"last-modified")).decode("latin-1"))
    return entry.status == 200 and since is not None and modified is not None and modified <= since


def wants(request: Fields, entry: Entry, now: int) -> bool:
    """Whether the request's own Cache-Control accepts the entry without asking, if it is fresh."""
    said = parse_cache_control(field(request, "cache-control"))
    if said.no_cache is not False or (not values(request, b"cache-control") and "no-cache" in field(request, "pragma")):
        return False
    if said.max_age is not None and entry.age_at(now) > said.max_age:
        return False
    return said.min_fresh is None or entry.left(now) >= said.min_fresh


def directive(request: Fields, name: str) -> bool:
    """Whether a request says "no_store" or "only_if_cached"."""
    return bool(getattr(parse_cache_control(field(request, "cache-control")), name))


def field(request: Fields, name: str) -> str:
    """All values of a request's field as one, without needless spaces."""
    parts = ",".join(values(request, name.lower().encode("latin-1"))).split(",")
    return ", ".join(part.strip() for part in parts)


def value_in(request: Fields) -> Callable[[str], str]:
    """field() of one request."""
    return lambda name: field(request, name)


def _varies(answer: Answer) -> list[str] | None:
    """The names that an answer depends on; None for everything."""
    names = {part.strip().lower() for part in (answer.header(b"vary") or "").split(",") if part.strip()}
    if answer.header(b"content-encoding") is not None:
        names.add("accept-encoding")
    return None if "*" in names or not all(map(_TOKEN.fullmatch, names)) else sorted(names)


def _lifetime(policy: Cache, answer: Answer) -> float:
    said = parse_cache_control(answer.header(b"cache-control"))
    if said.s_maxage is None and said.max_age is None and answer.header(b"expires") is None:
        return policy.seconds
    found = get_freshness_lifetime(_response(answer), True)
    return 0.0 if found is None else float(found)


def _age(answer: Answer) -> float:
    given = answer.header(b"age") or ""
    dated = parse_date(answer.header(b"date") or "")
    apparent = max(0.0, time.time() - dated - 1) if dated is not None else 0.0  # Date has whole seconds
    return max(apparent, float(given) if given.isdecimal() else 0.0)


def _tags(answer: Answer) -> list[str]:
    return [tag.strip() for tag in (answer.header(b"cache-tag") or "").split(",") if tag.strip()]


def _all(fields: Fields, name: bytes) -> list[bytes]:
    return [value for found, value in fields if found.lower() == name]


def _opaque(tag: str) -> str:
    return tag.removeprefix("W/")


def _request(target: str, fields: Fields) -> hishel.Request:
    return hishel.Request("GET", target, _headers(fields))


def _response(answer: Answer) -> hishel.Response:
    return hishel.Response(answer.status, _headers(answer.fields))


def _headers(fields: Fields) -> hishel.Headers:
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return hishel.Headers(found)
