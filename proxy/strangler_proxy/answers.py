"""Answers that the proxy gives itself, before they become mitmproxy's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from strangler_proxy.forwarding import Fields


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer. Without a body, the body passes as it comes; nobody has it."""

    status: int
    fields: Fields = ()
    body: bytes | None = b""

    def header(self, name: bytes) -> str | None:
        """The value of a field, by its name in small letters."""
        found = [value for field, value in self.fields if field.lower() == name]
        return b", ".join(found).decode("utf-8", "surrogateescape") if found else None


def as_json(status: int, body: Mapping[str, Any], **headers: str) -> Answer:
    """An answer in JSON; underscores in the headers' names become dashes."""
    named = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    fields = tuple((name.encode(), value.encode()) for name, value in named.items())
    return Answer(status=status, body=json.dumps(body).encode(), fields=fields)


def as_sent(answer: Answer) -> bytes:
    """The answer's bytes, as the last one on its connection."""
    body = answer.body or b""
    fields = (*answer.fields, (b"Content-Length", b"%d" % len(body)), (b"Connection", b"close"))
    first = b"HTTP/1.1 %d %s" % (answer.status, HTTPStatus(answer.status).phrase.encode())
    return b"\r\n".join((first, *(b"%s: %s" % field for field in fields), b"", body))


def not_found() -> Answer:
    """What everybody sees where there is nothing for them."""
    return as_json(404, {"detail": "Not found."})
