"""What a step lays over the project, as it begins and as it is solved."""

from __future__ import annotations

from pathlib import Path

from strangler.workshop.lessons.files import Tree, tree_of

REMOVED = "removed.txt"
"""In an overlay: what is not there any more, files or folders, a line each."""
RESTORED = "restored.txt"
"""In an overlay: what is as in the project itself, which so stands in one place only."""
TYPED = "then.sh"
"""In a solution: what is typed at last, where answers are not known before."""


def overlaid(tree: Tree, overlay: Path, project: Tree) -> dict[str, Path]:
    """The tree with the overlay's files over it. Raises ValueError where it names what is not there."""
    own = {path: place for path, place in tree_of(overlay).items() if path not in {REMOVED, RESTORED, TYPED}}
    removed = {path for name in _lines(overlay / REMOVED) for path in _below(tree, name, overlay)}
    restored = {path: project[path] for name in _lines(overlay / RESTORED) for path in _below(project, name, overlay)}
    return {path: place for path, place in tree.items() if path not in removed} | restored | own


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def _below(tree: Tree, name: str, overlay: Path) -> list[str]:
    found = [path for path in tree if path == name or path.startswith(f"{name.rstrip('/')}/")]
    if not found:
        raise ValueError(f'"{overlay}" names "{name}", which is not there')
    return found
