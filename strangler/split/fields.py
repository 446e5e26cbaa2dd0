"""The CSV of archives in which quotes tell what a field is: a text has them; a number, bytes in hexadecimal and NULL
have none. Whoever reads CSV reads it; LOAD DATA of MySQL knows it as it is."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

NULL = "NULL"
_FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|([^",]*))(?:,|$)', re.DOTALL)


class Field(NamedTuple):
    """One value of a line."""

    written: str
    quoted: bool

    @property
    def missing(self) -> bool:
        return not self.quoted and self.written == NULL


def quoted(text: str) -> str:
    """A text as a field."""
    return '"' + text.replace('"', '""') + '"'


def header(names: Iterable[str]) -> bytes:
    """The first line."""
    return (",".join(map(quoted, names)) + "\n").encode()


def read(chunks: Iterable[bytes]) -> Iterator[list[Field]]:
    """The lines of a file behind its header. Raises ValueError where it is none of ours."""
    lines = _lines(chunks)
    next(lines, None)
    for line in lines:
        yield list(_fields(line))


def _fields(line: str) -> Iterator[Field]:
    at = 0
    while at <= len(line):
        found = _FIELD.match(line, at)
        if found is None:
            raise ValueError(f"no line of an archive: {line[:80]!r}")
        text, plain = found.groups()
        yield Field(plain, False) if text is None else Field(text.replace('""', '"'), True)
        # The end of the line is no comma, and there is no field behind it.
        at = found.end() + (found[0][-1:] != ",")


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Lines without their ends; one that ends within quotes goes on."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    kept: list[str] = []
    odd = False
    for chunk in chunks:
        for part in _pieces(decoder.decode(chunk)):
            kept.append(part)
            odd ^= part.count('"') % 2 == 1
            if part.endswith("\n") and not odd:
                yield "".join(kept)[:-1]
                kept = []
    if kept:
        raise ValueError("the last line of an archive is torn")


def _pieces(text: str) -> Iterator[str]:
    # Not splitlines, which breaks at other characters too.
    begin = 0
    while (end := text.find("\n", begin)) >= 0:
        yield text[begin : end + 1]
        begin = end + 1
    if begin < len(text):
        yield text[begin:]
