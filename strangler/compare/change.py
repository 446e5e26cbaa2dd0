"""What a change of one line costs: how long, whom it interrupts, what it can reach, what must be read before it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from strangler.analysis.kept import Kept, usual_place
from strangler.analysis.reach.asking import ask
from strangler.compare.arms import Arm
from strangler.compare.asking import Attempt, Crowd, interrupted, judged
from strangler.compare.promises import PROMISES
from strangler.workshop.instance import ROOT

_AROUND = 1.0
_LINES = {
    "monolith": ("monolith",),
    "modular": ("monolith", "extracted/modular", "extracted/reviews/reviews_service"),
    "reviews": ("extracted/reviews/reviews_service",),
    "notifications": ("extracted/notifications/notifications_service",),
    "proxy": ("proxy/strangler_proxy",),
}


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """One line of the reviews' own code is changed, and the parts that run it are started anew as people shop."""

    arm: str
    parts: tuple[str, ...]
    seconds: float  # until all of them serve the new code
    promises: dict[str, str]
    interrupted: dict[str, float]  # seconds without a good answer
    failed: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What a change of where a review is written can reach, by the toolkit's own map."""

    where: str
    routes: int
    tasks: int
    tests: int
    tables: int


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What there is to know."""

    arm: str
    processes: int  # kinds of them, without the demo's visitors and what stands for others' systems
    databases: int
    deployables: int  # that are released by themselves
    lines: int  # of Python in what has to be released for a change in the reviews
    all_lines: int  # of Python in all deployables


def deploy(arm: Arm, slugs: list[str]) -> dict[str, object]:
    """Start the reviews' code anew, wherever this arm has it, while people ask; the arm is awake."""
    crowd = Crowd.at(arm.url, slugs)
    crowd.until_kept(15)
    parts = ("reviews",) if arm.kind.serves_apart else ("orchard", "worker")
    with crowd.asking(every=0.05) as attempts:
        time.sleep(_AROUND)
        seconds = arm.anew(parts)
        time.sleep(_AROUND)
    by_promise = {promise.name: _of(attempts, promise.name) for promise in PROMISES}
    return asdict(
        Deployed(
            arm=arm.kind.name,
            parts=parts,
            seconds=round(seconds, 2),
            promises={name: judged(own) for name, own in by_promise.items()},
            interrupted={name: round(interrupted(own), 2) for name, own in by_promise.items()},
            failed={name: sum(each.kept == "failed" for each in own) for name, own in by_promise.items()},
        )
    )


def reaches() -> list[dict[str, object]]:
    """In the monolith, and in the service by itself."""
    places = (
        (ROOT, "monolith/reviews/services.py"),
        (ROOT / "extracted" / "reviews", "reviews_service/reviews/services.py"),
    )
    return [asdict(_reach(root, file)) for root, file in places]


def parts(arms: Sequence[Arm]) -> list[dict[str, object]]:
    return [asdict(_parts(arm)) for arm in arms]


def lines_of(folders: Sequence[Path]) -> int:
    """Lines of Python that are not blank, without tests and migrations."""
    return sum(
        sum(bool(line.strip()) for line in file.read_text(encoding="utf-8").splitlines())
        for folder in folders
        for file in folder.rglob("*.py")
        if not {"tests", "migrations"} & set(file.parts)
    )


def _reach(root: Path, file: str) -> Reach:
    found = ask(root, [str(root / file)], Kept(usual_place())).blast
    kinds = Counter(entry.kind for entry in found.entries)
    return Reach(
        where=(root / file).relative_to(ROOT).as_posix(),
        routes=kinds["route"],
        tasks=kinds["task"],
        tests=kinds["test"],
        tables=len({table.touch.table for table in found.tables}),
    )


def _parts(arm: Arm) -> Parts:
    deployables = list(_deployables(arm))
    changed = "reviews" if arm.kind.serves_apart else deployables[0]
    return Parts(
        arm=arm.kind.name,
        processes=sum(process.name not in {"visitors", "aws", "payment"} for process in arm.processes()),
        databases=len(arm.kind.databases),
        deployables=len(deployables),
        lines=_lines(changed),
        all_lines=sum(map(_lines, deployables)),
    )


def _deployables(arm: Arm) -> Iterator[str]:
    yield "modular" if arm.kind.name == "modular" else "monolith"
    yield from (part for part in ("reviews", "notifications", "proxy") if arm.has(part))


def _lines(deployable: str) -> int:
    return lines_of([ROOT / folder for folder in _LINES[deployable]])


def _of(attempts: list[Attempt], promise: str) -> list[Attempt]:
    return [attempt for attempt in attempts if attempt.promise == promise]
