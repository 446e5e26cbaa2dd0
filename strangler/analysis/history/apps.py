"""Which app a file of any commit belongs to, by where the apps are now, and which apps are changed together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from strangler.analysis.history.commits import Together, read_history, together
from strangler.analysis.history.git import NoHistory, find_repository
from strangler.analysis.mapping import Map


def apps_together(root: Path, found: Map) -> list[Together]:
    """The pairs of a project's apps that commits change together more than by chance; none where nobody remembers."""
    try:
        history = read_history(find_repository(root))
    except NoHistory:
        return []
    return together(history.commits, AppOf({module.path: module.app for module in found.summary.modules}))


class AppOf:
    """The label of the app that a path belongs to, also of one that is gone; empty for what is in none."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        """Labels of apps by the paths of modules; those in brackets are the project's own, and no apps."""
        self._folders: dict[str, str] = {}
        for path, label in sorted(labels.items()):
            if not label.startswith("("):
                self._folders.setdefault(path.rpartition("/")[0], label)

    def __call__(self, path: str) -> str:
        folder = path
        while "/" in folder:
            folder = folder.rpartition("/")[0]
            if folder in self._folders:
                return self._folders[folder]
        return ""
