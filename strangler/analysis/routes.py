"""The routes of a project, their names and whole patterns, as its URL modules say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from strangler.analysis.facts import Chain, Named, Step, Value
from strangler.analysis.guessing import class_at
from strangler.analysis.symbols import File, Symbol, Symbols

_MAKERS = frozenset({"path", "re_path", "url"})
_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")
_GROUP = re.compile(r"\(\?P<(\w+)>(?:[^()\\\[]|\\.|\[[^\]]*\])*\)")
_PLAIN = re.compile(r"(?:/|/(?:[A-Za-z0-9._~-]+|<[a-z_][a-z0-9_]*>)(?:/(?:[A-Za-z0-9._~-]+|<[a-z_][a-z0-9_]*>))*/?)")
_DEEPEST = 12


@dataclass(frozen=True, kw_only=True)
class Route:
    """One path of a URL module. "name" has the module's app_name before it, as in "shop:product"."""

    module: str
    line: int
    pattern: str
    """As it stands there; whole, from "/" on, in what whole_routes gives, or empty where it cannot be told."""
    name: str
    view: str
    """The dotted name of the view; empty where another module is included."""
    included: str = ""
    """The module that is included; with "#router" behind it where it is a router of that module."""
    router: str = ""
    """The router that a view is registered with."""
    space: str = ""
    """The namespaces that an include gives to its names, as in "shop:orders:"."""
    is_api: bool = False
    """Whether the view is one of Django REST framework's: it answers programs, not people."""


def find_routes(symbols: Symbols) -> Iterator[Route]:
    """Those of all modules that make paths, as they stand there."""
    for file in symbols.files.values():
        if any(name in _MAKERS for name in file.imports) or any("outer" in name for name in file.facts.assigned):
            yield from _of(symbols, file)


def whole_routes(routes: Iterable[Route]) -> list[Route]:
    """Those with a view, with their whole patterns, under every module that includes them."""
    by_module, roots = _tree(routes)
    return [found for root in roots for found in _below(by_module, root, "", 0)]


def _tree(routes: Iterable[Route]) -> tuple[dict[str, list[Route]], list[str]]:
    """(routes by their module or router, the modules that no other one includes)."""
    by_module: dict[str, list[Route]] = {}
    for route in routes:
        by_module.setdefault(f"{route.module}#{route.router}" if route.router else route.module, []).append(route)
    included = {route.included for of_module in by_module.values() for route in of_module if route.included}
    return by_module, [module for module in by_module if module not in included and "#" not in module]


def by_name(routes: Iterable[Route]) -> Iterator[tuple[str, Route]]:
    """Every name that a route may be asked for by, in the namespaces of what includes it and as it stands."""
    by_module, roots = _tree(routes)
    for root in roots:
        yield from _named(by_module, root, "", 0)
    yield from ((route.name, route) for of_module in by_module.values() for route in of_module if route.name)


def _named(by_module: Mapping[str, list[Route]], module: str, prefix: str, depth: int) -> Iterator[tuple[str, Route]]:
    for route in by_module.get(module, ()) if depth <= _DEEPEST else ():
        if route.included:
            yield from _named(by_module, route.included, prefix + route.space, depth + 1)
        elif route.name and prefix:
            yield prefix + route.name, route
            yield prefix + route.name.rpartition(":")[2], route


def _below(by_module: dict[str, list[Route]], module: str, prefix: str, depth: int) -> Iterator[Route]:
    if depth > _DEEPEST:
        return
    for route in by_module.get(module, ()):
        pattern = prefix + readable(route.pattern)
        if route.included:
            yield from _below(by_module, route.included, pattern, depth + 1)
        elif route.view:
            whole = "/" + pattern
            yield replace(route, pattern=whole if _PLAIN.fullmatch(whole) else "")


def readable(pattern: str, kind: str = "") -> str:
    """A path's or a regular expression's pattern with placeholders like "<pk>"; "kind" says which, if known."""
    if kind == "locale":
        return "<language>/"
    if kind == "route" or (not kind and not pattern.startswith("^") and "(?P<" not in pattern):
        return _CONVERTER.sub(r"<\1>", pattern)
    return _GROUP.sub(r"<\1>", pattern.removeprefix("^")).removesuffix("$").removesuffix("/?") + (
        "/" if pattern.endswith("/?$") else ""
    )


def _of(symbols: Symbols, file: File) -> Iterator[Route]:
    space = file.facts.assigned.get("app_name")
    prefix = f"{space}:" if _is_text(space) else ""
    for chain in file.facts.chains:
        call = chain.steps[-1]
        if not call.called:
            continue
        if len(chain.steps) == 1 and call.name in _MAKERS and (call.args or "route" in call.keywords):
            yield _made(symbols, file, chain, prefix)
        elif call.name == "register" and len(chain.steps) == 2 and len(call.args) > 1 and _is_text(call.args[0]):
            yield Route(
                module=file.module.name,
                line=chain.line,
                pattern=f"{call.args[0]}/",
                name="",
                view=_view(symbols, file, call.args[1], chain.scope),
                router=chain.steps[0].name,
                is_api=True,
            )


