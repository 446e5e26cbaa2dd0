"""Every refusal that the toolkit raises is expected in a test, by words of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
ROOMS = ("split", "plans")
RUN = 13
"""Characters that a refusal and a test must have in common: enough to be no chance, few enough for a short match."""


def test_every_refusal_has_a_test_that_knows_its_words():
    refusals = {place: (parts, {run for part in parts for run in _runs(part)}) for place, parts in _refusals()}
    assert len(refusals) > 200
    wanted = set().union(*(runs for _, runs in refusals.values()))
    known = {run for text in _said_by_tests() for run in _runs(text) if run in wanted}
    untested = [f"{place}: {' ... '.join(parts)}" for place, (parts, runs) in refusals.items() if not runs & known]
    assert not untested, "\n".join(untested)


def _refusals() -> Iterator[tuple[str, list[str]]]:
    """(place, the constant parts) of each text that is raised; what has no part to know it by is left out."""
    for path in (path for room in ROOMS for path in sorted((ROOT / "strangler" / room).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and _is_told(node.exc.func):
                parts = [
                    part.value
                    for part in ast.walk(node.exc)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and len(part.value) >= RUN
                ]
                if parts:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", parts


def _is_told(exception: ast.expr) -> bool:
    return not (isinstance(exception, ast.Name) and exception.id == "AssertionError")


def _said_by_tests() -> Iterator[str]:
    """The texts in tests, as regular expressions mean them."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"\\(.)", r"\1", node.value)


def _runs(text: str) -> Iterator[str]:
    return (text[begin : begin + RUN] for begin in range(len(text) - RUN + 1))
