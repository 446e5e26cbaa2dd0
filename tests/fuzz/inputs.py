"""Requests as structures, drawn by Hypothesis, and what is done to their bytes afterwards."""

from __future__ import annotations

import random
from dataclasses import dataclass

from hypothesis import strategies as st

SMUGGLED = b"POST /api/reviews/smuggled/ HTTP/1.1\r\nHost: shop\r\nStrangler-Move: x\r\nContent-Length: 0\r\n\r\n"
_METHODS = ("GET", "GET", "GET", "HEAD", "POST", "POST", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_ODD_METHODS = ("PURGE", "get", "post", "CONNECT", "connect", "GE(T", "")
_PATHS = (
    *("/api/orders/7/", "/api/reviews/7/", "/a/", "/api/reviews/", "/api/orders/7/lines/", "/api/orders/8/", "/"),
    "/api/orders/",
)
_ODD_PATHS = (
    *("/-/table", "/-/metrics", "/.strangler/identity", "/%2d/table", "//-/table", "/x/../-/table", "/%2Estrangler/x"),
    *("/api/../api/reviews/", "/api/%2e%2e/api/reviews/", "/api%2freviews/", "//api/reviews/", "/api/./reviews/"),
    *("/api/reviews%00/", "/api/reviews;a=b/", "/api\\reviews/", "/%61pi/reviews/", "/api/reviews%0d%0aX-A:b/"),
    *(
        "/api/reviews%2f..%2forders/",
        "/a/%252e%252e/",
        "/api/%2572eviews/",
        "/%2561pi/reviews/7/",
        "/a/*",
        "/a/://b/",
        "/a#/../b/",
        "*",
        "a/",
        "http://shop/api/",
    ),
    *("http://shop/api/reviews/", "http://evil/api/reviews/", "http://shop@evil/", "https://shop/a/", "http://shop"),
)
_ODD_VERSIONS = ("HTTP/1.0", "HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "http/1.1")
_NAMES = (
    *("Strangler-Move", "strangler_move", "STRANGLER-IDENTITY", "Strangler_Identity", "Strangler-Refused"),
    *(
        "Strangler-Proxy-Token",
        "Strangler-Shadow",
        "strangler-",
        "X-Forwarded-For",
        "X_Forwarded_For",
        "X-Forwarded-Host",
    ),
    *("X-Forwarded-Proto", "X-Forwarded-Ssl", "Forwarded", "X-Real-IP", "Via", "traceparent", "SCRIPT_NAME", "X-A"),
    *(
        "Cookie",
        "Authorization",
        "Accept",
        "Host",
        "Transfer_Encoding",
        "Content_Length",
        "Keep-Alive",
        "Upgrade",
        "TE",
    ),
)
_VALUES = (
    *("", "x", "evil", "127.0.0.1", "move=reviews; term=1; replay=1", "strangler_client=" + "k" * 22, "Bearer x"),
    *("strangler_wrote.orders=00000000.1", "shop", "a, b", "chunked", "0", "h2c", "websocket", "\xe4", "a" * 300),
)
_FIELDS = (
    ("Connection", "close"),
    ("Connection", "keep-alive"),
    ("Connection", "Strangler-Move, X-Forwarded-For"),
    ("Connection", "Content-Length, Transfer-Encoding, Host"),
    ("Connection", "Upgrade, HTTP2-Settings"),
    ("Expect", "100-continue"),
    ("Transfer-Encoding", "chunked"),
    ("Transfer-Encoding", "xchunked"),
    ("Transfer-Encoding", "chunked, identity"),
    ("Transfer-Encoding", "gzip, chunked"),
    ("Transfer-Encoding ", "chunked"),
    ("Content-Length", "0"),
    ("Content-Length", "+5"),
    ("Content-Length", "5, 5"),
    ("Content-Length", "99"),
)
_BODIES = (b"", b"x", b"0\r\n\r\n", b"a" * 2_000, SMUGGLED, b"0\r\n\r\n" + SMUGGLED, b"\r\n" + SMUGGLED, b"\0" * 20)
_PIECES = (
    *(b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\n\n", b"\0", b" ", b"\t", b"\x0b", b"\x7f", b":", b";", b",", b"_", b"-"),
    *(
        b"\r\n ",
        b"0",
        b"+",
        b"\xff",
        b"\xc3\xa4",
        b"0\r\n\r\n",
        b"\r\nTransfer-Encoding: chunked",
        b"\r\nContent-Length: 3",
    ),
    *(
        b"\r\nStrangler-Move: x",
        b"\rStrangler-Move: x",
        b"\nStrangler-Move: x",
        b" HTTP/1.1",
        b"\r\nHost: evil",
        SMUGGLED,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Stream:
    """What a client sends on one connection, in parts."""

    parts: tuple[bytes, ...]
    requests: int
    """Of so many it was made."""
    plain: bool
    """Whether its bytes are as they were drawn."""

    @property
    def data(self) -> bytes:
        return b"".join(self.parts)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """One request's bytes: most are what clients send, some are what they never would."""
    odd = draw(
        st.sampled_from(("", "", "", "", "", "method", "path", "path", "path", "version", "host", "field", "field"))
    )
    method = draw(st.sampled_from(_ODD_METHODS if odd == "method" else _METHODS))
    path = draw(st.sampled_from(_ODD_PATHS if odd == "path" else _PATHS))
    lines = [f"{method} {path} {draw(st.sampled_from(_ODD_VERSIONS)) if odd == 'version' else 'HTTP/1.1'}"]
    lines += ["Host: shop"] * (draw(st.sampled_from((0, 2))) if odd == "host" else 1)
    drawn = st.lists(st.tuples(st.sampled_from(_NAMES), st.sampled_from(_VALUES)), max_size=4)
    lines += [f"{name}: {value}" for name, value in draw(drawn)]
    if odd == "field":
        lines += [
            f"{name}: {value}" for name, value in draw(st.lists(st.sampled_from(_FIELDS), min_size=1, max_size=2))
        ]
    body = draw(st.sampled_from(_BODIES))
    framing = draw(st.sampled_from(("length", "length", "chunks", "none")))
    if framing == "length":
        lines.append(f"Content-Length: {len(body)}")
    elif framing == "chunks":
        lines.append("Transfer-Encoding: chunked")
        body = _chunked(body, draw(st.integers(1, 9)), draw(st.sampled_from((b"", b";a=b", b' ;x="y"', b" "))))
        body += (
            draw(st.sampled_from((b"", b"", b"X-A: b\r\n", b"Strangler-Move: x\r\n", b"Content-Length: 5\r\n")))
            + b"\r\n"
        )
    else:
        body = b""
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


def streams(drawn: list[bytes], seed: int, count: int, number: int) -> list[Stream]:
    """The drawn requests as they are, and others made of them by a seeded chance; "number" makes them unique."""
    chance = random.Random(seed)
    found = []
    for variant in range(count):
        ours = [_named(request, f"{number}.{variant}.{place}") for place, request in enumerate(drawn)]
        data = b"".join(ours)
        if variant:
            chance.shuffle(ours)
            place = chance.randrange(len(ours))
            data = b"".join(ours[:place]) + _mutated(b"".join(ours[place:]), chance)
        last = _named(b"GET /a/ HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n", f"{number}.{variant}.last")
        found.append(Stream(parts=_parts(data + last, chance), requests=len(drawn) + 1, plain=not variant))
    return found


def _named(request: bytes, name: str) -> bytes:
    """The request with a query of its own, so that it is known wherever it comes out."""
    first, space, rest = request.partition(b" HTTP/")
    return b"%s?id=%s%s%s" % (first, name.encode(), space, rest) if space else request


def _chunked(body: bytes, size: int, extension: bytes) -> bytes:
    pieces = [body[at : at + size * 50] for at in range(0, len(body), size * 50)]
    return b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces) + b"0\r\n"


def _mutated(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randrange(len(data) + 1)
        lines = data.split(b"\r\n")
        line = chance.randrange(len(lines))
        kind = chance.randrange(12)
        if kind <= 1:
            data = data[:at] + chance.choice(_PIECES) + data[at:]
        elif kind == 2:
            data = data[:at] + data[at + chance.choice((1, 1, 2, 5, 40)) :]
        elif kind == 3 and data:
            at = min(at, len(data) - 1)
            data = data[:at] + bytes((data[at] ^ (1 << chance.randrange(8)),)) + data[at + 1 :]
        elif kind == 4:
            data = b"\r\n".join((*lines[: line + 1], *lines[line:]))
        elif kind == 5:
            data = b"\r\n".join((*lines[:line], *lines[line + 1 :]))
        elif kind == 6:
            begin = b"\r\n".join(lines[: line + 1])
            data = (
                begin + chance.choice((b"\n", b"\r", b"\r\n ", b"\r\r\n", b"\n\r\n")) + b"\r\n".join(lines[line + 1 :])
            )
        elif kind == 7:
            data = b"\r\n".join((*lines[:line], lines[line] + chance.choice(_PIECES), *lines[line + 1 :]))
        else:
            data = _otherwise(lines, chance)
    return data


def _otherwise(lines: list[bytes], chance: random.Random) -> bytes:
    """With another path, or one more field, somewhere; as well formed as before."""
    firsts = [number for number, line in enumerate(lines) if line.endswith(b" HTTP/1.1")]
    if firsts:
        number = chance.choice(firsts)
        method, _, rest = lines[number].partition(b" ")
        if chance.randrange(2):
            path = chance.choice((*_PATHS, *_ODD_PATHS, *_ODD_PATHS)).encode()
            lines[number] = b"%s %s?id=%s" % (method, path, rest.partition(b"?id=")[2])
        else:
            field = f"{chance.choice(_NAMES)}: {chance.choice(_VALUES)}".encode("latin-1")
            lines.insert(number + 1, field)
    return b"\r\n".join(lines)


def _parts(data: bytes, chance: random.Random) -> tuple[bytes, ...]:
    """Mostly all at once."""
    if chance.randrange(4):
        return (data,)
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.choice((1, 2, 5))))
    return tuple(data[begin:end] for begin, end in zip((0, *cuts), (*cuts, len(data)), strict=True) if begin < end)
