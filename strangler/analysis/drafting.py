"""A plan to start with, for a seam: its operations in order, and what they leave to a person. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from strangler.analysis.advice import ADVICE
from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.deletions import OURS, Key
from strangler.analysis.graph import Graph
from strangler.analysis.mapping import Map
from strangler.analysis.models import Relation
from strangler.analysis.project import ModelSummary
from strangler.analysis.routes import Route, whole_routes
from strangler.analysis.seams import Seam

_NUMBERED = re.compile(r"(\d{4})_\w+")
_KEYS = ("foreign key", "one-to-one")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A plan's text, its operations as they stand there, and what has to be done beside it, each with its line."""

    text: str
    operations: tuple[str, ...]
    tasks: tuple[str, ...]
    keys: tuple[Key, ...]
    """Those of its own whose on_delete would reach over the border, and does not with one of strangler.deletion."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A key over the border, as CutForeignKey wants it."""

    model: ModelSummary
    relation: Relation
    migration: str
    """Empty where the database knows of no constraint."""

    def __str__(self) -> str:
        arguments = [f'"{self.model.label}.{self.relation.name}"', f'keep="{self.relation.column}"']
        if self.migration:
            arguments.append(f'migration="{self.migration}"')
        return f"CutForeignKey({', '.join(arguments)})"


def draft(found: Map, graph: Graph, seam: Seam, service: str) -> Draft:
    """The plan of a seam that becomes a service. Raises ValueError where it has no tables."""
    if not seam.models:
        raise ValueError(f'seam "{seam.name}" has no tables, so there is nothing to own; route to it, or call it')
    models = {model.label: model for model in found.summary.models}
    mine = [models[label] for label in seam.models]
    cuts = list(_cuts(found, models, seam))
    copies = [_copy(models[label], seam) for label in seam.replicated if label in models and models[label].owns]
    moved = [*(model.label for model in mine if model.owns), *_hidden(mine, seam)]
    patterns, pages = _patterns(found, seam)
    operations = [
        *map(str, cuts),
        *copies,
        f"MoveTables({_list(moved)})",
        *([f"MoveRoutes({_list(patterns)}, canary=[100, 1_000, 5_000], hold=60, patience=3_600)"] if patterns else []),
        *([f"RetireTables({_list(moved)})"] if patterns else []),
    ]
    return Draft(
        text=_text(seam, service, operations),
        operations=tuple(operations),
        tasks=tuple(_tasks(found, seam, cuts, pages)),
        keys=tuple(_keys(found, seam, cuts)),
    )


def _cuts(found: Map, models: dict[str, ModelSummary], seam: Seam) -> Iterator[Cut]:
    for label, model in sorted(models.items()):
        for relation in model.relations:
            over = (label in seam.models) != (relation.target in seam.models)
            if over and relation.kind in _KEYS and relation.target and not relation.parent:
                migration = _next_migration(found, model.app) if relation.constrained else ""
                yield Cut(model=model, relation=relation, migration=migration)
            elif relation.kind == "generic key" and label in seam.models:
                yield Cut(model=model, relation=relation, migration="")


def _next_migration(found: Map, app: str) -> str:
    """The name of the migration that "cutforeignkeys" is to write, behind the app's last one."""
    names = (module.name.rpartition(".")[2] for module in found.summary.modules if module.app == app and module.test)
    numbers = [int(match[1]) for name in names if (match := _NUMBERED.fullmatch(name))]
    return f"{max(numbers, default=0) + 1:04}_cut_foreign_keys"


def _copy(model: ModelSummary, seam: Seam) -> str:
    """The key, and the columns that queries over the border speak of."""
    paths = " ".join(coupling.detail for coupling in seam.out if coupling.target == model.label)
    words = set(re.findall(r"[a-z_]+", paths.replace("__", " ")))
    columns = [model.key, *(column for column in model.columns if column in words and column != model.key)]
    return f'ReplicateTable("{model.label}", columns={_list(columns)})'


def _hidden(mine: Sequence[ModelSummary], seam: Seam) -> list[str]:
    """The tables of many-to-many fields within the seam that have no model."""
    return [
        f"{model.label}_{relation.name}"
        for model in mine
        for relation in model.relations
        if relation.kind == "many-to-many" and relation.target in seam.models and not relation.through
    ]


