"""How far a learner has come, in a small file of the bench."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from strangler.errors import StranglerError


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The step that one is at, the steps that were checked to be done, and how many hints of each were opened."""

    step: int
    laid: bool = False
    """Whether the files with which the step begins are all there."""
    left: bool = False
    """Whether the learner has quit: nothing of it may run until the next start."""
    done: tuple[int, ...] = ()
    hints: Mapping[str, int] = field(default_factory=dict)

    def at(self, step: int) -> Progress:
        return replace(self, step=step, laid=False)

    def back(self) -> Progress:
        return replace(self, left=False)

    def gone(self) -> Progress:
        return replace(self, left=True)

    def laid_out(self) -> Progress:
        return replace(self, laid=True)

    def with_done(self) -> Progress:
        return replace(self, done=tuple(sorted({*self.done, self.step})))

    def with_hint(self) -> Progress:
        return replace(self, hints={**self.hints, str(self.step): self.opened + 1})

    @property
    def opened(self) -> int:
        """How many hints of the step were opened."""
        return self.hints.get(str(self.step), 0)


def load(path: Path) -> Progress:
    """Read it. Raises StranglerError where it cannot be understood."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        progress = Progress(**{**given, "done": tuple(given["done"])})
        if type(progress.step) is not int or not all(type(one) is int for one in progress.done):
            raise TypeError("a step is a number")
        if not all(type(number) is int for number in progress.hints.values()):
            raise TypeError("hints are counted")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StranglerError(
            f'"{path}" cannot be understood ({error}); remove it, and "strangler workshop start" in the same folder '
            "begins at the first step, with your files kept aside"
        ) from error
    return progress


def save(path: Path, progress: Progress) -> None:
    """Write it whole, or leave it as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(progress)) + "\n", encoding="utf-8")
    draft.replace(path)
