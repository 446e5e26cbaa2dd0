"""Routes of one app below a prefix of another's: that prefix cannot be handed over whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.project import Project
from strangler.analysis.routes import Route, whole_routes

_PAIR = 2
Parts = tuple[str, ...]


def find(project: Project) -> Iterator[Coupling]:
    """One for each route that lies between another app's, with the nearest prefix that is that app's."""
    routes = [(route, _parts(route.pattern), _app(project, route)) for route in whole_routes(project.all_routes)]
    routes = [one for one in routes if one[1]]
    owners = _owners(routes)
    paths = {name: file.module.path for name, file in project.symbols.files.items()}
    for route, parts, app in routes:
        prefix = next((parts[:n] for n in range(len(parts), 0, -1) if owners.get(parts[:n], app) != app), None)
        if prefix is not None:
            yield Coupling(
                kind=Kind.PREFIX,
                source_app=app,
                target_app=owners[prefix],
                source=route.view,
                target=f"/{'/'.join(prefix)}/",
                path=paths[route.module],
                line=route.line,
                detail=f"{route.pattern} among its routes",
            )


def _owners(routes: Sequence[tuple[Route, Parts, str]]) -> Mapping[Parts, str]:
    """Whose a prefix is: the app's that has the very route and no fewer below than others, or the most of two apps.

    What more apps share, as "/api/" often is, is nobody's.
    """
    exact: dict[Parts, set[str]] = {}
    below: dict[Parts, Counter[str]] = {}
    for _, parts, app in routes:
        exact.setdefault(parts, set()).add(app)
        for number in range(1, len(parts) + 1):
            if any(not part.startswith("<") for part in parts[:number]):
                below.setdefault(parts[:number], Counter())[app] += 1
    owners = {}
    for prefix, apps in below.items():
        most = max(apps.values())
        first = [app for app, count in sorted(apps.items()) if count == most]
        mine = [app for app in first if app in exact.get(prefix, ())] or first
        if len(mine) == 1 and (mine[0] in exact.get(prefix, ()) or len(apps) <= _PAIR):
            owners[prefix] = mine[0]
    return owners


def _app(project: Project, route: Route) -> str:
    return project.apps.of(route.view.rpartition(".")[0]).label


def _parts(pattern: str) -> Parts:
    """The parts of a path; placeholders are alike, whatever they are called."""
    return tuple("<>" if part.startswith("<") else part for part in pattern.strip("/").split("/") if part)