def _patterns(found: Map, seam: Seam) -> tuple[list[str], list[Route]]:
    """(the shortest patterns below which only the seam's routes lie, routes that are left to a person)."""
    routes = whole_routes(found.summary.routes)
    mine = [route for route in routes if route.view.rpartition(".")[0] in seam.nodes]
    others = [_parts(route.pattern) for route in routes if route not in mine]
    chosen = [route for route in mine if route.is_api] or mine
    patterns: dict[tuple[str, ...], str] = {}
    for route in chosen:
        if pattern := _shortest(route.pattern, others):
            patterns.setdefault(_parts(pattern), pattern)
    shortest = [one for one in patterns if not any(one != other and one[: len(other)] == other for other in patterns)]
    left = [route for route in mine if not any(_parts(route.pattern)[: len(one)] == one for one in shortest)]
    return sorted(patterns[one] for one in shortest), left


def _shortest(pattern: str, others: Sequence[tuple[str, ...]]) -> str:
    parts = pattern.strip("/").split("/") if pattern.strip("/") else []
    for length in range(1, len(parts) + 1):
        shape = _parts("/".join(parts[:length]))
        if not parts[length - 1].startswith("<") and not any(other[:length] == shape for other in others):
            return f"/{'/'.join(parts[:length])}/"
    return ""


def _parts(pattern: str) -> tuple[str, ...]:
    return tuple("<>" if part.startswith("<") else part for part in pattern.strip("/").split("/"))


def _tasks(found: Map, seam: Seam, cuts: Sequence[Cut], pages: Sequence[Route]) -> Iterator[str]:
    paths = {module.name: module.path for module in found.summary.modules}
    for cut in cuts:
        if cut.relation.on_delete not in ("", "DO_NOTHING"):
            where = f"{paths[cut.relation.module]}:{cut.relation.line}: {cut.model.label}.{cut.relation.name}"
            yield f"{where} has on_delete {cut.relation.on_delete}, {_instead(cut, seam)}"
    for coupling in (*seam.into, *seam.out):
        if (advice := ADVICE.get(coupling.kind)) is not None and not is_resolved(coupling, seam):
            yield f"{coupling}: {advice}"
    for name, function in sorted(found.summary.tasks.items()):
        module = function.rpartition(".")[0]
        if module in seam.nodes:
            yield f'{paths[module]}: the task "{name}" is its own; if the service runs it, MoveTask behind MoveRoutes'
    for route in pages:
        where = f"{paths[route.module]}:{route.line}: {route.pattern or 'a route'} ({route.view})"
        yield f"{where} stays with the monolith; move it if the service renders it"


def _instead(cut: Cut, seam: Seam) -> str:
    """What a key over the border has instead of Django's own on_delete."""
    if cut.model.label not in seam.models:
        return "and nobody would tell it of a deletion over there: give it one of your own, and let the service tell"
    if (ours := OURS.get(cut.relation.on_delete)) is not None:
        return f"which cannot reach over the border: strangler.deletion.{ours} can"
    return "which would have to know the rows over there before: decide what else becomes of them"


def _keys(found: Map, seam: Seam, cuts: Sequence[Cut]) -> Iterator[Key]:
    paths = {module.name: module.path for module in found.summary.modules}
    for cut in cuts:
        relation = cut.relation
        if cut.model.label in seam.models and relation.stated and relation.on_delete in OURS:
            path, line = paths[relation.module], relation.line
            yield Key(path=path, line=line, name=relation.name, on_delete=relation.on_delete)


def is_resolved(coupling: Coupling, seam: Seam) -> bool:
    """A read of a table that the plan copies needs no more than the copy."""
    return coupling.kind is Kind.READ and coupling.target in seam.replicated and coupling in seam.out


def _text(seam: Seam, service: str, operations: Sequence[str]) -> str:
    names = sorted({operation.partition("(")[0] for operation in operations})
    lines = [
        f'"""{", ".join(seam.models)} leave for a service of their own. Drafted; read every line."""',
        "",
        "from strangler import plans",
        "from strangler.plans.operations import (",
        *(f"    {name}," for name in names),
        ")",
        "",
        "",
        "class Plan(plans.Plan):",
        f'    service = "{service}"',
        "    dependencies = []",
        "    operations = [",
        *(f"        {operation}," for operation in operations),
        "    ]",
        "",
    ]
    return "\n".join(lines)


def _list(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"
