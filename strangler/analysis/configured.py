"""What settings say, wherever they are: in a module, a package of modules, or classes (django-configurations)."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.analysis.facts import Named, Step, Value
from strangler.analysis.symbols import Symbols

_ADDS = frozenset({"append", "extend", "insert"})


def values(symbols: Symbols, name: str) -> Iterator[Value]:
    """What a setting is given, in all modules but tests' own."""
    for file in symbols.files.values():
        if not file.module.is_test:
            for names in (file.facts.assigned, *(found.attributes for found in file.classes.values() if found.bases)):
                if name in names:
                    yield names[name]


def text(symbols: Symbols, name: str) -> str:
    """The first text that a setting is given, also as the default of a variable; empty where there is none."""
    found = (one for value in values(symbols, name) for one in _texts(value, of_calls=True) if "." in one)
    return next(found, "")


def installed(symbols: Symbols) -> Iterator[str]:
    """The dotted names in lists of apps: INSTALLED_APPS and what it is put together from."""
    for file in symbols.files.values():
        if file.module.is_test:
            continue
        for names in (file.facts.assigned, *(found.attributes for found in file.classes.values() if found.bases)):
            for name, value in names.items():
                if _is_list(name):
                    yield from _texts(value)
        for chain in file.facts.chains:
            if len(chain.steps) == 2 and _is_list(chain.steps[0].name) and chain.steps[1].name in _ADDS:
                for argument in chain.steps[1].args:
                    yield from _texts(argument)


def _is_list(name: str) -> bool:
    return name.isupper() and name.endswith("APPS")


def _texts(value: Value, *, of_calls: bool = False) -> Iterator[str]:
    if isinstance(value, str) and not isinstance(value, Named):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _texts(part, of_calls=of_calls)
    elif isinstance(value, list) and of_calls:
        for argument in _given(value):
            yield from _texts(argument)


def _given(steps: list[Step]) -> Iterator[Value]:
    for step in steps:
        yield from step.args
        yield from step.keywords.values()
