"""Tests as pytest collects them: what they call, the fixtures that they ask for, the routes whose paths they name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from strangler.analysis.facts import Chain, Function, Named
from strangler.analysis.reach.resolving import Resolver, parts_of
from strangler.analysis.reach.usage import Entry, Usage
from strangler.analysis.routes import Route
from strangler.analysis.symbols import File, Symbol

_HOLE = "{}"
_SET_UPS = (
    *("setUp", "setUpClass", "setUpTestData", "tearDown", "tearDownClass", "asyncSetUp", "asyncTearDown"),
    *("setup_method", "setup_class", "teardown_method", "teardown_class"),
)
_CLIENTS = re.compile(
    r"(django|rest_framework|webtest|django_webtest|channels)\.(\w+\.)*(\w*Client|\w*RequestFactory|TestApp)"
)
_OF_PLUGINS = frozenset(
    {"client", "async_client", "admin_client", "rf", "async_rf", "django_app", "api_client", "live_server"}
)
"""Fixtures that plugins of pytest bring."""
_REVERSES = frozenset({"reverse", "reverse_lazy", "resolve_url"})


def find(usage: Usage, resolver: Resolver, routes: Iterable[tuple[Route, str]], admin: Mapping[str, str]) -> None:
    """All tests of the project."""
    routes = list(routes)
    by_name: dict[str, list[str]] = {}
    for route, node in routes:
        by_name.setdefault(route.name, []).append(node)
        by_name.setdefault(route.name.rpartition(":")[2], []).append(node)
    patterns = [(route.pattern, node) for route, node in routes if route.pattern]
    fixtures = _Fixtures(resolver)
    for file in resolver.project.files():
        if not file.module.is_test:
            continue
        for chain in file.facts.chains:
            for text in _reversed(chain):
                usage.add(resolver.scope(file, chain.scope), *_of_name(text, by_name, admin))
        for function in file.functions.values():
            node = f"{file.module.name}.{function.name}"
            usage.add(node, *fixtures.of(file, function))
        for entry, used in _collected(resolver, file):
            usage.enter(entry, *used, *fixtures.automatic(file))
    with_client = _with_client(usage, resolver)
    for file in resolver.project.files():
        for scope, text in _paths(file) if file.module.is_test else ():
            node = resolver.scope(file, scope)
            if node in with_client:
                usage.add(node, *_of_path(text, patterns, admin))


def _with_client(usage: Usage, resolver: Resolver) -> set[str]:
    """The tests, fixtures and helpers that have a client of Django's tests: the paths that they name are routes."""
    found: set[str] = set()
    inside: set[str] = set()
    for file in resolver.project.files():
        if not file.module.is_test:
            continue
        clients = {name for name, target in file.imports.items() if _CLIENTS.fullmatch(target)}
        used = [(chain.scope, chain.steps[0].name) for chain in file.facts.chains]
        found |= {resolver.scope(file, scope) for scope, name in (*used, *file.facts.names) if name in clients}
        for function in file.functions.values():
            node = f"{file.module.name}.{function.name}"
            inside.add(node)
            owner = resolver.owner(file, function.name)
            if _OF_PLUGINS & set(function.parameters) or (owner is not None and _is_of_django(resolver, owner)):
                found.add(node)
    callers, waiting = usage.callers(), list(found)
    while waiting:
        fresh = (callers.get(waiting.pop(), set()) & inside) - found
        found |= fresh
        waiting += fresh
    return found


def _is_of_django(resolver: Resolver, symbol: Symbol) -> bool:
    outside = [base.name for base in resolver.project.symbols.ancestors(symbol) if base.kind == "outside"]
    return any(name.endswith("TestCase") and not name.startswith("unittest") for name in outside)


def _collected(resolver: Resolver, file: File) -> Iterator[tuple[Entry, list[str]]]:
    """The tests of a file, each with what is done around it. Inherited ones are those of every class that has them."""
    path, module = file.module.path, file.module.name
    for function in file.functions.values():
        if "." not in function.name and function.name.startswith("test"):
            yield _entry(path, f"{path}::{function.name}", f"{module}.{function.name}", function.line), []
    for found in file.classes.values():
        symbol = Symbol(module, found.name, "class")
        if not _is_collected(resolver, symbol):
            continue
        around = [node for name in _SET_UPS if (node := resolver.member(symbol, name))]
        seen: set[str] = set()
        for base in resolver.project.symbols.ancestors(symbol):
            for name in resolver.owned.get(base, ()):
                if name.startswith("test") and name not in seen:
                    seen.add(name)
                    line = resolver.project.symbols.files[base.module].functions[f"{base.name}.{name}"].line
                    test = f"{path}::{found.name.replace('.', '::')}::{name}"
                    yield _entry(path, test, f"{base.dotted}.{name}", line), [*around, symbol.dotted]


