"""Which Django apps a tree has, and to which one a module belongs. Found in the files; nothing is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from strangler.analysis.configured import installed
from strangler.analysis.facts import Named
from strangler.analysis.symbols import Symbol, Symbols

_CONFIG = ("django.apps.AppConfig", "django.apps.config.AppConfig")


@dataclass(frozen=True, kw_only=True)
class App:
    """An app by its label, or a package beside the apps, which holds the project together."""

    label: str
    package: str
    is_app: bool = True


@dataclass(frozen=True, kw_only=True)
class Apps:
    """All of them. "of" is the innermost one whose package a module is in."""

    by_package: Mapping[str, App]

    def of(self, module: str) -> App:
        parts = module.split(".")
        for length in range(len(parts), 0, -1):
            if (app := self.by_package.get(".".join(parts[:length]))) is not None:
                return app
        return App(label=f"({parts[0]})", package=parts[0], is_app=False)

    def labelled(self, label: str) -> App | None:
        """The app of a label."""
        return next((app for app in self.by_package.values() if app.label == label), None)


def find_apps(symbols: Symbols) -> Apps:
    """Packages with an AppConfig, models or migrations, and installed ones.

    Of two with one label the inner one gets its package's name.
    """
    packages: dict[str, str] = {}
    with_classes = _with_classes(symbols)
    for name, file in symbols.files.items():
        parts = name.split(".")
        if len(parts) == 1 or file.module.is_test:
            continue
        if parts[-1] == "migrations" or (parts[-1] == "models" and name in with_classes):
            packages.setdefault(".".join(parts[:-1]), parts[-2])
    for name, file in symbols.files.items():
        for found in file.classes.values():
            symbol = Symbol(name, found.name, "class")
            if not is_config(symbols, symbol) or file.module.is_test:
                continue
            path = found.attributes.get("name")
            path = name if path == "__name__" else path
            label = found.attributes.get("label")
            if isinstance(path, str) and not isinstance(path, Named):
                file_of = symbols.module(path)
                package = file_of.module.name if file_of is not None else path
                text = label if isinstance(label, str) and not isinstance(label, Named) else path.rpartition(".")[2]
                packages[package] = text
    for name in installed(symbols):
        if package := _package(symbols, name):
            packages.setdefault(package, package.rpartition(".")[2])
    taken: dict[str, str] = {}
    for package, label in sorted(packages.items(), key=lambda found: (found[0].count("."), found[0])):
        taken[package] = label if label not in taken.values() else package
    return Apps(by_package={package: App(label=label, package=package) for package, label in taken.items()})


def _package(symbols: Symbols, name: str) -> str:
    """The package that an entry of INSTALLED_APPS names, by itself or by its AppConfig; empty for others' packages."""
    file = symbols.module(name)
    if file is not None:
        return file.module.name if file.module.path.endswith("__init__.py") else ""
    if any(module.startswith(f"{name}.") for module in symbols.files):
        return name
    symbol = symbols.find(name)
    return symbol.module.rpartition(".")[0] if symbol.kind == "class" and is_config(symbols, symbol) else ""


def is_config(symbols: Symbols, symbol: Symbol) -> bool:
    """Whether a class is an AppConfig."""
    return any(base.kind == "outside" and base.name.endswith("AppConfig") for base in symbols.ancestors(symbol)[1:])


def _with_classes(symbols: Symbols) -> set[str]:
    """Modules and packages in which some class has a base."""
    found: set[str] = set()
    for name, file in symbols.files.items():
        if any(one.bases for one in file.classes.values()):
            parts = name.split(".")
            found.update(".".join(parts[:length]) for length in range(1, len(parts) + 1))
    return found