def _made(symbols: Symbols, file: File, chain: Chain, prefix: str) -> Route:
    call = chain.steps[-1]
    pattern, name = call.args[0] if call.args else call.keywords["route"], call.keywords.get("name")
    given = call.args[1] if len(call.args) > 1 else call.keywords.get("view")
    view = _view(symbols, file, given, chain.scope)
    prefix = _space(symbols, file, chain.scope) or prefix
    return Route(
        module=file.module.name,
        line=chain.line,
        pattern=pattern if isinstance(pattern, str) else "",
        name=f"{prefix}{name}" if _is_text(name) else "",
        view=view,
        included=_included(symbols, file, given, chain.scope),
        space=prefix + _given_space(given),
        is_api=_is_api(symbols, view),
    )


def _space(symbols: Symbols, file: File, scope: str) -> str:
    """The namespace of a class that makes routes of its own, as some projects' AppConfigs do."""
    owner = class_at(file, scope)
    for base in symbols.ancestors(owner) if owner is not None else ():
        space = symbols.class_of(base).attributes.get("namespace") if base.kind == "class" else None
        if _is_text(space):
            return f"{space}:"
    return ""


def _given_space(view: Value) -> str:
    """The namespace of include(..., namespace="shop") and include((..., "shop"))."""
    if not isinstance(view, list) or view[-1].name != "include" or not view[-1].args:
        return ""
    given = view[-1].args[0]
    space = view[-1].keywords.get("namespace") or (given[1] if isinstance(given, tuple) and len(given) > 1 else None)
    return f"{space}:" if _is_text(space) else ""


def _view(symbols: Symbols, file: File, view: Value, scope: str) -> str:
    names = str(view) if isinstance(view, Named) else ".".join(_uncalled(view)) if isinstance(view, list) else ""
    symbol = symbols.find_in(file.module.name, names) if names else Symbol("", "", "outside")
    if names.startswith("self."):
        symbol = symbols.loaded(_own(symbols, file, scope, names.removeprefix("self."))) or symbol
    return symbol.dotted if symbol.kind in ("class", "function") else ""


def _own(symbols: Symbols, file: File, scope: str, name: str) -> Value:
    """What a method of the class assigns to an attribute of self."""
    owner = class_at(file, scope)
    for base in symbols.ancestors(owner) if owner is not None else ():
        if base.kind == "class" and (assigned := symbols.class_of(base).own.get(name)) is not None:
            return assigned.steps
    return None


def _is_api(symbols: Symbols, view: str) -> bool:
    symbol = symbols.find(view) if view else Symbol("", "", "outside")
    if symbol.kind == "class":
        return any("rest_framework" in base.name for base in symbols.ancestors(symbol))
    if symbol.kind != "function":
        return False
    function = symbols.file_of(symbol).functions[symbol.name]
    return any(decorator.steps[-1].name == "api_view" for decorator in function.decorators)


def _uncalled(steps: list[Step]) -> Iterator[str]:
    """The name of a view, out of View.as_view() and decorators around it."""
    for step in steps:
        if step.name == "as_view":
            return
        if step.called and step.args:
            inner = step.args[-1]
            yield from _uncalled(inner) if isinstance(inner, list) else [str(inner)] if isinstance(inner, Named) else []
            return
        yield step.name


def _included(symbols: Symbols, file: File, view: Value, scope: str) -> str:
    given = view
    if isinstance(view, list) and view[-1].name == "include" and view[-1].args:
        given = view[-1].args[0]
        given = given[0] if isinstance(given, tuple) and given else given
        if isinstance(given, str) and not isinstance(given, Named):
            found = symbols.module(given)
            return found.module.name if found is not None else ""
    name = _dotted(given)
    if given is not view and name:
        symbol = symbols.find_in(file.module.name, name)
        if symbol.kind == "module":
            return symbol.module
    if not name.endswith(".urls"):  # path("api/", router.urls)
        return ""
    return _router(symbols, file, name) or _of_config(symbols, file, scope, name.removesuffix(".urls"))


def _dotted(value: Value) -> str:
    """A name, also of the first of several, as in config.urls[0]: (patterns, app_name, namespace)."""
    if isinstance(value, list) and value[-1].name == "[]" and not any(step.called for step in value):
        return ".".join(step.name for step in value[:-1])
    return str(value) if isinstance(value, Named) else ""


def _of_config(symbols: Symbols, file: File, scope: str, name: str) -> str:
    """The module of an AppConfig that makes routes, as in path("shop/", self.shop.urls)."""
    value = _own(symbols, file, scope, name.removeprefix("self."))
    if not isinstance(value, list) or value[-1].name != "get_app_config" or not value[-1].args:
        return ""
    for module, other in symbols.files.items():
        for found in other.classes.values():
            if "name" in found.attributes and value[-1].args[0] == found.attributes.get(
                "label", found.attributes["name"]
            ):
                return module
    return ""


def _router(symbols: Symbols, file: File, given: str) -> str:
    symbol = symbols.find_in(file.module.name, given.rpartition(".")[0])
    return f"{symbol.module}#{symbol.name}" if symbol.kind == "value" else ""


def _is_text(value: Value) -> bool:
    return isinstance(value, str) and not isinstance(value, Named)
