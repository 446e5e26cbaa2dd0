"""Tables that code reads and writes, and what follows from saving and deleting rows."""

from __future__ import annotations

import re

from strangler.analysis.facts import Chain
from strangler.analysis.reach.resolving import Resolver
from strangler.analysis.reach.usage import Touch, Usage, model_deleted, model_saved
from strangler.analysis.rules.statements import tables
from strangler.analysis.symbols import File, Symbol
from strangler.analysis.typed import Does

_SAVES = re.compile(r"a?(save|create|get_or_create|update_or_create)\(\)")
_DELETES = re.compile(r"a?delete\(\)")
_WRITES = re.compile(r"\b(?:insert\s+into|update|delete\s+from|truncate(?:\s+table)?)\s+[\"`\[]?(\w+)", re.IGNORECASE)
_SAVING_BASES = ("Create", "Update", "ModelViewSet", "Inline", "ModelForm")
_DELETING_BASES = ("Delete", "Destroy", "ModelViewSet", "Inline")
_HAPPENS = {"save": model_saved, "delete": model_deleted}
_STAYS = frozenset({"PROTECT", "RESTRICT", "SET_NULL", "SET_DEFAULT", "DO_NOTHING", "SET"})


def find(usage: Usage, resolver: Resolver, file: File) -> None:
    """Those of the chains, classes and statements of a file."""
    for chain in file.facts.chains:
        _chain(usage, resolver, file, chain)
    for found in file.classes.values():
        _class(usage, resolver, Symbol(file.module.name, found.name, "class"))
    constants = {value: name for name, value in file.facts.assigned.items() if isinstance(value, str)}
    for line, scope, text in file.facts.sql:
        in_constant = not scope and text in constants
        node = f"{file.module.name}.{constants[text]}" if in_constant else resolver.scope(file, scope)
        written = {name.lower() for name in _WRITES.findall(text)}
        for table in tables(text):
            if (label := resolver.project.tables.get(table)) is not None:
                _touch(
                    usage, resolver, node, label, "writes" if table in written else "reads", at=(file.module.path, line)
                )


def of_all(usage: Usage, resolver: Resolver) -> None:
    """Rows that are deleted because others are."""
    for model in resolver.project.registry.real():
        for relation in model.relations.values():
            keeps = relation.on_delete in _STAYS or relation.kind not in ("foreign key", "one-to-one")
            if relation.target and not keeps:
                usage.add(model_deleted(relation.target), model_deleted(model.label))


def _chain(usage: Usage, resolver: Resolver, file: File, chain: Chain) -> None:
    node = resolver.scope(file, chain.scope)
    for use in resolver.project.following.uses(file, chain):
        does = "writes" if use.does is Does.WRITE else "reads"
        _touch(usage, resolver, node, use.model, does, at=(file.module.path, use.line or chain.line))
        if use.does is Does.WRITE and _SAVES.fullmatch(use.detail):
            usage.add(node, model_saved(use.model))
        elif use.does is Does.WRITE and _DELETES.fullmatch(use.detail):
            usage.add(node, model_deleted(use.model))
    last = chain.steps[-1]
    if len(chain.steps) == 2 and last.called and last.name in _HAPPENS and chain.steps[0].name.startswith("?"):
        wanted = chain.steps[0].name[1:].replace("_", "").lower()
        for label in resolver.called_like(wanted):
            usage.perhaps.setdefault(node, set()).add(_HAPPENS[last.name](label))
    if last.called and last.name == "save" and len(chain.steps) > 1:
        typed = resolver.project.following.type_of(file, chain.scope, chain.steps[:-1])
        if typed is not None and typed.what == "self" and typed.symbol is not None:
            label = resolver.project.following.class_model(typed.symbol)
            if label:
                _touch(usage, resolver, node, label, "writes", at=(file.module.path, chain.line))
                usage.add(node, model_saved(label))


def _class(usage: Usage, resolver: Resolver, symbol: Symbol) -> None:
    """Views, forms and admin pages that save and delete rows by what they inherit."""
    label = resolver.project.following.class_model(symbol)
    model = resolver.project.registry.models.get(label)
    if model is None:
        return
    file = resolver.project.symbols.files[symbol.module]
    line = file.classes[symbol.name].line
    outside = [base.name for base in resolver.project.symbols.ancestors(symbol) if base.kind == "outside"]
    _touch(usage, resolver, symbol.dotted, label, "reads", at=(file.module.path, line))
    if any(part in name for name in outside for part in _SAVING_BASES):
        _touch(usage, resolver, symbol.dotted, label, "writes", at=(file.module.path, line))
        usage.add(symbol.dotted, model_saved(label))
    if any(part in name for name in outside for part in _DELETING_BASES):
        usage.add(symbol.dotted, model_deleted(label))


def _touch(usage: Usage, resolver: Resolver, node: str, label: str, does: str, *, at: tuple[str, int]) -> None:
    model = resolver.project.registry.models.get(label)
    table = model.table if model is not None and model.table else label.replace(".", "_").lower()
    touch = Touch(table=table, label=label, does=does, path=at[0], line=at[1])
    usage.touches.setdefault(node, set()).add(touch)
    if model is not None and model.symbol is not None:
        usage.add(node, model.symbol.dotted)
