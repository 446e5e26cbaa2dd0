"""From step to step: each begins from the project's files with its own over them, and what was there is kept aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from strangler.errors import StranglerError
from strangler.workshop.lessons import progress as progresses
from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.files import Tree, lay, tree_of
from strangler.workshop.lessons.keeping import commit_start, keep_edits
from strangler.workshop.lessons.orchard import bring
from strangler.workshop.lessons.overlay import TYPED
from strangler.workshop.lessons.progress import Progress
from strangler.workshop.lessons.step import Step, step, steps
from strangler.workshop.lessons.text import followed

Say = Callable[[str], None]
_SECONDS = 300.0


def make(home: Path, project: Path, say: Say) -> Bench:
    """A new bench at its first step. Raises StranglerError where the folder is somebody else's."""
    bench = Bench(home=home.resolve(), project=project)
    within = bench.home.relative_to(bench.project).parts if bench.home.is_relative_to(bench.project) else (".run",)
    if bench.project.is_relative_to(bench.home) or within[:1] != (".run",):
        raise StranglerError(f'"{bench.home}" is part of the project, or holds it; name a folder elsewhere')
    if bench.home.exists() and (not bench.home.is_dir() or any(bench.home.iterdir())) and not bench.own.is_dir():
        raise StranglerError(f'"{bench.home}" is not empty, and no workshop; name a new folder')
    bench.own.mkdir(parents=True, exist_ok=True)
    begin(bench, Progress(step=steps()[0].number), steps()[0], say)
    return bench


def progress_of(bench: Bench) -> Progress:
    """Where the learner is. Raises StranglerError."""
    return progresses.load(_file(bench))


def begin(bench: Bench, progress: Progress, to: Step, say: Say) -> None:
    """Lay out a step as it begins: also where an earlier attempt was cut off. What was there is kept aside first."""
    start = to.start(bench.project)
    _keep(bench, progress, say)
    # Before the first file: whoever is cut off here is told so, and the next attempt lays out the rest.
    progress = progress.at(to.number)
    note(bench, progress)
    lay(bench.home, start)
    bench.write_entrance()
    commit_start(bench, to.name)
    if to.position is not None:
        bring(bench, to.position, say)
    note(bench, progress.laid_out())


def solve(bench: Bench, progress: Progress, say: Say) -> Step:
    """Lay out the step as it is solved; what was there is kept aside first.

    Where a running Orchard is needed, all that the text says is typed, from the step's beginning on.
    """
    one = step(progress.step)
    solution = one.solution(bench.project)
    if one.position is None:
        _keep(bench, progress, say)
    else:
        begin(bench, progress, one, say)
        for written, command, _ in followed(one.text):
            lay(bench.home, with_written(tree_of(bench.home), written, solution))
            say(f"$ {command}")
            bench.run("bash", "-c", command, seconds=_SECONDS)  # some are meant to fail
    lay(bench.home, solution)
    typed = one.folder / "solution" / TYPED
    if typed.exists():
        bench.run("bash", str(typed))
    return one


def with_written(tree: Tree, written: Sequence[str], solution: Tree) -> dict[str, Path]:
    """The tree with some files as the solution has them; "-path" is one that is gone there."""
    gone = {path[1:] for path in written if path.startswith("-")}
    there = {path: solution[path] for path in written if not path.startswith("-")}
    return {path: place for path, place in tree.items() if path not in gone} | there


def note(bench: Bench, progress: Progress) -> None:
    """Remember how far the learner has come."""
    progresses.save(_file(bench), progress)


def whole(progress: Progress) -> Progress:
    """The same, if its step is laid out. Raises StranglerError where that was cut off."""
    if not progress.laid:
        raise StranglerError(
            f'step {progress.step} is laid out only in part, because that was cut off; "strangler workshop reset" '
            "lays it out anew, and what you have written is kept"
        )
    return progress


def _keep(bench: Bench, progress: Progress, say: Say) -> None:
    """Keep what differs both from the step's start and from its solution: those are not the learner's."""
    left = next((one for one in steps() if one.number == progress.step), None)
    known = [left.start(bench.project), left.solution(bench.project)] if left else []
    place = keep_edits(bench, known, left.name if left else f"{progress.step:02}")
    if place is not None:
        say(f"what you had written is kept: {place}")


def _file(bench: Bench) -> Path:
    return bench.own / "progress.json"
