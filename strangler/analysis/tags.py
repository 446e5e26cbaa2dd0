"""The tags of a template, of Django's language and Jinja's. Goes over the text once, whatever it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TAG = re.compile(r"-?\s*(\w+)\s+(.*)", re.DOTALL)
_END = re.compile(r"%\}|\}\}")
_CALL = re.compile(r"""(?<![\w.])url\(\s*(["'][\w:.-]+["'])""")
_OPENS = re.compile(r"\{#|\{%-?\s*comment\b")
_CLOSES = {"{#": re.compile(r"#\}"), "{%": re.compile(r"\{%-?\s*endcomment\s*-?%\}")}


def tags(text: str) -> Iterator[tuple[int, str, str]]:
    """(line, tag, what stands in it), of tags and of Jinja's calls of url(). What is commented out is left out."""
    for line, kind, inside in braces(text):
        found = _TAG.match(inside) if kind == "{%" else None
        if found is not None:
            yield line, found[1], found[2].rstrip().removesuffix("-").rstrip()
        yield from ((line, "url", call[1]) for call in _CALL.finditer(inside))


def braces(text: str) -> Iterator[tuple[int, str, str]]:
    """(line, "{%" or "{{", what stands behind it)."""
    text = "".join(_bare(text))
    line, at = 1, 0
    for end in _END.finditer(text):
        start = max(text.rfind("{%", at, end.start()), text.rfind("{{", at, end.start()))
        if start >= 0:
            yield line + text.count("\n", at, start), text[start : start + 2], text[start + 2 : end.start()]
        line += text.count("\n", at, end.end())
        at = end.end()


def _bare(text: str) -> Iterator[str]:
    """The text without its comments, but with their lines."""
    at, endless = 0, set[str]()
    for opens in _OPENS.finditer(text):
        kind = opens[0][:2]
        if opens.start() < at or kind in endless:
            continue
        closes = _CLOSES[kind].search(text, opens.end())
        if closes is None:
            endless.add(kind)
            continue
        yield text[at : opens.start()]
        yield "\n" * text.count("\n", opens.start(), closes.end())
        at = closes.end()
    yield text[at:]
