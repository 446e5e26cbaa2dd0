"""The learner's running Orchard: brought to where a step begins, and asked how far its plan is."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from strangler.deploy.supervisor import Supervisor
from strangler.errors import StranglerError
from strangler.workshop.instance import InstanceError
from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.files import Tree, tree_of
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.system import System

PLAN = "0001_reviews"
STOPPED, UNTOUCHED = "stopped", "zero"
PARTS = ("broker", "payment", "orchard", "worker", "reviews", "proxy", "replicate", "visitors")
_DATA = ("postgres", "record")
"""What a position of the plan is made of: the databases, and the plan's record."""
_FORGOTTEN = (*_DATA, "proxy", "filling", "appendonlydir", "journal.jsonl", "problems.json", "problems.jsonl")
_SHAPED_BY = ("monolith/", "extracted/", "strangler/", "migration_plans/")
_APPLIED = re.compile(r"^\s+applied\s+(\d+) of \d+ operations(, number \d+ half done)?", re.MULTILINE)
_OWNER = re.compile(r"^\s+owner\s+(\w+)", re.MULTILINE)
_BASE = 8000
_STARTING = 600.0
"""Seconds; the first start of all fills a shop."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far the plan is."""

    applied: int
    half_done: bool
    owner: str


def bring(bench: Bench, position: str, say: Callable[[str], None]) -> None:
    """Have Orchard run with the files that are laid out, its databases new, and the plan at a position, or "stopped".

    What was in the databases is gone. Raises StranglerError with one sentence where it cannot start.
    """
    System(bench.instance, lambda text: None).cut_power()
    _refuse_left(bench)
    home = bench.instance.home
    for name in _FORGOTTEN:
        place = home / name
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
    _choose_ports(bench)
    if position == STOPPED:
        return
    kept = _templates(bench) / f"at-{position}-{_fingerprint(tree_of(bench.project))}"
    say("starting Orchard")
    if kept.exists():
        for name in _DATA:
            shutil.copytree(kept / name, home / name, symlinks=True)
        _up(bench)
        return
    _up(bench)
    if position != UNTOUCHED:
        say(f"bringing its plan to operation {position}; the next time this is quicker")
        done = bench.manage("applyplan", PLAN, position)
        if done.returncode:
            raise StranglerError(f"the plan did not come to operation {position}: {_last(done.stderr)}")
        quit_orchard(bench)
        _remember(bench, kept)
        _up(bench)


def quit_orchard(bench: Bench) -> None:
    """Stop all that runs of it. Raises StranglerError where something does not end."""
    System(bench.instance, lambda text: None).down()
    _refuse_left(bench)


def away(bench: Bench) -> Finding | None:
    """What is not running, if anything."""
    supervisor = Supervisor(home=bench.instance.home / "processes")
    stopped = [name for name in PARTS if supervisor.pid(name) is None]
    if len(stopped) == len(PARTS):
        return Finding(what="Orchard does not run", where='"make up", in your folder')
    if stopped:
        log = supervisor.log(stopped[0]).relative_to(bench.home)
        return Finding(
            what=f"of Orchard, {', '.join(stopped)} does not run", where=f'"{log}"; "make up" starts it again'
        )
    return None


def runs(bench: Bench, name: str) -> bool:
    """Whether a part of it runs."""
    return Supervisor(home=bench.instance.home / "processes").pid(name) is not None


def standing(bench: Bench, plan: str = PLAN) -> Standing | Finding:
    """How far a plan is, or why nobody can tell."""
    stopped = away(bench)
    if stopped is not None:
        return stopped
    done = bench.manage("planstatus", plan)
    applied, owner = _APPLIED.search(done.stdout), _OWNER.search(done.stdout)
    if done.returncode or applied is None or owner is None:
        return Finding(
            what=f"the plan does not say how far it is: {_last(done.stderr)}", where='"python manage.py checkplans"'
        )
    return Standing(applied=int(applied[1]), half_done=applied[2] is not None, owner=owner[1])


def _refuse_left(bench: Bench) -> None:
    supervisor = Supervisor(home=bench.instance.home / "processes")
    if left := [name for name in supervisor.names() if supervisor.pid(name) is not None]:
        raise StranglerError(f"{left[0]} does not end; end process {supervisor.pid(left[0])} yourself")


def _choose_ports(bench: Bench) -> None:
    """Those it had, or the usual ones; where somebody listens there by now, any."""
    instance = bench.instance
    try:
        instance.prepare(_BASE)
        instance.refuse_taken_ports()
    except InstanceError:
        (instance.home / "ports.json").unlink(missing_ok=True)
        bench.instance.prepare(None)


def _up(bench: Bench) -> None:
    # The folder's own code starts it: what runs is what the learner sees.
    done = bench.run(sys.executable, "-m", "strangler.workshop", "up", seconds=_STARTING)
    if done.returncode:
        raise StranglerError(f"Orchard does not start: {_last(done.stderr or done.stdout)}")


def _remember(bench: Bench, kept: Path) -> None:
    """Keep what it took to come here; older ones of the same position go."""
    for old in kept.parent.glob(f"{kept.name.rpartition('-')[0]}-*"):
        shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix="new-") as draft:
        made = Path(draft) / kept.name
        for name in _DATA:
            shutil.copytree(bench.instance.home / name, made / name, symlinks=True)
        with suppress(OSError):  # somebody else's is there by now
            made.rename(kept)


def _templates(bench: Bench) -> Path:
    place = bench.project / ".run" / "templates"
    place.mkdir(parents=True, exist_ok=True)
    return place


def _fingerprint(project: Tree) -> str:
    digest = hashlib.sha256()
    for path, place in project.items():
        if path.startswith(_SHAPED_BY) and path.endswith((".py", ".sql")):
            digest.update(place.read_bytes())
    return digest.hexdigest()[:16]


def _last(text: str) -> str:
    return (text.strip() or "it said nothing").splitlines()[-1]
