"""How far the files alone tell what Django's registries hold: a measure of the static reading. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from strangler.analysis.models import Model, Registry
from strangler.analysis.routes import Route, whole_routes

_OF_MODEL = ("table", "key", "proxy", "managed", "parents")
_OF_RELATION = ("kind", "target", "accessor", "query", "through", "constrained", "parent")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Of "models" or "routes": how many either source has, which only one has, and what they say otherwise."""

    what: str
    registries: int
    files: int
    only_registries: tuple[str, ...]
    only_files: tuple[str, ...]
    otherwise: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"{self.what}: {self.registries} by the registries, {self.files} by the files alone"]
        for names, text in (
            (self.only_registries, "only by the registries"),
            (self.only_files, "only by the files"),
            (self.otherwise, "told otherwise by the files"),
        ):
            if names:
                shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
                parts.append(f"{len(names)} {text} ({shown})")
        return "; ".join(parts)


_SHOWN = 6


def of_models(registries: Registry, files: Registry, labels: Iterable[str]) -> Difference:
    """The project's models with rows; "labels" are those that the registries have."""
    known = set(labels)
    true = {model.label: model for model in registries.real() if model.label in known}
    static = {model.label: model for model in files.real() if not _is_test(model, files)}
    both = sorted(set(true) & set(static))
    return Difference(
        what="models",
        registries=len(true),
        files=len(static),
        only_registries=tuple(sorted(set(true) - set(static))),
        only_files=tuple(sorted(set(static) - set(true))),
        otherwise=tuple(text for label in both for text in _otherwise(true[label], static[label])),
    )


def of_routes(registries: Iterable[Route], files: Iterable[Route]) -> Difference:
    """Those whose views the project has, by whole pattern and view; "?" where the pattern cannot be told."""
    true, static = (
        {f"{route.pattern or '?'} {route.view}" for route in whole_routes(all_)} for all_ in (registries, files)
    )
    return Difference(
        what="routes",
        registries=len(true),
        files=len(static),
        only_registries=tuple(sorted(true - static)),
        only_files=tuple(sorted(static - true)),
        otherwise=(),
    )


def _is_test(model: Model, files: Registry) -> bool:
    return model.symbol is not None and files.symbols.file_of(model.symbol).module.is_test


def _otherwise(true: Model, static: Model) -> Iterator[str]:
    for name in _OF_MODEL:
        yield from _differs(f"{true.label}: {name}", getattr(true, name), getattr(static, name))
    # A key that nobody states is no column of the files.
    yield from _differs(
        f"{true.label}: columns", sorted({*true.columns} - {true.key}), sorted({*static.columns} - {true.key})
    )
    names = sorted(true.relations), sorted(static.relations)
    yield from _differs(f"{true.label}: relations", *names)
    for one in true.relations.values():
        if (other := static.relations.get(one.name)) is not None:
            for name in _OF_RELATION:
                yield from _differs(f"{true.label}.{one.name}: {name}", getattr(one, name), getattr(other, name))


def _differs(what: str, true: object, static: object) -> Iterator[str]:
    if true != static:
        yield f"{what} is {true!r}, not {static!r}"
