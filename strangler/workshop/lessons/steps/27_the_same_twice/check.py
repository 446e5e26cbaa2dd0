"""Lab 27: do all services keep the standard, and who notices when one does not any more?"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.probing import experiment

_PROGRAM = Path(__file__).parent / "start" / "labs" / "standards.py"
_SERVICES = ("reviews", "notifications")
_LIST = "extracted/same.txt"
_COMMON = ("health.py", "identity.py", "outward.py", "rehearsal.py")


def check(bench: Bench) -> list[Finding]:
    """What each service answers, what of the copies is listed and the same, and who imports whose code."""
    said, broken = experiment(bench, _PROGRAM)
    if broken is not None:
        return [broken]
    return [*_standards(said), *_listed(bench), *_same(bench), *_apart(bench)]


def _standards(said: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    for service, answers in said.items():
        for question, answer in answers.items():
            if answer != "yes":
                what = f'the service "{service}" does not keep the standard: {question}'
                where = f"extracted/{service}/{service}_service beside the other service's"
                yield Finding(what=what, where=where)


def _listed(bench: Bench) -> Iterator[Finding]:
    listed = (bench.text(_LIST) or "").split("\n")
    for name in _COMMON:
        if name not in map(str.strip, listed):
            what = f'"{name}" is copied into each service, and nobody would notice that one changes alone'
            yield Finding(what=what, where=f"{_LIST}, a file a line")


def _same(bench: Bench) -> Iterator[Finding]:
    ours = bench.project / "extracted" / "same.py"
    done = bench.run(sys.executable, "-S", "-P", str(ours), str(bench.home / "extracted"))
    if done.returncode and done.stderr:
        yield Finding(what=f"the copies cannot be compared: {done.stderr.strip().splitlines()[-1]}", where=_LIST)
    elif done.returncode:
        where = "which of the two is right? If both are, the file is no copy, and not to be listed"
        yield from (Finding(what=line, where=where) for line in done.stdout.splitlines())


def _apart(bench: Bench) -> Iterator[Finding]:
    for service in _SERVICES:
        for other in _SERVICES:
            for path in sorted((bench.home / "extracted" / service / f"{service}_service").rglob("*.py")):
                if other != service and f"{other}_service" in path.read_text(encoding="utf-8", errors="replace"):
                    what = f'the service "{service}" imports the code of "{other}": neither is deployed alone any more'
                    yield Finding(what=what, where=str(path.relative_to(bench.home)))