def _entry(path: str, name: str, node: str, line: int) -> Entry:
    return Entry(kind="test", name=name, node=f"test {name}", starts=node, path=path, line=line)


def _is_collected(resolver: Resolver, symbol: Symbol) -> bool:
    if symbol.name.rpartition(".")[2].startswith("Test"):
        return True
    return any(
        base.kind == "outside" and base.name.endswith(("TestCase", "TestCaseBase"))
        for base in resolver.project.symbols.ancestors(symbol)
    )


class _Fixtures:
    """Those of pytest, by the folders that they are for."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._known: dict[tuple[str, str], str] = {}
        """(path of the module, or its folder for a conftest, and name) to the fixture's node."""
        self._automatic: dict[str, list[str]] = {}
        for module, file in resolver.project.symbols.files.items():
            for function in file.functions.values():
                if (decorator := _fixture(function)) is not None:
                    given = decorator.steps[-1].keywords.get("name")
                    name = given if isinstance(given, str) else function.name.rpartition(".")[2]
                    self._known[_place(file), name] = f"{module}.{function.name}"
                    if decorator.steps[-1].keywords.get("autouse") is True:
                        self._automatic.setdefault(_place(file), []).append(f"{module}.{function.name}")

    def of(self, file: File, function: Function) -> Iterator[str]:
        """The fixtures that a test, or another fixture, asks for."""
        asked = list(function.parameters)
        for decorator in function.decorators:
            if decorator.steps[-1].name == "usefixtures":
                asked += [str(argument) for argument in decorator.steps[-1].args]
        own = f"{file.module.name}.{function.name}"
        for name in asked:
            found = (self._known.get((place, name)) for place in _places(file))
            node = next((one for one in found if one and one != own), "")
            yield from [node] if node else self._resolver.by_name(file, name)

    def automatic(self, file: File) -> Iterator[str]:
        """Those that every test of a file has."""
        for place in _places(file):
            yield from self._automatic.get(place, ())


def _fixture(function: Function) -> Chain | None:
    return next((one for one in function.decorators if one.steps[-1].name.endswith("fixture")), None)


def _place(file: File) -> str:
    path = file.module.path
    return path.rpartition("/")[0] + "/" if path.endswith("conftest.py") else path


def _places(file: File) -> Iterator[str]:
    """The module itself, then folders from the innermost on."""
    yield file.module.path
    parts = file.module.path.split("/")[:-1]
    for length in range(len(parts), -1, -1):
        yield "/".join(parts[:length]) + "/"


def _paths(file: File) -> Iterator[tuple[str, str]]:
    """(scope, text) of all texts that look like paths, also in the parameters of a test."""
    yield from file.facts.paths
    for function in file.functions.values():
        for decorator in function.decorators:
            for part in parts_of(decorator.steps):
                if isinstance(part, str) and not isinstance(part, Named) and part.startswith("/"):
                    yield function.name, part


def _of_path(text: str, patterns: Iterable[tuple[str, str]], admin: Mapping[str, str]) -> list[str]:
    """The routes that a path leads to: those that fit it best, where several do."""
    path = re.split(r"[?#]", text, maxsplit=1)[0].split("/")
    fits: dict[int, list[str]] = {}
    for pattern, node in patterns:
        parts = pattern.split("/")
        if len(parts) == len(path):
            marks = [_fit(given, wanted) for given, wanted in zip(path, parts, strict=True)]
            if None not in marks:
                fits.setdefault(sum(mark for mark in marks if mark), []).append(node)
    if fits:
        return fits[min(fits)]
    labels = (f"{app}.{model}" for app, model in pairwise(path))
    return [admin[label] for label in labels if label in admin]


def _fit(given: str, wanted: str) -> int | None:
    """0 for a good fit, 1 for a possible one, None for none."""
    if wanted.startswith("<"):
        return None if not given else 0 if _HOLE in given else 1
    if given == wanted:
        return 0
    holes = re.escape(given).replace(re.escape(_HOLE), ".*")
    return 2 if _HOLE in given and re.fullmatch(holes, wanted) else None


def _reversed(chain: Chain) -> Iterator[str]:
    """Names of routes that are asked for their paths, wherever in a chain."""
    for part in parts_of(chain.steps):
        for step in part if isinstance(part, list) else ():
            if step.name in _REVERSES and step.args and isinstance(step.args[0], str):
                yield step.args[0]


def _of_name(name: str, by_name: Mapping[str, list[str]], admin: Mapping[str, str]) -> list[str]:
    """The routes of that name, or the admin's page in "admin:app_model_change"."""
    if name.startswith("admin:"):
        parts = name.removeprefix("admin:").split("_")
        labels = (f"{'_'.join(parts[:n])}.{'_'.join(parts[n:-1])}" for n in range(1, len(parts)))
        return [admin[label] for label in labels if label in admin]
    return by_name.get(name) or by_name.get(name.rpartition(":")[2], [])
