"""Functions, classes and assigned names that the code of a file names, and where it computes a name instead."""

from __future__ import annotations

from strangler.analysis.facts import Chain, Named, Step, Value
from strangler.analysis.reach.chains import used
from strangler.analysis.reach.resolving import Resolver, parts_of
from strangler.analysis.reach.usage import Blind, Usage
from strangler.analysis.symbols import File, Symbol

_COMPUTES = {"getattr": 1, "import_string": 0, "import_module": 0, "get_class": 0, "get_model": 0, "__import__": 0}
"""Functions that take the name of something, and which argument that is."""
_EVALUATES = frozenset({"eval", "exec", "globals"})


def find(usage: Usage, resolver: Resolver, file: File) -> None:
    """Those of chains, lone names, decorators and assigned values."""
    for chain in file.facts.chains:
        node = resolver.scope(file, chain.scope)
        _chain(usage, resolver, file, node, chain)
        _computed(usage, file, node, chain)
    for scope, name in file.facts.names:
        usage.add(resolver.scope(file, scope), *resolver.by_name(file, name))
    for _, scope, text in file.facts.dotted:
        usage.add(resolver.scope(file, scope), resolver.by_text(text))
    for function in file.functions.values():
        node = f"{file.module.name}.{function.name}"
        usage.places[node] = (file.module.path, function.line)
        outer = function.name.rpartition(".")[0]
        if outer in file.functions:
            usage.add(f"{file.module.name}.{outer}", node)
        for decorator in function.decorators:
            _value(usage, resolver, file, node, decorator.steps)
    for name, value in file.facts.assigned.items():
        if name == "urlpatterns":
            continue  # each route uses its own view
        node = f"{file.module.name}.{name}"
        usage.places.setdefault(node, (file.module.path, 1))
        _value(usage, resolver, file, node, value)


def _chain(usage: Usage, resolver: Resolver, file: File, node: str, chain: Chain) -> None:
    found = used(resolver, file, chain.scope, chain.steps)
    usage.add(node, *_not_of_models(resolver, node, file, found.nodes))
    if found.names:
        usage.names.setdefault(node, set()).update(found.names)
    last = chain.steps[-1]
    if not last.called:
        return
    if last.name == "getattr" and len(last.args) > 1 and _is_text(last.args[1]) and last.args[1] in resolver.methods:
        usage.names.setdefault(node, set()).update((str(last.args[1]), f"{last.args[1]}()"))
    if last.name in ("redirect", "resolve_url") and last.args and not _is_text(last.args[0]):
        usage.names.setdefault(node, set()).add("get_absolute_url()")


def _not_of_models(resolver: Resolver, node: str, file: File, nodes: set[str]) -> set[str]:
    """A model's keys name other models, which does not make it use them."""
    name = node.removeprefix(f"{file.module.name}.")
    if name not in file.classes or resolver.project.registry.of(Symbol(file.module.name, name, "class")) is None:
        return nodes
    find = resolver.project.symbols.find
    return {one for one in nodes if resolver.project.registry.of(find(one)) is None}


def _value(usage: Usage, resolver: Resolver, file: File, node: str, value: Value) -> None:
    for part in parts_of(value):
        if isinstance(part, Named):
            usage.add(node, *resolver.by_name(file, part))
        elif isinstance(part, str):
            usage.add(node, resolver.by_text(part))
        else:
            usage.add(node, *used(resolver, file, "", part).nodes)


def _computed(usage: Usage, file: File, node: str, chain: Chain) -> None:
    for step in chain.steps:
        if step.called and (what := _what(step)):
            usage.blind.append(Blind(path=file.module.path, line=chain.line, node=node, what=what))


def _what(step: Step) -> str:
    if step.name in _EVALUATES:
        return f"{step.name}()"
    place = _COMPUTES.get(step.name)
    if place is None or len(step.args) <= place or _is_text(step.args[place]):
        return ""
    return f"{step.name}() with a computed name"


def _is_text(value: Value) -> bool:
    return isinstance(value, str) and not isinstance(value, Named)
