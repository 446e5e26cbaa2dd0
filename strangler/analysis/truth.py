"""What Django's registries said, as values. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class TrueRelation:
    """A field that refers to another model, as models.Relation has it. "table" is a many-to-many's own."""

    name: str
    kind: str
    target: str = ""
    on_delete: str = ""
    accessor: str = ""
    query: str = ""
    through: str = ""
    table: str = ""
    column: str = ""
    constrained: bool = True
    parent: bool = False


@dataclass(frozen=True, kw_only=True)
class TrueModel:
    """A model of the registry; "columns" and "relations" are those of its own table."""

    label: str
    module: str
    name: str
    table: str
    proxy: bool
    managed: bool
    swapped: str
    key: str
    parents: Sequence[str]
    managers: Sequence[str]
    columns: Sequence[str]
    relations: Sequence[TrueRelation]


@dataclass(frozen=True, kw_only=True)
class TrueRoute:
    """A route. "pieces" are (kind, text) from the root on; "apps" are the app names of its namespaces."""

    urlconf: str
    pieces: Sequence[tuple[str, str]]
    name: str
    namespaces: Sequence[str]
    apps: Sequence[str]
    module: str
    view: str
    is_api: bool


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """A function that listens to a signal; of one model's rows, or of any where "sender" is empty."""

    signal: str
    sender: str
    module: str
    name: str


@dataclass(frozen=True, kw_only=True)
class AdminPage:
    """A class that shows a model on the staff's pages."""

    model: str
    module: str
    name: str


@dataclass(frozen=True, kw_only=True)
class TrueTask:
    """A Celery task by its name, and its function."""

    task: str
    module: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Truth:
    """All of the registries. "routes" is None where the URL modules could not be loaded."""

    django: str
    user: str
    apps: Mapping[str, str]
    """Packages by labels."""
    models: Sequence[TrueModel]
    receivers: Sequence[Receiver]
    admin: Sequence[AdminPage]
    tasks: Sequence[TrueTask]
    routes: Sequence[TrueRoute] | None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What asking came to. "said" are sentences for whoever asked; "key" stands for all of the answer."""

    truth: Truth | None
    said: tuple[str, ...]
    key: bytes


def parse(found: Mapping[str, Any]) -> Truth:
    """The registries in what the probe wrote. Raises ValueError where it is anything else."""
    try:
        routes = found.get("routes")
        return Truth(
            django=str(found["django"]),
            user=str(found["user"]),
            apps={str(app["label"]): str(app["package"]) for app in found["apps"]},
            models=tuple(
                _made(TrueModel, {**model, "relations": tuple(_made(TrueRelation, one) for one in model["relations"])})
                for model in found["models"]
            ),
            receivers=tuple(_made(Receiver, one) for one in found["receivers"]),
            admin=tuple(_made(AdminPage, one) for one in found["admin"]),
            tasks=tuple(_made(TrueTask, one) for one in found["tasks"]),
            routes=None if routes is None else tuple(_made(TrueRoute, one) for one in routes),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no registries: {error!r}") from error


def _made(what: type[T], given: Mapping[str, Any]) -> T:
    """A value of these fields, each of the plain type that it is declared with."""
    for one in fields(what):  # type: ignore[arg-type]
        expected = {"str": str, "bool": bool}.get(str(one.type), list | tuple)
        if one.name in given and not isinstance(given[one.name], expected):
            raise TypeError(f"{one.name} is {given[one.name]!r}")
    return what(**given)
