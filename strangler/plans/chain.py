"""The hash chain of a record: every line names the lines that it follows and seals itself. Pure, over bytes.

A line is a JSON object that ends in `"after": [hashes], "hash": "..."}`; the hash is taken over the bytes before it.
After a merge in git two lines may follow the same one, and the next line follows both ends:
docs/decisions/0007-record.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_SEAL = b', "hash": "'
_MARKERS = (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>")
_RESTORE = "restore the file from version control"


@dataclass(frozen=True, kw_only=True)
class Link:
    """One line that could be read."""

    number: int
    fields: Mapping[str, Any]
    after: tuple[str, ...]
    hash: str


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with one line."""

    line: int
    what: str
    remedy: str = _RESTORE

    def __str__(self) -> str:
        return f"line {self.line}, {self.what}; {self.remedy}"


@dataclass(frozen=True, kw_only=True)
class Chain:
    """All whole lines of a record, and what is wrong with them."""

    links: tuple[Link, ...]
    faults: tuple[Fault, ...]

    @property
    def heads(self) -> tuple[str, ...]:
        """The lines that no other one follows: one, or several after a merge, which the next line joins."""
        followed = {hash_ for link in self.links for hash_ in link.after}
        return tuple(link.hash for link in self.links if link.hash not in followed)


def seal(fields: Mapping[str, object], after: Iterable[str]) -> tuple[bytes, str]:
    """The line of a new event, its newline included, that follows the lines with these hashes; and its own hash."""
    text = json.dumps({**fields, "after": list(after)}, ensure_ascii=False, default=str)
    body = text.removesuffix("}").encode()
    return body + _SEAL + _hash(body).encode() + b'"}\n', _hash(body)


def read_chain(data: bytes) -> Chain:
    """Read and check a record. What stands behind the last newline was torn off by a crash, and is no line.

    A line that stands there twice says nothing new; a merge may leave it so.
    """
    links: dict[str, Link] = {}
    faults = []
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        link = _parse(number, line)
        if isinstance(link, Fault):
            faults.append(link)
            continue
        if link.hash != _hash(line[: line.rfind(_SEAL)]):
            faults.append(Fault(line=number, what="was changed after it was written"))
        links.setdefault(link.hash, link)
    faults += _misplaced(links)
    return Chain(links=tuple(links.values()), faults=tuple(sorted(faults, key=lambda fault: fault.line)))


def _misplaced(links: Mapping[str, Link]) -> Iterator[Fault]:
    for link in links.values():
        for hash_ in link.after:
            if hash_ not in links:
                what = f'follows a line "{hash_}" that is not there; that one was removed or changed'
                yield Fault(line=link.number, what=what)
            elif links[hash_].number > link.number:
                what = f"stands before line {links[hash_].number}, which it follows; lines were reordered"
                yield Fault(line=link.number, what=what)


def _parse(number: int, line: bytes) -> Link | Fault:
    if line.startswith(_MARKERS):
        return Fault(
            line=number,
            what="is a mark of a merge that was not finished",
            remedy='keep the lines of both sides, and put "record.jsonl merge=union -text" into the .gitattributes '
            "beside the plans",
        )
    try:
        fields: dict[str, Any] = json.loads(line)
    except ValueError as error:
        return Fault(line=number, what=f"cannot be read: {error}")
    match fields:
        case {"after": [*after], "hash": str(hash_), **others} if all(isinstance(one, str) for one in after):
            return Link(number=number, fields=others, after=tuple(after), hash=hash_)
    return Fault(line=number, what="cannot be read: it does not say which lines it follows, or has no hash")


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
