"""Which files a tree has, and how one tree is made like another."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

Tree = Mapping[str, Path]
"""Where the content of each file lies, by its path within the tree."""
_NOT_OURS = frozenset({".git", ".venv", ".venv-proxy", ".run", "__pycache__", "build", "dist", "staticfiles"})
"""What is made from the rest, or by others."""
_KEPT_BY_TOOLS = ("_cache", ".egg-info", ".hypothesis")


def tree_of(root: Path) -> dict[str, Path]:
    """The files below a folder, links among them; nothing is read."""
    return {path.relative_to(root).as_posix(): path for path in sorted(_files(root))}


def differing(tree: Tree, other: Tree) -> list[str]:
    """The paths that only one of them has, or that are not the same in both."""
    paths = sorted(tree.keys() | other.keys())
    return [path for path in paths if path not in tree or path not in other or not _same(tree[path], other[path])]


def lay(root: Path, wanted: Tree) -> None:
    """Make the folder have these files and no others; what is the same already is not touched.

    Each file comes whole or not at all. Raises OSError; then the rest can be laid by doing it again.
    """
    there = tree_of(root)
    for path in sorted(there.keys() - wanted.keys()):
        _forget_compiled(root / path)
        there[path].unlink()
    for path in sorted(wanted):
        if path not in there or not _same(there[path], wanted[path]):
            _put(wanted[path], root / path)
    _remove_empty_folders(root)


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]
        yield from (here / name for name in (*names, *links) if _is_ours(name))
        folders[:] = [name for name in folders if _is_ours(name)]


def _is_ours(name: str) -> bool:
    return name not in _NOT_OURS and not name.endswith(_KEPT_BY_TOOLS)


def _same(one: Path, other: Path) -> bool:
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    mine, theirs = one.stat(), other.stat()
    if mine.st_size != theirs.st_size or (mine.st_mode ^ theirs.st_mode) & 0o100:
        return False
    return one.read_bytes() == other.read_bytes()


def _put(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)  # of no file of ours any more
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".laying-") as draft:
        made = shutil.copy2(source, Path(draft) / target.name, follow_symlinks=False)
        Path(made).replace(target)
    _forget_compiled(target)


def _forget_compiled(path: Path) -> None:
    """Python goes by a file's second and size alone, which two versions of it may share."""
    if path.suffix == ".py":
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink(missing_ok=True)


def _remove_empty_folders(root: Path) -> None:
    """Folders in which nothing is left but what was compiled: some of ours must not be there at all, if empty."""
    for folder, folders, names in os.walk(root, topdown=False):
        here = Path(folder)
        within = here.relative_to(root).parts
        if here == root or names or not all(_is_ours(part) for part in within):
            continue
        left = [name for name in folders if (here / name).exists() or (here / name).is_symlink()]
        if all(name == "__pycache__" for name in left):
            shutil.rmtree(here)
