"""The Python files and templates of a project. Reads names of files alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from strangler.analysis.placing import Module, modules_of
from strangler.errors import StranglerError

_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages", "bower_components"})
_SKIPPED_UNLESS_PACKAGES = frozenset({"build", "dist", "venv", "env", "virtualenv", "htmlcov"})
_ENVIRONMENTS = ("pyvenv.cfg", "bin/activate", "Scripts/activate", "conda-meta")
TEMPLATES = (".html", ".txt", ".jinja", ".jinja2", ".j2", ".djhtml", ".xml")
LARGEST = 4 << 20
"""Bytes of a file beyond which it is taken as generated and left out."""


class NoProject(StranglerError):
    """There is nothing to analyse."""


@dataclass(frozen=True, kw_only=True)
class Tree:
    """All that was found below a root."""

    root: Path
    modules: tuple[Module, ...]
    templates: tuple[str, ...]
    left_out: tuple[str, ...]
    """Files and folders that are too large, elsewhere, or cannot be read, as sentences."""

    def text(self, path: str) -> str:
        """A file's text; nothing of what cannot be read."""
        try:
            return (self.root / path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


def walk(root: Path) -> Tree:
    """Find the modules and templates below a folder. Raises NoProject."""
    if not root.is_dir():
        raise NoProject(f'"{root}" is no folder; name the folder that holds the project\'s manage.py or package')
    left_out: list[str] = []
    found = []
    for path in _files(root, left_out):
        relative = path.relative_to(root).as_posix()
        if why := _unfit(root, path):
            left_out.append(f"{_shown(relative)} {why}")
        else:
            found.append(relative)
    sources = [relative for relative in found if relative.endswith(".py")]
    if not sources:
        raise NoProject(
            f'"{root}" holds no Python files; name the folder that holds the project\'s manage.py or package'
            + "".join(f"; {sentence}" for sentence in left_out[:1])
        )
    templates = tuple(relative for relative in found if not relative.endswith(".py"))
    return Tree(root=root, modules=modules_of(root, sources), templates=templates, left_out=tuple(left_out))


def with_contents(tree: Tree) -> tuple[Tree, list[bytes], list[bytes]]:
    """(the tree of what can be read, the contents of its modules, those of its templates)."""
    contents: dict[str, bytes] = {}
    left_out = list(tree.left_out)
    for path in (*(module.path for module in tree.modules), *tree.templates):
        try:
            contents[path] = (tree.root / path).read_bytes()
        except OSError as error:
            left_out.append(f"{path} cannot be read ({error.strerror})")
    modules = tuple(module for module in tree.modules if module.path in contents)
    templates = tuple(path for path in tree.templates if path in contents)
    left = replace(tree, modules=modules, templates=templates, left_out=tuple(left_out))
    return left, [contents[module.path] for module in modules], [contents[path] for path in templates]


def _files(root: Path, left_out: list[str]) -> Iterator[Path]:
    """In the same order everywhere. A link to a folder is not followed, so there are no loops."""

    def unreadable(error: OSError) -> None:
        left_out.append(f"{_shown(os.path.relpath(error.filename, root))} cannot be read ({error.strerror})")

    for folder, folders, names in os.walk(root, onerror=unreadable):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not _is_others(here / name))
        in_templates = bool({"templates", "jinja2"} & set(here.relative_to(root).parts))
        for name in sorted(names):
            wanted = name.endswith(".py") or (in_templates and name.endswith(TEMPLATES))
            if wanted and not name.startswith(".") and (here / name).is_file():  # and no dangling link, pipe or device
                yield here / name


def _is_others(folder: Path) -> bool:
    """Whether a folder holds what others made: packages, an environment, Django itself, something that was built."""
    name = folder.name
    if name in _SKIPPED or name.startswith("."):
        return True
    if name in _SKIPPED_UNLESS_PACKAGES and not _has(folder, "__init__.py"):
        return True
    if name == "django" and _has(folder, "db/models/base.py"):
        return True
    return any(_has(folder, mark) for mark in _ENVIRONMENTS)


def _has(folder: Path, path: str) -> bool:
    return os.path.exists(folder / path)  # noqa: PTH110 - which is False where nobody may look; Path's would raise


def _unfit(root: Path, path: Path) -> str:
    """Why a file is left out; empty where it is not."""
    try:
        if _shown(str(path)) != str(path):
            return "has a name that is no text, and was left out"
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            return "is a link to somewhere else, and was left out"
        if (size := path.stat().st_size) > LARGEST:
            return f"has {size >> 20} MB and was left out as generated"
    except (OSError, RuntimeError) as error:  # RuntimeError is a loop of links
        return f"cannot be read ({error})"
    return ""


def _shown(text: str) -> str:
    """A name of a file, also where it is none that can be printed."""
    return os.fsencode(text).decode("utf-8", "backslashreplace")
