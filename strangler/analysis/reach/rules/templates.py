"""Which code renders which template, and what templates use: each other, tags, filters, methods of what they show."""

from __future__ import annotations

import re
from collections.abc import Iterator

from strangler.analysis.facts import Named, Value
from strangler.analysis.project import Project
from strangler.analysis.reach.resolving import Resolver, parts_of
from strangler.analysis.reach.usage import Usage, template
from strangler.analysis.symbols import File, Symbol
from strangler.analysis.tags import braces, tags

_TAGS = frozenset({"include", "extends", "from", "import"})
_QUOTED = re.compile(r"""["']([^"']+)["']""")
_ATTRIBUTE = re.compile(r"\.([A-Za-z_]\w*)")
_WORD = re.compile(r"\w+")
_GENERIC = {
    "ListView": "list",
    "DetailView": "detail",
    "CreateView": "form",
    "UpdateView": "form",
    "DeleteView": "confirm_delete",
}
"""How generic views call the templates that nobody names."""


def find(usage: Usage, resolver: Resolver, file: File) -> None:
    """Templates that the code of a file names, or that its generic views are known to use."""
    for chain in file.facts.chains:
        for value in (*chain.steps[-1].args, *chain.steps[-1].keywords.values()):
            _named(usage, resolver, resolver.scope(file, chain.scope), value)
    for name, value in file.facts.assigned.items():
        _named(usage, resolver, f"{file.module.name}.{name}", value)
    for function in file.functions.values():
        for decorator in function.decorators:
            _named(usage, resolver, f"{file.module.name}.{function.name}", tuple(decorator.steps[-1].args))
    for found in file.classes.values():
        symbol = Symbol(file.module.name, found.name, "class")
        for value in found.attributes.values():
            _named(usage, resolver, symbol.dotted, value)
        usage.add(symbol.dotted, *_generic(resolver, symbol))


def of_templates(usage: Usage, resolver: Resolver) -> None:
    """What all templates use. Each uses the settings of all, too, where context processors are named."""
    project = resolver.project
    libraries = dict(_libraries(project))
    for path, name in resolver.templates.items():
        node = template(name)
        usage.places[node] = (path, 1)
        usage.beside[node] = set(resolver.settings.get("TEMPLATES", ()))
        text = project.tree.text(path)
        words = set(_WORD.findall(text))
        for _, tag, rest in tags(text):
            if tag == "load":
                names = rest.partition(" from ")[2].split() or rest.split()
                for library in names:
                    usage.add(node, *(one for word, one in libraries.get(library, ()) if word in words))
            elif tag in _TAGS and (quoted := _QUOTED.search(rest)) is not None:
                usage.add(node, *([template(quoted[1])] if quoted[1] in resolver.template_names else []))
        shown = {found for _, _, inside in braces(text) for found in _ATTRIBUTE.findall(inside)}
        if called := shown & resolver.methods:
            usage.names[node] = called | {f"{name}()" for name in called}


def _named(usage: Usage, resolver: Resolver, node: str, value: Value) -> None:
    for part in parts_of(value):
        if isinstance(part, str) and not isinstance(part, Named) and part in resolver.template_names:
            usage.add(node, template(part))


def _generic(resolver: Resolver, symbol: Symbol) -> Iterator[str]:
    label = resolver.project.following.class_model(symbol).lower()
    outside = {base.name.rpartition(".")[2] for base in resolver.project.symbols.ancestors(symbol)}
    for view in outside & set(_GENERIC) if label else ():
        name = f"{label.replace('.', '/')}_{_GENERIC[view]}.html"
        if name in resolver.template_names:
            yield template(name)


def _libraries(project: Project) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """(library, its tags and filters as (name in templates, node))."""
    for module, file in project.symbols.files.items():
        if "templatetags" in module.split(".")[:-1]:
            found = []
            for function in file.functions.values():
                for decorator in function.decorators:
                    call = decorator.steps[-1]
                    given = call.keywords.get("name", call.args[0] if call.args else None)
                    is_name = isinstance(given, str) and not isinstance(given, Named) and _WORD.fullmatch(given)
                    found.append((str(given) if is_name else function.name, f"{module}.{function.name}"))
            yield module.rpartition(".")[2], found
