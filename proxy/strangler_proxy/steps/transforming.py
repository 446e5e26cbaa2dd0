"""Requests as their upstream wants them and answers as their client does: headers, paths, queries and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote_plus

from strangler_proxy.answers import Answer, as_json
from strangler_proxy.forwarding import Fields, values
from strangler_proxy.gateway import transform
from strangler_proxy.gateway.transform import Transform
from strangler_proxy.steps.reshaping import reshaped
from strangler_proxy.steps.visit import Visit

_OF_BYTES = frozenset({b"content-md5", b"digest", b"content-digest", b"repr-digest", b"accept-ranges"})
"""What speaks of a body's exact bytes."""


class Transforming:
    """Does first what a version of the interface asks for, then what the policy does; on the way back the reverse."""

    async def enter(self, visit: Visit) -> Answer | None:
        """400, 411, 413 or 415 for a body that has to be changed and cannot."""
        found = _all(visit)
        for one in found:
            if one.request.json and (answer := _change_body(visit, one.request.json)) is not None:
                return answer
            visit.fields = changed_fields(visit.fields, one.request.headers)
            visit.target = _target(visit, one)
        if any(one.response.json for one in found):
            ask_for_plain_json(visit)
        return None

    async def leave(self, visit: Visit, answer: Answer) -> Answer:
        """502 for an answer that has to be changed and cannot."""
        for one in reversed(_all(visit)):
            if one.response.json and answer.status // 100 == 2 and is_json(answer.fields):
                answer = _change_answer(answer, one.response.json)
            answer = replace(answer, fields=changed_fields(answer.fields, one.response.headers))
        return answer


def is_json(fields: Fields) -> bool:
    """Whether a message says that its body is JSON."""
    kind = "".join(values(fields, b"content-type")).partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def ask_for_plain_json(visit: Visit) -> None:
    """Have the answer whole, if it is JSON, and not encoded."""
    visit.keep_json = True
    changed = (b"accept-encoding", b"range", b"if-range")
    visit.fields = (*(one for one in visit.fields if one[0].lower() not in changed), (b"Accept-Encoding", b"identity"))


def parsed(body: bytes) -> Any:
    """A JSON value. Raises ValueError, also for what only Python takes for JSON."""
    try:
        return json.loads(body, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def rendered(value: Any) -> bytes:
    """A JSON text."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a character, which only an escape can say
        return json.dumps(value, separators=(",", ":")).encode()


def changed_fields(fields: Fields, changes: transform.Fields) -> Fields:
    """A header as the changes have it."""
    if not changes:
        return fields
    gone = {name.lower().encode() for name in (*changes.remove, *changes.rename.values(), *changes.set)}
    renamed = {old.lower().encode(): new.encode() for old, new in changes.rename.items()}
    kept = (
        (renamed.get(name.lower(), name), value)
        for name, value in fields
        if name.lower() not in gone or name.lower() in renamed
    )
    put = ((name.encode(), value.encode()) for name, value in (*changes.set.items(), *changes.add.items()))
    return (*kept, *put)


def changed_query(query: str, changes: transform.Fields) -> str:
    """A query as the changes have it; what they do not name stays as it was sent."""
    if not changes:
        return query
    gone = {*changes.remove, *changes.rename.values(), *changes.set}
    parts: list[str] = []
    for part in query.split("&") if query else []:
        name, equals, value = part.partition("=")
        called = unquote_plus(name)
        if called in changes.rename:
            parts.append(quote(changes.rename[called]) + equals + value)
        elif called not in gone:
            parts.append(part)
    put = (*changes.set.items(), *changes.add.items())
    return "&".join([*parts, *(f"{quote(name)}={quote(value, safe='')}" for name, value in put)])


def changed_path(path: str, pattern: str, new: str) -> str:
    """A path below the pattern with the new one in its place; segments and what follows stay as they were sent."""
    sent = path.strip("/").split("/")
    old = pattern.strip("/").split("/") if pattern != "/" else []
    taken = {name: sent[number] for number, name in enumerate(old) if name.startswith("<")}
    made = [taken.get(part, part) for part in new.strip("/").split("/")] if new != "/" else []
    rest = sent[len(old) :] if path.strip("/") else []
    whole = "/" + "/".join([*made, *rest])
    return whole + "/" if path.endswith("/") and whole != "/" else whole


def _all(visit: Visit) -> Sequence[Transform]:
    return tuple(one for one in (visit.version_transform, visit.policy.transform) if one is not None)


def _target(visit: Visit, one: Transform) -> str:
    path, _, query = visit.target.partition("?")
    if one.path:
        path = changed_path(path, visit.policy.stated["transform"], one.path)
    query = changed_query(query, one.query)
    return f"{path}?{query}" if query else path


def _change_body(visit: Visit, changes: transform.Body) -> Answer | None:
    if visit.body == b"" or not is_json(visit.fields):
        return None
    if visit.body is None and values(visit.fields, b"content-length"):
        return as_json(413, {"detail": "the body is too long to be changed for the server"})
    if visit.body is None:
        return as_json(411, {"detail": "the body has to be changed for the server; send its length"})
    if any(value.strip().lower() != "identity" for value in values(visit.fields, b"content-encoding")):
        return as_json(415, {"detail": "the body has to be changed for the server; send it as it is, not encoded"})
    answer = None
    try:
        visit.body = rendered(reshaped(parsed(visit.body), changes))
    except ValueError as error:
        answer = as_json(400, {"detail": f"the body is no JSON ({error})"})
    return answer


def _change_answer(answer: Answer, changes: transform.Body) -> Answer:
    encoded = answer.header(b"content-encoding")
    fields = tuple(one for one in answer.fields if one[0].lower() not in _OF_BYTES)
    if not answer.body:  # of a HEAD
        return replace(answer, fields=tuple(one for one in fields if one[0].lower() != b"content-length"))
    try:
        if encoded is not None and encoded.lower() != "identity":
            raise ValueError(f"it is encoded ({encoded})")
        body = rendered(reshaped(parsed(answer.body), changes))
    except ValueError as error:
        return as_json(502, {"detail": f"the server's answer cannot be changed for its client: {error}"})
    return Answer(status=answer.status, fields=fields, body=body)


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")
