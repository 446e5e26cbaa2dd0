"""What migrations need of other apps: theirs before, their rows and tables, their code.

It runs once a database, but on every new one again, in tests too.
"""

from __future__ import annotations

from collections.abc import Iterator

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.facts import Named
from strangler.analysis.project import Place, Project
from strangler.analysis.rules.statements import tables
from strangler.analysis.symbols import File


def find(project: Project, file: File) -> Iterator[Coupling]:
    """Dependencies, models that are loaded, tables that statements name, modules that are imported."""
    if not file.module.is_migration:
        return
    yield from _waits(project, file)
    for chain in file.facts.chains:
        call = next((step for step in chain.steps if step.name == "get_model" and step.called), None)
        texts = [arg for arg in call.args if isinstance(arg, str) and not isinstance(arg, Named)] if call else []
        label = project.registry.find(".".join(texts[:2])) if texts else ""
        if label in project.registry.models and call is not None:
            at = Place(file, call.line or chain.line, chain.scope)
            yield from project.coupling(Kind.MIGRATION, at, project.app_of_model(label), label, "its rows")
    for line, scope, text in file.facts.sql:
        for table in sorted(tables(text) & project.tables.keys()):
            label, at = project.tables[table], Place(file, line, scope)
            yield from project.coupling(Kind.MIGRATION, at, project.app_of_model(label), label, f"its table {table}")
    for imported in file.facts.imports:
        symbol = project.symbols.find(imported.target)
        if symbol.kind != "outside" and imported.where != "name":
            app = project.apps.of(symbol.module).label
            yield from project.coupling(Kind.MIGRATION, Place(file, imported.line), app, symbol.module, "its code")


def _waits(project: Project, file: File) -> Iterator[Coupling]:
    for found in file.classes.values():
        for attribute in ("dependencies", "run_before") if found.name == "Migration" else ():
            value = found.attributes.get(attribute)
            for part in value if isinstance(value, tuple) else ():
                if isinstance(part, tuple) and len(part) == 2 and isinstance(part[0], str):
                    app = str(part[0])
                    if project.apps.labelled(app) is not None:
                        at = Place(file, found.lines[attribute])
                        yield from project.coupling(Kind.MIGRATION, at, app, f"{app}.{part[1]}")
