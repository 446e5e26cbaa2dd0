"""Requests and answers beside the document of the upstream that they go to and come from."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

from strangler_proxy import metrics
from strangler_proxy.answers import Answer, as_json
from strangler_proxy.documents import Documents
from strangler_proxy.forwarding import Fields, values
from strangler_proxy.steps.transforming import ask_for_plain_json, is_json
from strangler_proxy.steps.visit import Visit

log = logging.getLogger(__name__)
_HOST = "http://localhost"  # openapi-core asks for one; documents speak of paths alone


@dataclass(frozen=True, kw_only=True)
class _Request:
    """As openapi-core asks for it."""

    method: str
    path: str
    parameters: RequestParameters
    content_type: str
    body: bytes | None
    host_url: str = _HOST


@dataclass(frozen=True, kw_only=True)
class _Response:
    status_code: int
    headers: Headers
    content_type: str
    data: bytes | None


@dataclass(frozen=True, kw_only=True)
class _Wrong:
    """What is not as documented; nobody can tell where "said" is empty."""

    why: str
    place: str = ""
    """Without any value of the message: it is logged."""
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class Validating:
    """Speaks the upstream's language: it stands behind the transformations."""

    documents: Documents

    async def enter(self, visit: Visit) -> Answer | None:
        """400 for a request that the document does not allow, 503 where there is no document, if these are refused."""
        validate = visit.policy.validate
        if validate is None:
            return None
        if validate.answers:
            ask_for_plain_json(visit)
        if not validate.requests:
            return None
        decision = visit.routing.decide(visit.target)
        found = self._wrong(decision.upstream if decision is not None else "", visit, None)
        return self._said(visit, "request", validate.requests, found)

    async def leave(self, visit: Visit, answer: Answer) -> Answer:
        """502 for an answer that the document does not allow, if such are refused."""
        validate = visit.policy.validate
        if validate is None or not validate.answers or visit.decision is None:
            return answer
        if visit.method == "HEAD" or answer.status == 304:
            return answer
        found = self._wrong(visit.decision.upstream, visit, answer)
        return self._said(visit, "answer", validate.answers, found) or answer

    def _wrong(self, upstream: str, visit: Visit, answer: Answer | None) -> _Wrong | None:
        compiled = self.documents.compiled(upstream)
        if compiled is None:
            return _Wrong(why="no document")
        request = _request(visit)
        if answer is None and visit.body is None and is_json(visit.fields):
            return _Wrong(why="invalid", place="the body", said="the body is too long to be looked at")
        try:
            if answer is None:
                compiled.validate_request(request)
            else:
                compiled.validate_response(request, _response(answer))
        except Exception as error:  # of openapi-core or of what it reads bodies with: it is not as documented
            return _wrong(error)
        return None

    def _said(self, visit: Visit, what: str, how: str, found: _Wrong | None) -> Answer | None:
        if found is None:
            return None
        metrics.INVALID.labels(visit.policy.stated["validate"], what, found.why).inc()
        if found.said:
            path = visit.target.partition("?")[0]
            log.warning("the %s of %s %s is not as documented: %s", what, visit.method, path, found.place)
        if how != "refuse":
            return None
        if not found.said:
            return as_json(503, {"detail": "there is no document yet to validate by"}, Retry_After="10")
        if what == "request":
            return as_json(400, {"detail": found.said})
        return as_json(502, {"detail": "the server's answer is not as documented"})


def _request(visit: Visit) -> _Request:
    parts = urlsplit(visit.target)
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in visit.fields]
    parts_of = (part.strip().partition("=") for one in visit.cookies for part in one.split(";"))
    cookies: list[Any] = [(name, value) for name, equals, value in parts_of if equals]
    return _Request(
        method=visit.method.lower(),
        path=parts.path,
        parameters=RequestParameters(
            query=ImmutableMultiDict(parse_qsl(parts.query, keep_blank_values=True)),
            header=Headers(fields),
            cookie=ImmutableMultiDict(cookies),
        ),
        content_type=_kind(visit.fields),
        body=visit.body or None,
    )


def _response(answer: Answer) -> _Response:
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.fields]
    return _Response(
        status_code=answer.status, headers=Headers(fields), content_type=_kind(answer.fields), data=answer.body
    )


def _kind(fields: Fields) -> str:
    return "".join(values(fields, b"content-type"))


def _wrong(error: Exception) -> _Wrong:
    cause: Any = error.__cause__
    found = list(getattr(cause, "schema_errors", ()))
    places = [f"{getattr(one, 'json_path', '$')} ({getattr(one, 'validator', '')})" for one in found]
    place = type(error).__name__ + (f" at {', '.join(places[:5])}" if places else "")
    said = "; ".join(str(getattr(one, "message", one)) for one in found) or str(error)
    return _Wrong(why="invalid", place=place, said=said.replace(_HOST, "").partition("\n")[0][:300])
