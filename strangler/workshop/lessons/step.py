"""The steps of the workshop, each a folder below steps/."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from strangler.errors import StranglerError
from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.files import Tree, tree_of
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.overlay import overlaid

Check = Callable[[Bench], list[Finding]]
FIRST_LAB = 21
"""Labs are steps of their own from this number on, one for each of a challenge; none needs another one."""
_STEPS = Path(__file__).parent / "steps"
_LESSONS = "strangler/workshop/lessons/"
_HINT = re.compile(r"^## .*\n", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: its text, its hints from vague to plain, what it begins with, and what is checked."""

    number: int
    folder: Path

    @property
    def name(self) -> str:
        """Such as "02_map"."""
        return self.folder.name

    @property
    def title(self) -> str:
        return self.text.partition("\n")[0].lstrip("# ")

    @property
    def text(self) -> str:
        return (self.folder / "text.md").read_text(encoding="utf-8")

    @property
    def hints(self) -> list[str]:
        """The sections of hints.md, in order."""
        return [part.strip() for part in _HINT.split((self.folder / "hints.md").read_text(encoding="utf-8"))[1:]]

    def start(self, project: Path) -> dict[str, Path]:
        """The files with which it begins, out of the project's. The lessons are not among them."""
        whole = _without_lessons(tree_of(project))
        return overlaid(whole, self.folder / "start", whole)

    def solution(self, project: Path) -> dict[str, Path]:
        """The files of which its check approves."""
        return overlaid(self.start(project), self.folder / "solution", _without_lessons(tree_of(project)))

    @property
    def position(self) -> str | None:
        """How far Orchard's plan is as it begins, "zero" or "6", say, or "stopped"; None where nothing need run."""
        found: str | None = getattr(checks(self.folder), "POSITION", None)
        return found

    def check(self, bench: Bench) -> list[Finding]:
        """What is not right yet; nothing where the step is done."""
        check: Check = checks(self.folder).check
        return check(bench)


def steps() -> list[Step]:
    """All of them, in order."""
    folders = sorted(path for path in _STEPS.iterdir() if re.match(r"\d\d_", path.name))
    return [Step(number=int(folder.name[:2]), folder=folder) for folder in folders]


def step(number: int) -> Step:
    """The step with this number. Raises StranglerError where there is none."""
    found = next((one for one in steps() if one.number == number), None)
    if found is None:
        numbers = ", ".join(str(one.number) for one in steps())
        raise StranglerError(f'there is no step {number}; "strangler workshop list" shows them ({numbers})')
    return found


def _without_lessons(tree: Tree) -> dict[str, Path]:
    return {path: place for path, place in tree.items() if not path.startswith(_LESSONS)}


@cache
def checks(folder: Path) -> ModuleType:
    """A step's "check.py", whose folder has no name that could be imported."""
    spec = importlib.util.spec_from_file_location(f"_workshop_{folder.name}", folder / "check.py")
    assert spec is not None and spec.loader is not None  # of a file whose name ends like a module's
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
