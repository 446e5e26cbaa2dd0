"""What is different between two answers to the same request. Pure, standard library only.

JSON is compared by its structure, HTML by its elements and words, everything else byte by byte. Where something is
different is told by a path: "status", "header location", "$.results[].rating", "text", "bytes".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from strangler_proxy.redacting import REDACTED, is_secret

COMPARED_HEADERS = ("content-type", "location", "cache-control", "content-language", "content-disposition", "allow")
"""The others speak of the server, the connection or the moment, or follow from the body."""
_DEEPEST = 40
_LONGEST = 80
_FRESH = frozenset({"nonce", "integrity"})
"""Attributes that are others in each answer."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer as far as it is compared. The body is decoded, whatever it was sent as."""

    status: int
    headers: Mapping[str, str]  # names in small letters
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One place at which two answers differ, and what stood there, shortened, and redacted where it may be a secret."""

    path: str
    kind: str
    """"value", "type", "missing" (in the second), "added", "length"."""
    first: str
    second: str

    @property
    def place(self) -> tuple[str, str]:
        return self.path, self.kind


def differences(first: Answer, second: Answer) -> list[Difference]:
    """Every difference of the second answer from the first one, each place once."""
    found: dict[tuple[str, str], Difference] = {}
    for difference in _differences(first, second):
        found.setdefault(difference.place, difference)
    return list(found.values())


def _differences(first: Answer, second: Answer) -> Iterator[Difference]:
    if first.status != second.status:
        yield Difference(path="status", kind="value", first=str(first.status), second=str(second.status))
        return  # an error's page says nothing more of the page that it stands for
    for name in COMPARED_HEADERS:
        yield from _values(f"header {name}", first.headers.get(name), second.headers.get(name))
    kind = first.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.endswith("json"):
        yield from _json(first.body, second.body)
    elif kind in ("text/html", "application/xhtml+xml"):
        yield from _html(first.body, second.body)
    elif first.body != second.body:
        yield Difference(path="bytes", kind="value", first=_digest(first.body), second=_digest(second.body))


def _json(first: bytes, second: bytes) -> Iterator[Difference]:
    try:
        ours, theirs = json.loads(first), json.loads(second)
    except (ValueError, RecursionError):
        if first != second:
            yield Difference(path="bytes", kind="value", first=_digest(first), second=_digest(second))
        return
    yield from _values("$", ours, theirs)


def _values(path: str, first: Any, second: Any, depth: int = 0) -> Iterator[Difference]:
    if isinstance(first, dict) and isinstance(second, dict) and depth < _DEEPEST:
        for name in first.keys() | second.keys():
            inner = f"{path}.{name}"
            if name not in second:
                yield difference(inner, "missing", first[name], None)
            elif name not in first:
                yield difference(inner, "added", None, second[name])
            else:
                yield from _values(inner, first[name], second[name], depth + 1)
    elif isinstance(first, list) and isinstance(second, list) and depth < _DEEPEST:
        if len(first) != len(second):
            yield difference(f"{path}[]", "length", len(first), len(second))
        for ours, theirs in zip(first, second, strict=False):
            yield from _values(f"{path}[]", ours, theirs, depth + 1)
    elif type(first) is not type(second):
        kind = "missing" if second is None else "added" if first is None else "type"
        yield difference(path, kind, first, second)
    elif first != second:
        yield difference(path, "value", first, second)


def _html(first: bytes, second: bytes) -> Iterator[Difference]:
    ours, theirs = _page(first), _page(second)
    if ours == theirs:
        return
    where = next((n for n, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), None)
    if where is None:
        yield Difference(path="text", kind="length", first=str(len(ours)), second=str(len(theirs)))
        return
    path = "text" if not ours[where].startswith("<") else ours[where].split()[0].rstrip(">") + ">"
    yield difference(path, "value", ours[where], theirs[where])


class _Page(HTMLParser):
    """A page's elements and words, without what is fresh in each answer and without the white space between."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs if name not in _FRESH}
        if given.get("name") == "csrfmiddlewaretoken":
            given.pop("value", None)
        self.parts.append(" ".join([f"<{tag}", *(f'{name}="{value}"' for name, value in sorted(given.items()))]) + ">")

    def handle_endtag(self, tag: str) -> None:
        self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if words := " ".join(data.split()):
            self.parts.append(words)


def _page(body: bytes) -> list[str]:
    page = _Page()
    page.feed(body.decode("utf-8", "replace"))
    page.close()
    return page.parts


def difference(path: str, kind: str, first: Any, second: Any) -> Difference:
    """What stood at a place, shortened, and redacted where the last part of its path says so."""
    secret = is_secret(path.rpartition(".")[2])
    return Difference(
        path=path,
        kind=kind,
        first=REDACTED if secret and first is not None else _short(first),
        second=REDACTED if secret and second is not None else _short(second),
    )


def _short(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return f"{type(value).__name__} of {len(value)}"  # its values may be secrets of their own names
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _digest(body: bytes) -> str:
    return f"{len(body)} bytes, {hashlib.sha256(body).hexdigest()[:12]}"
