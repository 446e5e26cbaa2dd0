"""What a text tells to type, and what a learner has written by then."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_BY_NOW = re.compile(r"^<!-- by now: (.*?) -->\n", re.MULTILINE)
"""A remark of ours: files that whoever follows the text has written as the solution has them."""


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """(command, lines of the answer) of each "$ ..." in the text's console blocks, in order."""
    for block in _BLOCK.findall(text):
        _, *parts = f"\n{block}".split("\n$ ")
        for part in parts:
            command, *answer = part.rstrip("\n").split("\n")
            yield command, answer


def followed(text: str) -> Iterator[tuple[list[str], str, list[str]]]:
    """(files that were written since the last command, command, lines of the answer), in the text's order."""
    before, *later = _BY_NOW.split(text)
    yield from (([], command, answer) for command, answer in commands(before))
    for paths, part in zip(later[::2], later[1::2], strict=True):
        written = paths.split()
        for command, answer in commands(part):
            yield written, command, answer
            written = []


def readable(text: str) -> str:
    """The text without our remarks."""
    return _BY_NOW.sub("", text)
