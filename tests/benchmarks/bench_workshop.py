"""The whole workshop by its own means: each step as it begins, as its text has it, and as it is solved, with times.

    make bench-workshop                 # all steps;  STEPS="7 8" for some

Every command of every text is typed and its answer compared, also those that need a running Orchard. Ends with 1
where a step is done before it was begun, is not done after its solution, or a text shows what is not so.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from strangler.workshop.instance import ROOT
from strangler.workshop.lessons import going
from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.files import differing, lay, tree_of
from strangler.workshop.lessons.orchard import quit_orchard
from strangler.workshop.lessons.overlay import TYPED
from strangler.workshop.lessons.step import Step, step, steps
from strangler.workshop.lessons.text import followed
from tests.console import answers


def main() -> int:
    """Walk through the steps; the number of those where something is not as it should be."""
    parser = argparse.ArgumentParser()
    parser.add_argument("steps", nargs="*", type=int)
    chosen = [step(number) for number in parser.parse_args().steps] or steps()
    with tempfile.TemporaryDirectory(prefix="workshop-") as folder:
        began = time.monotonic()
        bench = going.make(Path(folder) / "mine", ROOT, _say)
        _say(f"a new folder, and its first step: {time.monotonic() - began:.1f} s")
        try:
            wrong = [problem for one in chosen for problem in _walk(bench, one)]
        finally:
            began = time.monotonic()
            quit_orchard(bench)
            _say(f"quit: {time.monotonic() - began:.1f} s")
    _say(f"largest process: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MiB")
    sys.stdout.writelines(f"{problem}\n" for problem in wrong)
    return bool(wrong)


def _walk(bench: Bench, one: Step) -> list[str]:
    began = time.monotonic()
    going.begin(bench, going.progress_of(bench), one, lambda text: None)
    jumped = time.monotonic() - began
    wrong = [] if one.check(bench) else [f"{one.name}: done before it was begun"]
    wrong += [f"{one.name}: {path} is not as it begins" for path in differing(tree_of(bench.home), one.start(ROOT))]
    began, solution = time.monotonic(), one.solution(ROOT)
    for written, command, expected in followed(one.text):
        lay(bench.home, going.with_written(tree_of(bench.home), written, solution))
        said = _typed(bench, command)
        if not answers(expected, said):
            wrong.append(f"{one.name}: $ {command}\n{said}\n---\n" + "\n".join(expected))
    lay(bench.home, solution)
    if (one.folder / "solution" / TYPED).exists():
        _typed(bench, f"bash {one.folder / 'solution' / TYPED}")
    followed_for = time.monotonic() - began
    began = time.monotonic()
    wrong += [f"{one.name}: {finding}" for finding in one.check(bench)]
    times = f"begun in {jumped:.1f} s, followed in {followed_for:.1f} s, checked in {time.monotonic() - began:.1f} s"
    _say(f"{one.name}: {times}{', WRONG' if wrong else ''}")
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


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
