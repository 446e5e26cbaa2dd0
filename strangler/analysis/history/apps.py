"""Which app a file of any commit belongs to, by where the apps are now."""

from __future__ import annotations

from collections.abc import Mapping


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
