"""The Celery tasks of a project, as its decorators say."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.analysis.facts import Function, Named
from strangler.analysis.symbols import Symbols

_DECORATORS = frozenset({"task", "shared_task", "periodic_task"})


def is_task(function: Function) -> bool:
    """Whether a function is one."""
    return any(decorator.steps[-1].name in _DECORATORS for decorator in function.decorators)


def find_tasks(symbols: Symbols) -> Iterator[tuple[str, str]]:
    """(its name, the dotted name of its function); the name is the function's where the decorator gives none."""
    for name, file in symbols.files.items():
        for function in file.functions.values():
            if is_task(function):
                given = next((decorator.steps[-1].keywords.get("name") for decorator in function.decorators), None)
                dotted = f"{name}.{function.name}"
                yield given if isinstance(given, str) and not isinstance(given, Named) else dotted, dotted
