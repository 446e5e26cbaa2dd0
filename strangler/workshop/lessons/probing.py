"""What the learner's plan, models and migrations come to, asked of an interpreter of their own."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding

_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Probed:
    """What "probe.py" says, or why it could not say it."""

    problems: tuple[str, ...] = ()
    """What "checkplans" complains of."""
    operations: tuple[Mapping[str, Any], ...] = ()
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cuts: Mapping[str, list[str]] = field(default_factory=dict)
    """By the name of a migration of the reviews, the keys whose constraints it drops, as "review.product"."""
    unmigrated: tuple[str, ...] = ()
    """What "makemigrations" would write."""
    pages: tuple[str, ...] = ()
    """The admin's pages that show reviews or votes."""
    broken: Finding | None = None

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        """The plan's operations of one kind."""
        return [operation for operation in self.operations if operation["kind"] == kind]


def probe(bench: Bench) -> Probed:
    """Ask Orchard."""
    said, broken = ask(bench, "probe.py", ".")
    if broken is not None:
        return Probed(broken=broken)
    return Probed(
        problems=tuple(said["problems"]),
        operations=tuple(said["operations"]),
        fields=said["fields"],
        cuts=said["cuts"],
        unmigrated=tuple(said["unmigrated"]),
        pages=tuple(said["pages"]),
    )


def ask(bench: Bench, name: str, folder: str) -> tuple[Mapping[str, Any], Finding | None]:
    """What one of our probes says in a folder of the learner's, or why it cannot say it."""
    return _said(bench, Path(__file__).with_name(name), folder)


def experiment(bench: Bench, program: Path) -> tuple[Mapping[str, Any], Finding | None]:
    """What a lab's program says of the learner's code, or why it cannot; "program" is ours, not the learner's copy."""
    return _said(bench, program, ".", "--json")


def _said(bench: Bench, program: Path, folder: str, *arguments: str) -> tuple[Mapping[str, Any], Finding | None]:
    done = bench.run(sys.executable, "-P", str(program), *arguments, seconds=_SECONDS, folder=folder)
    if not done.returncode:
        return json.loads(done.stdout), None
    lines = [line for line in done.stderr.strip().splitlines() if line.strip()] or ["it said nothing"]
    places = [line.strip() for line in lines if line.strip().startswith(f'File "{bench.home}')]
    where = places[-1].replace(f"{bench.home}/", "") if places else 'what "python manage.py check" says there'
    return {}, Finding(what=f'what is in "{folder}" does not start: {lines[-1]}', where=where)
