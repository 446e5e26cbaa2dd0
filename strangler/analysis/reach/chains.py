"""What a chain of names and calls uses: definitions by their dotted names, and methods of nobody knows what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from strangler.analysis.facts import Step
from strangler.analysis.reach.resolving import SETTINGS, Resolver
from strangler.analysis.symbols import File, Symbol
from strangler.analysis.typed import Typed


@dataclass(kw_only=True)
class Used:
    """Definitions that are used, and names of methods whose object is unknown."""

    nodes: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


def used(resolver: Resolver, file: File, scope: str, steps: Sequence[Step]) -> Used:
    """What a chain uses."""
    found = Used()
    at, number = _start(resolver, file, scope, steps, found)
    for place in range(number, len(steps)):
        step = steps[place]
        if step.name.startswith("[") or step.name == "()":
            at = None
            continue
        if at is not None:
            method = resolver.member(at, step.name)
            if method:
                found.nodes.add(method)
            elif step.name in resolver.methods and not resolver.is_framework(at):
                found.names.add(_shown(step))  # of a class that inherits from this one, perhaps
            at = None
        elif step.name in resolver.methods:
            _by_type(resolver, file, scope, steps[: place + 1], found)
    return found


def _by_type(resolver: Resolver, file: File, scope: str, steps: Sequence[Step], found: Used) -> None:
    """A method of a model or its managers, where the chain is known to stand at one; else its name alone."""
    *before, step = steps
    typed = resolver.project.following.type_of(file, scope, before)
    classes = list(_classes(resolver, typed)) if typed is not None else []
    methods = {method for symbol in classes if (method := resolver.member(symbol, step.name))}
    found.nodes |= methods
    if typed is None or not (typed.label or methods) or any(resolver.is_protocol(symbol) for symbol in classes):
        found.names.add(_shown(step))


def _classes(resolver: Resolver, typed: Typed) -> Iterator[Symbol]:
    model = resolver.project.registry.models.get(typed.label)
    if typed.what == "either":
        for part in typed.parts:
            yield from _classes(resolver, part) if part is not None else ()
    elif typed.what in ("self", "request") and typed.symbol is not None:
        yield typed.symbol
    elif typed.what == "set":
        yield from resolver.managers.get(typed.label, ())
    elif model is not None and model.symbol is not None:
        yield model.symbol


def _start(resolver: Resolver, file: File, scope: str, steps: Sequence[Step], found: Used) -> tuple[Symbol | None, int]:
    """What the chain begins with: the class of the object, where it is known, and how many steps that took."""
    first = steps[0].name
    if first in ("self", "cls", "super"):
        return resolver.owner(file, scope), 1
    if first.startswith("@"):
        symbol = resolver.project.symbols.find_in(file.module.name, first[1:])
        return (symbol if symbol.kind == "class" else None), 1
    if first.startswith("?"):
        return None, 1
    dotted, at = "", None
    nodes: list[str] = []
    for step in steps:
        if step.name.startswith("[") or step.name == "()":
            break
        longer = f"{dotted}.{step.name}" if dotted else step.name
        symbol = resolver.project.symbols.find_in(file.module.name, longer)
        if symbol.kind == "outside" and not f"{symbol.name}.".startswith(SETTINGS):
            break
        if symbol.kind == "value" and at is not None and at.kind in ("class", "value"):
            break  # an attribute of something known
        dotted, nodes, at = longer, resolver.by_name(file, longer) or nodes, symbol
        if step.called:
            break
    found.nodes.update(nodes)
    return (None, _outside(steps)) if at is None else (_instance(resolver, at), dotted.count(".") + 1)


def _instance(resolver: Resolver, symbol: Symbol) -> Symbol | None:
    """The class of what a name stands for: itself, or of the object that it was assigned."""
    if symbol.kind == "class":
        return symbol
    if symbol.kind != "value":
        return None
    where = resolver.project.symbols.files[symbol.module]
    value = where.facts.assigned.get(symbol.name)
    if isinstance(value, list) and value[-1].called and not any(step.called for step in value[:-1]):
        made = resolver.project.symbols.find_in(symbol.module, ".".join(step.name for step in value))
        return made if made.kind == "class" else None
    return None


def _shown(step: Step) -> str:
    return f"{step.name}()" if step.called else step.name


def _outside(steps: Sequence[Step]) -> int:
    """How much of a chain that begins outside of the project stays there: an object all of it, a function its call."""
    called = next((number for number, step in enumerate(steps) if step.called), len(steps) - 1)
    return len(steps) if steps[called].name[:1].isupper() else called + 1
