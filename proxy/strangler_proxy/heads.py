"""What a message's first line and header must look like, byte by byte, before anything is read from them: pure.

Whatever two servers could take for different messages is refused: ends of lines that are none, control characters,
folded values, names with spaces, another protocol, several hosts. What is left is HTTP/1.1 as RFC 9112 has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

LONGEST_REQUEST = 1 << 16
LONGEST_ANSWER = 1 << 18
"""Bytes of the first line and the header together."""
MOST_INTERIM = 100
"""Answers that only inform, before the final one."""

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_TEXT = rb"[^\x00-\x08\x0a-\x1f\x7f]*+"
_FIELDS = rb"(?:" + _TOKEN + rb":" + _TEXT + rb"\r\n)*+\r\n"
# A target holds no "#": whoever reads one as the path's end reads another path.
_TARGET = rb"[\x21\x22\x24-\x7e]++"
_REQUEST = re.compile(
    rb"(?P<method>" + _TOKEN + rb") (?P<target>" + _TARGET + rb") HTTP/1\.(?P<minor>[01])\r\n" + _FIELDS
)
_ANSWER = re.compile(rb"HTTP/1\.[01] (?P<status>[1-5][0-9]{2})(?: " + _TEXT + rb")?\r\n" + _FIELDS)
FIELDS = re.compile(_FIELDS)
"""Fields up to the empty line."""
_NAME, _VALUE, _PATH = re.compile(_TOKEN), re.compile(_TEXT), re.compile(_TARGET)
_END = re.compile(rb"\n\r?\n")
_HOSTS = re.compile(rb"\nhost:[ \t]*+([^\r]*?)[ \t]*\r", re.IGNORECASE)
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+;=%-]*+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*+)?")
_ABSOLUTE = re.compile(rb"https?://([^/?]*+)/")


@dataclass(frozen=True, kw_only=True)
class Malformed:
    """Why a message is not taken: the status and one sentence for who sent it."""

    status: int
    detail: str


@dataclass(frozen=True, kw_only=True)
class Incomplete:
    """The header has not come to its end."""


def request(data: bytes) -> Malformed | Incomplete | None:
    """What is wrong with the request at the beginning of the bytes; None where nothing is."""
    if (end := _end(data, LONGEST_REQUEST)) is None:
        return Incomplete() if len(data) <= LONGEST_REQUEST else _too_long()
    if end > LONGEST_REQUEST:
        return _too_long()
    found = _REQUEST.fullmatch(data, 0, end)
    if found is None:
        return Malformed(status=400, detail="the request is no HTTP/1.1 as RFC 9112 has it")
    return _misdirected(found, _HOSTS.findall(data, 0, end))


def answer(data: bytes) -> Malformed | Incomplete | int:
    """The status of the answer at the beginning of the bytes, or what is wrong with it."""
    if (end := _end(data, LONGEST_ANSWER)) is None:
        return Incomplete() if len(data) <= LONGEST_ANSWER else Malformed(status=502, detail="its header has no end")
    found = _ANSWER.fullmatch(data, 0, end)
    return int(found["status"]) if found else Malformed(status=502, detail="it is no HTTP/1.1 as RFC 9112 has it")


def improper(fields: Iterable[tuple[bytes, bytes]], target: bytes = b"/") -> str:
    """What of a message that we have made ourselves is none of a header; "" where nothing is."""
    for name, value in fields:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            return f"the field {name!r}"
    return "" if _PATH.fullmatch(target) else "the target"


def _end(data: bytes, longest: int) -> int | None:
    found = _END.search(data, 0, longest + 2)
    return found.end() if found else None


def _too_long() -> Malformed:
    return Malformed(status=431, detail=f"the request's header is longer than {LONGEST_REQUEST} bytes")


def _misdirected(found: re.Match[bytes], hosts: list[bytes]) -> Malformed | None:
    """A request says once to which host it goes, and nothing else elsewhere."""
    if len(hosts) > 1 or (not hosts and found["minor"] == b"1"):
        return Malformed(status=400, detail="the request must have one Host field")
    if hosts and not _HOST.fullmatch(hosts[0]):
        return Malformed(status=400, detail="the request's Host field names no host")
    target = found["target"]
    if target.startswith(b"/") or (target == b"*" and found["method"] == b"OPTIONS"):
        return None
    absolute = _ABSOLUTE.match(target)
    if absolute is None:
        return Malformed(status=400, detail="the request's target is no path")
    if not hosts or absolute[1].lower() != hosts[0].lower():
        return Malformed(status=400, detail="the request's target and its Host field name different hosts")
    return None
