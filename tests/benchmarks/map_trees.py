"""Trees of real code by size: the wheels that the third-party check pins, side by side, the last one twice."""

import re
import shutil
from pathlib import Path

from tests.third_party.projects import unpacked

ORDER = ("shuup", "django-oscar", "mayan-edms", "weblate", "pretix")
"""From about 100,000 lines to 670,000, each added to those before."""
AGAIN, ITS_PACKAGE = "django-oscar", "oscar"
"""One is added a second time under another name, to come to 700,000 lines."""


def trees(place):
    """Folders below a place, the smaller first: one project more in each."""
    made = []
    for number in range(1, len(ORDER) + 1):
        made.append(place / f"tree{number}")
        for name in ORDER[:number]:
            shutil.copytree(unpacked(name), made[-1] / name)
    last = place / "tree-replicated"
    shutil.copytree(made[-1], last)
    again = last / "again"
    shutil.copytree(unpacked(AGAIN) / ITS_PACKAGE, again / f"{ITS_PACKAGE}_again")
    _rename(again)
    return [*made, last]


def packages(tree):
    """The packages of a tree, and the folders to find them in."""
    found = {path.parent for path in sorted(tree.glob("*/*/__init__.py"))}
    return sorted(path.name for path in found), sorted({str(path.parent) for path in found})


def _rename(folder: Path):
    """Let the copy's imports mean the copy."""
    own = re.compile(rf"\b{ITS_PACKAGE}(?=[.\s])")
    for path in folder.rglob("*.py"):
        path.write_text(own.sub(f"{ITS_PACKAGE}_again", path.read_text(encoding="utf-8")), encoding="utf-8")
