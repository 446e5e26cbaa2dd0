"""The Python files of a project and what their modules are called. Reads names of files alone."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from strangler.errors import StranglerError

_SKIPPED = frozenset(
    {"__pycache__", "node_modules", "site-packages", "build", "dist", "venv", "env", "bower_components", "htmlcov"}
)
TEMPLATES = (".html", ".txt", ".jinja", ".jinja2", ".xml")
LARGEST = 4 << 20
"""Bytes of a file beyond which it is taken as generated and left out."""


class NoProject(StranglerError):
    """There is nothing to analyse."""


@dataclass(frozen=True, kw_only=True)
class Module:
    """A file and its dotted names: as its package says, and as its place below the root says, which may be the same."""

    path: str  # relative to the root, with "/"
    name: str
    placed: str

    @property
    def package(self) -> str:
        """What relative imports start from."""
        return self.name if self.path.endswith("__init__.py") else self.name.rpartition(".")[0]

    @property
    def is_test(self) -> bool:
        """Whether only tests come to it."""
        parts = self.path.split("/")
        return (
            any(part in ("tests", "test", "testing") for part in parts)
            or parts[-1].startswith("test_")
            or parts[-1] in ("conftest.py", "tests.py")
        )

    @property
    def is_migration(self) -> bool:
        """Whether it is one of Django's migrations, or lies beside them."""
        return "migrations" in self.path.split("/")[:-1]


@dataclass(frozen=True, kw_only=True)
class Tree:
    """All that was found below a root."""

    root: Path
    modules: tuple[Module, ...]
    templates: tuple[str, ...]
    left_out: tuple[str, ...]
    """Files that are too large, with their size, as sentences."""


def walk(root: Path) -> Tree:
    """Find the modules and templates below a folder. Raises NoProject."""
    if not root.is_dir():
        raise NoProject(f'"{root}" is no folder; name the folder that holds the project\'s manage.py or package')
    modules, templates, left_out = [], [], []
    for path in _files(root):
        relative = path.relative_to(root).as_posix()
        if path.suffix != ".py":
            templates.append(relative)
        elif (size := path.stat().st_size) > LARGEST:
            left_out.append(f"{relative} has {size >> 20} MB and was left out as generated")
        else:
            modules.append(_module(root, relative))
    if not modules:
        raise NoProject(
            f'"{root}" holds no Python files; name the folder that holds the project\'s manage.py or package'
        )
    return Tree(root=root, modules=tuple(_told_apart(modules)), templates=tuple(templates), left_out=tuple(left_out))


def _told_apart(modules: list[Module]) -> Iterator[Module]:
    """Modules outside of packages may have one name, as every conftest.py has: they are called after their place."""
    names = Counter(module.name for module in modules)
    return (replace(module, name=module.placed) if names[module.name] > 1 else module for module in modules)


def _files(root: Path) -> Iterator[Path]:
    """In the same order everywhere. A link to a folder is not followed, so there are no loops."""
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED and not name.startswith(".") and not (here / name / "pyvenv.cfg").exists()
        )
        in_templates = bool({"templates", "jinja2"} & set(here.relative_to(root).parts))
        for name in sorted(names):
            path = here / name
            wanted = name.endswith(".py") or (in_templates and name.endswith(TEMPLATES))
            if wanted and path.is_file():  # and no dangling link
                yield path


def _module(root: Path, relative: str) -> Module:
    parts = relative.removesuffix(".py").split("/")
    folders = parts[:-1]
    if parts[-1] == "__init__":
        parts.pop()
    # From the outermost package on: a folder without an __init__.py inside a package belongs to it.
    packages = (n for n in range(1, len(folders) + 1) if (root / "/".join(folders[:n]) / "__init__.py").exists())
    outermost = next(packages, len(folders) + 1)
    above = _packages_of(root)
    inside = parts if above else parts[outermost - 1 :]
    # What lies within a package is known by no name from the root on: "celery" there is not shop/celery.py.
    return Module(path=relative, name=".".join([*above, *inside]), placed=".".join([*above, *parts]))


def _packages_of(root: Path) -> list[str]:
    """The packages that the root itself is in: somebody named the package instead of the project."""
    found: list[str] = []
    while (root / "__init__.py").exists() and root.name:
        found.insert(0, root.name)
        root = root.parent
    return found
