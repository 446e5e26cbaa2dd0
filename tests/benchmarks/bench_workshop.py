"""A newcomer's way through the workshop: a clone, the first green check, then every step by its text and its solution.

    make bench-workshop                 # all steps;  STEPS="7 8" for some

Every command of every text is typed and its answer compared, also those that need a running Orchard. Ends with 1
where a step is done before it was begun, is not done after its solution, or a text shows what is not so.
The environments are this project's ("warm"); the templates of databases are made anew.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from strangler.workshop.instance import ROOT
from strangler.workshop.lessons import going
from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.files import differing, lay, tree_of
from strangler.workshop.lessons.orchard import STOPPED, quit_orchard
from strangler.workshop.lessons.overlay import TYPED
from strangler.workshop.lessons.step import Step, step, steps
from strangler.workshop.lessons.text import followed
from tests.benchmarks.memory import Memory
from tests.console import answers

_ENVIRONMENTS = (".venv", ".venv-proxy")
_STARTED = 5.0
"""Seconds until the parts have started that a learner does not wait for, and that would be jumped away from here."""


def main() -> int:
    """Walk through the steps; 1 where something is not as it should be."""
    parser = argparse.ArgumentParser()
    parser.add_argument("steps", nargs="*", type=int)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # as Ctrl-C: Orchard is stopped first
    chosen = [step(number) for number in parser.parse_args().steps] or steps()
    with tempfile.TemporaryDirectory(prefix="workshop-") as folder, Memory(Path(folder)) as memory:
        began = time.monotonic()
        bench = _newcomer(Path(folder))
        since = time.monotonic()
        _say(f"cloned, and begun by the command: {since - began:.1f} s")
        try:
            wrong = _walk(bench, chosen[0])
            _say(f"first green check {time.monotonic() - since:.1f} s later")
            wrong += [problem for one in chosen[1:] for problem in _walk(bench, one)]
        finally:
            began = time.monotonic()
            quit_orchard(bench)
            _say(f"quit: {time.monotonic() - began:.1f} s")
    _say(f"memory at most: {memory.most / 2**20:,.0f} MiB, of {memory.processes} processes")
    sys.stdout.writelines(f"{problem}\n" for problem in wrong)
    return bool(wrong)


def _newcomer(folder: Path) -> Bench:
    """A clone, with what is not committed here, and the workshop in it as the command makes it."""
    project, home = folder / "project", folder / "mine"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(project)], check=True)
    lay(project, tree_of(ROOT))
    for name in _ENVIRONMENTS:
        (project / name).symlink_to((ROOT / name).resolve(), target_is_directory=True)
    command = [sys.executable, "-m", "strangler", "workshop", "start", str(home)]
    subprocess.run(command, cwd=project, env=Bench(home=project).environment(), check=True, stdout=subprocess.DEVNULL)
    return Bench(home=home, project=project)


def _walk(bench: Bench, one: Step) -> list[str]:
    """Begin it, follow its text, lay out its solution; what is wrong with it, and its times."""
    if one.position not in {None, STOPPED}:
        _begin(bench, one)  # the templates of its place in the plan are made once
        time.sleep(_STARTED)
    jumped = _timed(lambda: _begin(bench, one))
    wrong = [] if one.check(bench) else [f"{one.name}: done before it was begun"]
    start = one.start(bench.project)
    wrong += [f"{one.name}: {path} is not as it begins" for path in differing(tree_of(bench.home), start)]
    followed_for = _timed(lambda: wrong.extend(_follow(bench, one)))
    checked = _timed(lambda: wrong.extend(f"{one.name}: {finding}" for finding in one.check(bench)))
    times = f"begun in {jumped:.1f} s, followed in {followed_for:.1f} s, checked in {checked:.1f} s"
    _say(f"{one.name}: {times}{', WRONG' if wrong else ''}")
    return wrong


def _begin(bench: Bench, one: Step) -> None:
    going.begin(bench, going.progress_of(bench), one, lambda text: None)


def _follow(bench: Bench, one: Step) -> list[str]:
    """Type what its text says, writing what is to be written as the solution has it; the answers that are others."""
    solution, wrong = one.solution(bench.project), []
    for written, command, expected in followed(one.text):
        lay(bench.home, going.with_written(tree_of(bench.home), written, solution))
        said = _typed(bench, command)
        if not answers(expected, said):
            wrong.append(f"{one.name}: $ {command}\n{said}\n---\n" + "\n".join(expected))
    lay(bench.home, solution)
    if (one.folder / "solution" / TYPED).exists():
        _typed(bench, f"bash {one.folder / 'solution' / TYPED}")
    return wrong


def _typed(bench: Bench, command: str) -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=bench.home,
        env=bench.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def _timed(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
