"""What each verb of `strangler workshop` does."""

from __future__ import annotations

import argparse
import sys
import time

from strangler.errors import StranglerError
from strangler.workshop.instance import ROOT
from strangler.workshop.lessons import going
from strangler.workshop.lessons.bench import Bench, find, usual_place
from strangler.workshop.lessons.orchard import quit_orchard
from strangler.workshop.lessons.progress import Progress
from strangler.workshop.lessons.step import FIRST_LAB, Step, step, steps
from strangler.workshop.lessons.text import readable
from strangler.workshop.lessons.watching import watch as look

_BETWEEN_LOOKS = 0.5


def start(options: argparse.Namespace) -> None:
    """Make a bench, or go on with the one that is there: to the next step, if this one is done."""
    folder = options.new or options.folder
    try:
        bench = find(folder)
    except StranglerError:
        bench = going.make((folder or usual_place()).absolute(), ROOT, _say)
    progress = going.progress_of(bench)
    after = [one for one in steps() if one.number > progress.step]
    if progress.laid and progress.step in progress.done and after:
        going.begin(bench, progress, after[0], _say)
        progress = going.progress_of(bench)
    going.note(bench, going.whole(progress).back())
    _say(f"The workshop is in {bench.home}. Go there in a shell of its own, and let that know:\n")
    _say(f"    cd {bench.home} && . .run/workshop/env\n")
    _tell(step(progress.step))


def check(options: argparse.Namespace) -> None:
    bench, one = _here(options)
    if not _judge(bench, one):
        raise StranglerError(f'step {one.number} is not done yet; "strangler workshop hint" helps')


def watch(options: argparse.Namespace) -> None:
    bench, one = _here(options)

    def goes_on() -> bool:
        time.sleep(_BETWEEN_LOOKS)
        progress = going.progress_of(bench)
        return progress.step == one.number and not progress.left

    _say(f"watching {bench.home}; Ctrl-C ends it")
    try:
        look(bench, lambda: _judge(bench, one), goes_on)
    except KeyboardInterrupt:
        _say("")


def hint(options: argparse.Namespace) -> None:
    bench, one = _here(options)
    progress = going.progress_of(bench)
    if progress.opened < len(one.hints):
        progress = progress.with_hint()
        going.note(bench, progress)
    _say("\n\n".join(f"{n} of {len(one.hints)}. {text}" for n, text in enumerate(one.hints[: progress.opened], 1)))


def solve(options: argparse.Namespace) -> None:
    bench, _ = _here(options)
    one = going.solve(bench, going.progress_of(bench), _say)
    _say(f'step {one.number} is laid out as it is solved; "strangler workshop check" looks at it')


def reset(options: argparse.Namespace) -> None:
    bench = find(options.folder)
    progress = going.progress_of(bench)
    going.begin(bench, progress, step(progress.step), _say)
    _say(f"step {progress.step} is as it begins")


def jump(options: argparse.Namespace) -> None:
    bench = find(options.folder)
    to = step(options.number)
    going.begin(bench, going.progress_of(bench), to, _say)
    _tell(to)


def show(options: argparse.Namespace) -> None:
    progress = going.progress_of(find(options.folder))
    for one in steps():
        if one.number == FIRST_LAB:
            _say("labs, each by itself, in any order:")
        mark = "x" if one.number in progress.done else " "
        _say(f"{'>' if one.number == progress.step else ' '} [{mark}] {one.title}")


def quit(options: argparse.Namespace) -> None:
    bench = find(options.folder)
    going.note(bench, going.progress_of(bench).gone())
    quit_orchard(bench)
    _say(f'nothing of it runs any more. Your files stay in {bench.home}; "strangler workshop start" goes on there')


def _here(options: argparse.Namespace) -> tuple[Bench, Step]:
    bench = find(options.folder)
    return bench, step(going.whole(going.progress_of(bench)).step)


def _judge(bench: Bench, one: Step) -> bool:
    """Check the step and tell; whether it is done."""
    findings = one.check(bench)
    for finding in findings:
        _say(str(finding))
    if not findings:
        progress: Progress = going.progress_of(bench).with_done()
        going.note(bench, progress)
        _say(f'step {one.number} is done; "strangler workshop start" goes on ({len(progress.done)} of {len(steps())})')
    return not findings


def _tell(one: Step) -> None:
    _say(readable(one.text))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
