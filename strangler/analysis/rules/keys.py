"""Keys of the session and the cache that more than one app uses, also as far as they begin alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.facts import Chain, Named, Step, Value
from strangler.analysis.project import Place, Project
from strangler.analysis.symbols import File

_SESSION = frozenset({"get", "pop", "setdefault", "aget", "apop", "aset"})
_CACHE = frozenset(
    {"get", "set", "add", "delete", "get_or_set", "incr", "decr", "touch", "set_many", "get_many", "delete_many"}
    | {"delete_pattern", "aget", "aset", "aadd", "adelete", "aget_or_set"}
)
_PUTS = frozenset({"set", "add", "get_or_set", "set_many", "setdefault", "aset", "aadd", "aget_or_set"})
_HOLE = re.compile(r"[%{*]")
_SHORTEST = 3


@dataclass(frozen=True)
class _Use:
    file: File
    chain: Chain
    puts: bool


def find(project: Project) -> Iterator[Coupling]:
    """One for each use of a key by another app than its own."""
    used: dict[tuple[Kind, str], list[_Use]] = {}
    for file in project.files():
        for chain in file.facts.chains:
            for kind, key, puts in _keys(project, file, chain):
                used.setdefault((kind, key), []).append(_Use(file, chain, puts))
    for (kind, key), places in used.items():
        apps = {project.app_of(use.file).label for use in places if not use.file.module.is_test}
        if len(apps) > 1:
            owner = _owner(project, key, sorted(apps), places)
            for use in places:
                yield from project.coupling(kind, Place(use.file, use.chain.line, use.chain.scope), owner, key)


def _owner(project: Project, key: str, apps: Sequence[str], places: Sequence[_Use]) -> str:
    """The app that a key is called after, else one that puts something there, else the first."""
    words = set(re.split(r"[^a-z0-9]+", key.lower()))
    called = [app for app in apps if app.lower() in words]
    puts = [project.app_of(use.file).label for use in places if use.puts and not use.file.module.is_test]
    return (called or puts or list(apps))[0]


def _keys(project: Project, file: File, chain: Chain) -> Iterator[tuple[Kind, str, bool]]:
    names = [step.name for step in chain.steps]
    for number, step in enumerate(chain.steps[1:], 1):
        before = names[number - 1]
        if before == "session" and (step.name.startswith("[") or step.name in _SESSION):
            puts = step.name in _PUTS or (chain.stored and number == len(names) - 1)
            for key in _texts(project, file, step):
                yield Kind.SESSION, key, puts
        elif step.called and step.name in _CACHE and _is_cache(project, file, names[:number]):
            for key in _texts(project, file, step):
                yield Kind.CACHE, key, step.name in _PUTS


def _is_cache(project: Project, file: File, names: Sequence[str]) -> bool:
    if names[0].startswith(("?", "@")):
        return len(names) > 1 and names[-1] == "cache"
    symbol = project.symbols.find_in(file.module.name, names[0])
    if symbol.kind == "outside" and symbol.name.startswith("django.core.cache."):
        return len(names) == 1 or names[0] == "caches"
    if symbol.kind == "value" and len(names) == 1:  # cache = caches["x"]
        value = project.symbols.file_of(symbol).facts.assigned.get(symbol.name)
        return isinstance(value, list) and value[0].name == "caches"
    return len(names) > 1 and names[-1] == "cache"


def _texts(project: Project, file: File, step: Step) -> Iterator[str]:
    if step.name.startswith("["):
        given: Sequence[Value] = [step.name[1:-1]] if len(step.name) > 2 else step.args
    else:
        given = step.args[:1]
    for value in given:
        many = value if isinstance(value, tuple | dict) and step.name.endswith("_many") else (value,)
        for one in many:
            key = _text(project, file, one)
            if len(key.rstrip("*")) >= _SHORTEST:
                yield key


def _text(project: Project, file: File, value: Value) -> str:
    """A key as it stands, with "*" for what is put in; a constant by its value; empty where nobody can tell."""
    first, more = (value[0], len(value) > 1) if isinstance(value, tuple) and value else (value, False)
    if isinstance(first, Named):
        symbol = project.symbols.find_in(file.module.name, first)
        first = project.symbols.file_of(symbol).facts.assigned.get(symbol.name) if symbol.kind == "value" else None
    if not isinstance(first, str) or isinstance(first, Named):
        return ""
    match = _HOLE.search(first)
    return f"{first[: match.start()]}*" if match is not None else f"{first}*" if more else first
