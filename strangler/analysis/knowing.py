"""Apps, models and routes of a project, from its files, and corrected by Django's registries where they were asked."""

from __future__ import annotations

from dataclasses import dataclass

from strangler.analysis.apps import Apps, find_apps
from strangler.analysis.correcting import true_apps, true_models, true_routes
from strangler.analysis.differing import Difference, of_models, of_routes
from strangler.analysis.models import Registry
from strangler.analysis.registering import find_models
from strangler.analysis.routes import Route, find_routes
from strangler.analysis.symbols import Symbols
from strangler.analysis.truth import Truth


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is taken for true. "differences" are those between the registries and the files."""

    apps: Apps
    registry: Registry
    routes: tuple[Route, ...]
    differences: tuple[Difference, ...] = ()


def know(symbols: Symbols, truth: Truth | None) -> Known:
    """By the files alone where there is no truth; also the routes where that has none."""
    apps = find_apps(symbols)
    files = Known(apps=apps, registry=find_models(symbols, apps), routes=tuple(find_routes(symbols)))
    if truth is None:
        return files
    apps = true_apps(apps, symbols, truth)
    registry = true_models(find_models(symbols, apps, truth.user), truth)
    differences = [of_models(registry, files.registry, (model.label for model in truth.models))]
    routes = files.routes
    if truth.routes is not None:
        routes = true_routes(routes, symbols, truth.routes)
        differences.append(of_routes(routes, files.routes))
    return Known(apps=apps, registry=registry, routes=routes, differences=tuple(differences))
