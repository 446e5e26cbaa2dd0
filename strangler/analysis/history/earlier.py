"""The files of a project as they were at a commit, in a folder that goes away. The project's own are not touched."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from strangler.analysis.history.git import Repository
from strangler.analysis.tree import LARGEST, TEMPLATES


@contextmanager
def files_at(repository: Repository, commit: str) -> Iterator[Path]:
    """A folder with the Python files and templates of a commit. Raises NoHistory."""
    with tempfile.TemporaryDirectory(prefix="strangler-") as made:
        root = Path(made)
        for name in _packages_above(repository.folder):
            root /= name
            root.mkdir()
            (root / "__init__.py").touch()
        root = root / (repository.folder.name or "project")
        root.mkdir()
        wanted = [(path, name) for path, name in repository.files(commit) if _is_wanted(path)]
        contents = repository.contents([name for _, name in wanted])
        for (path, _), content in zip(wanted, contents, strict=True):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            # One byte more than what is read at all: it is then left out by its size, as the file itself would be.
            (root / path).write_bytes(content[: LARGEST + 1])
        yield root


def _is_wanted(path: str) -> bool:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or {"..", ".git"} & {part.lower() for part in parts}:
        return False  # no checkout of git's would write it either
    return path.endswith((".py", *TEMPLATES))


def _packages_above(folder: Path) -> list[str]:
    """The names of the packages that a folder lies in, the outermost first: modules are called after them."""
    found: list[str] = []
    while (folder / "__init__.py").exists() and (folder.parent / "__init__.py").exists() and folder.parent.name:
        folder = folder.parent
        found.insert(0, folder.name)
    return found
