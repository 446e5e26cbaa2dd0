"""What the modules of a project are called, by where their files lie. Reads names of files alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Module:
    """A file and its dotted names: as its package says, and as its place below the root says, which may be the same."""

    path: str  # relative to the root, with "/"
    name: str
    placed: str
    loose: bool = False
    """Whether it is in no package: any folder above it may be where Python starts."""

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


def modules_of(root: Path, paths: Sequence[str]) -> tuple[Module, ...]:
    """The modules of these files. Of two with one name the second is called after its place."""
    starts = {path.rpartition("/")[0] for path in paths if path.rpartition("/")[2] == "manage.py"} | {"", "src"}
    packages = {path.rpartition("/")[0] for path in paths if path.rpartition("/")[2] == "__init__.py"}
    above = _packages_of(root)
    taken: dict[str, Module] = {}
    for path in paths:
        module = _module(path, packages, starts, above)
        if module.name in taken or not module.name:
            module = replace(module, name=module.placed)
        taken.setdefault(module.name, module)
    return tuple(taken.values())


def _module(path: str, packages: Iterable[str], starts: Iterable[str], above: Sequence[str]) -> Module:
    parts = path.removesuffix(".py").split("/")
    folders = parts[:-1]
    if parts[-1] == "__init__":
        parts.pop()
    # From the outermost package on: a folder without an __init__.py inside a package belongs to it. What lies in no
    # package is called after its place below the folder that Python starts in.
    first = next((n for n in range(len(folders)) if "/".join(folders[: n + 1]) in packages), None)
    loose = first is None
    if first is None:
        first = max(n for n in range(len(folders) + 1) if "/".join(folders[:n]) in starts)
    inside = parts if above else parts[first:]
    # What lies within a package is known by no name from the root on: "celery" there is not shop/celery.py.
    placed = ".".join([*above, *parts])
    return Module(path=path, name=".".join([*above, *inside]), placed=placed, loose=loose and not above)


def _packages_of(root: Path) -> list[str]:
    """The packages that the root itself is in: somebody named the package instead of the project."""
    found: list[str] = []
    while (root / "__init__.py").exists() and root.name:
        found.insert(0, root.name)
        root = root.parent
    return found
