"""Other apps by names in texts: permissions, content types, and dotted names of classes and functions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.facts import Chain, Named, Value
from strangler.analysis.project import Place, Project
from strangler.analysis.symbols import File, Symbol
from strangler.analysis.tasks import is_task

_ASKED = frozenset(
    {"has_perm", "has_perms", "ahas_perm", "ahas_perms", "permission_required", "with_perm", "assign_perm"}
    | {"remove_perm", "get_objects_for_user"}
)
_PERMISSION = re.compile(r"(\w+)\.(\w+)")
_LOADERS = frozenset({"import_string", "import_module", "get_class", "get_classes"})


def find(project: Project, file: File) -> Iterator[Coupling]:
    """Those of the file's calls, classes and texts."""
    if file.module.is_migration:
        return
    for chain in file.facts.chains:
        call, at = chain.steps[-1], Place(file, chain.line, chain.scope)
        if call.called and call.name in _ASKED:
            for value in call.args:
                yield from _permissions(project, at, value)
        yield from _content_types(project, at, chain)
    for found in file.classes.values():
        if (value := found.attributes.get("permission_required")) is not None:
            at = Place(file, found.lines["permission_required"], found.name)
            yield from _permissions(project, at, value)
    yield from _dotted(project, file)


def _permissions(project: Project, at: Place, value: Value) -> Iterator[Coupling]:
    for text in value if isinstance(value, tuple) else (value,):
        match = _PERMISSION.fullmatch(text) if isinstance(text, str) and not isinstance(text, Named) else None
        if match is not None and project.apps.labelled(match[1]) is not None:
            yield from project.coupling(Kind.PERMISSION, at, match[1], match[0])


def _content_types(project: Project, at: Place, chain: Chain) -> Iterator[Coupling]:
    """A model whose rows somebody keys to, or looks up, by its content type."""
    call, names = chain.steps[-1], [step.name for step in chain.steps]
    if not call.called or "ContentType" not in names:
        return
    labels = []
    if call.name in ("get_for_model", "get_for_models"):
        labels = [project.following.model_of(at.file, value, chain.scope) for value in call.args]
    elif call.name == "get_by_natural_key" and len(call.args) > 1:
        labels = [project.registry.find(f"{call.args[0]}.{call.args[1]}")]
    elif {"app_label", "model"} <= set(call.keywords):
        labels = [project.registry.find(f"{call.keywords['app_label']}.{call.keywords['model']}")]
    for label in labels:
        if label in project.registry.models:
            app = project.app_of_model(label)
            yield from project.coupling(Kind.GENERIC_KEY, at, app, label, "by its content type")


def _dotted(project: Project, file: File) -> Iterator[Coupling]:
    """Texts that are the whole name of a class or function, as in MIDDLEWARE; an app's own configuration is no tie."""
    loaded = {
        (chain.line, value) for chain in file.facts.chains if chain.steps[-1].name in _LOADERS
        for value in chain.steps[-1].args if isinstance(value, str)
    }  # fmt: skip
    for line, scope, text in file.facts.dotted:
        if (line, text) in loaded:
            continue
        symbol = project.symbols.find(project.tasks.get(text, text))
        is_there = symbol.kind in ("class", "function") or project.symbols.named(text) is not None
        if is_there and not _is_config(project, symbol):
            app, at = project.apps.of(symbol.module).label, Place(file, line, scope)
            function = project.symbols.file_of(symbol).functions.get(symbol.name)
            if function is not None and is_task(function):
                yield from project.coupling(Kind.TASK, at, app, symbol.dotted, text if text in project.tasks else "")
            else:
                yield from project.coupling(Kind.STRING_IMPORT, at, app, symbol.module, symbol.name)


def _is_config(project: Project, symbol: Symbol) -> bool:
    return any(base.name.endswith("AppConfig") for base in project.symbols.ancestors(symbol)[1:])
