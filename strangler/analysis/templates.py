"""Under which names a project's templates are loaded, and which app each belongs to. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from strangler.analysis.apps import App, Apps
from strangler.analysis.tree import Tree


def find_templates(tree: Tree, apps: Apps) -> Iterator[tuple[str, str, str]]:
    """(path, name, app's label) of each.

    A template is of the app whose package it is below, or of an app within it that its folders name; where it is below
    none, of the one that its folder is called after, and at last of the package that it is in.
    """
    packages = {app.package.replace(".", "/"): app for app in apps.by_package.values()}
    by_name = {app.package.rpartition(".")[2]: app for app in apps.by_package.values()}
    by_name |= {app.label: app for app in apps.by_package.values()}
    for path in tree.templates:
        parts = path.split("/")
        start = max(number for number, part in enumerate(parts) if part in ("templates", "jinja2"))
        above, folders = parts[:start], parts[start + 1 : -1]
        owner = next((app for package, app in packages.items() if _ends("/".join(above), package)), None)
        if owner is not None:
            owner = _within(apps, owner, folders)
        elif folders:
            owner = by_name.get(folders[0])
        if owner is None and above:
            owner = apps.of(".".join(above))
        if owner is not None:
            yield path, "/".join(parts[start + 1 :]), owner.label


def _within(apps: Apps, owner: App, folders: Sequence[str]) -> App:
    """The app below another one's package that folders name, as in "shop/orders/returns/"; the other one for none."""
    for number, folder in enumerate(folders):
        named = [app for app in apps.by_package.values() if _is_below(app, owner) and _last(app) == folder]
        depth = min((app.package.count(".") for app in named), default=0)
        found = [app for app in named if app.package.count(".") == depth]
        if len(found) == 1:
            return _deeper(apps, found[0], folders[number + 1 :])
        if folder not in owner.package.split("."):
            break
    return owner


def _deeper(apps: Apps, app: App, folders: Sequence[str]) -> App:
    for folder in folders:
        app = apps.by_package.get(f"{app.package}.{folder}", app)
    return app


def _is_below(app: App, owner: App) -> bool:
    return app.package.startswith(owner.package + ".")


def _last(app: App) -> str:
    return app.package.rpartition(".")[2]


def _ends(path: str, package: str) -> bool:
    """Whether one names the other's end: the root may lie above the packages, or within."""
    return bool(path) and (path == package or path.endswith("/" + package) or package.endswith("/" + path))
