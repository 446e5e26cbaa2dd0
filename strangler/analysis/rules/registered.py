"""What Django's registries know beyond the files: receivers and admin pages connected by a loop or a helper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from strangler.analysis.correcting import symbol_of
from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.project import Place, Project
from strangler.analysis.symbols import Symbol


def find(project: Project, stated: Iterable[Coupling]) -> Iterator[Coupling]:
    """Those that no line of the same file states, at the receiver's or the page's own line."""
    truth = project.truth
    if truth is None:
        return
    known = {(found.kind, found.path, found.target) for found in stated}
    registered = [
        *((Kind.SIGNAL, one.sender, one.module, one.name, f"receives {one.signal}") for one in truth.receivers),
        *((Kind.ADMIN, one.model, one.module, one.name, "") for one in truth.admin),
    ]
    for kind, model, module, name, detail in registered:
        symbol = symbol_of(project.symbols, module, name) if model else None
        if symbol is not None and symbol.kind != "made":
            at = _place(project, symbol)
            if (kind, at.file.module.path, model) not in known:
                yield from project.coupling(kind, at, project.app_of_model(model), model, detail)


def _place(project: Project, symbol: Symbol) -> Place:
    file = project.symbols.file_of(symbol)
    line = (file.classes if symbol.kind == "class" else file.functions)[symbol.name].line
    return Place(file, line, symbol.name)
