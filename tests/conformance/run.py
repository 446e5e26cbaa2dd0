"""Plays cases on an engine, and says how each went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from strangler.rollout.engines.base import EngineError, NotCarried
from tests.conformance.case import Case
from tests.conformance.stage import Stage
from tests.conformance.wire import Broken


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a case went on an engine: as it must, refused with a sentence before anything changed, or wrong."""

    case: Case
    refused: str = ""
    wrong: str = ""

    def __str__(self) -> str:
        return f"{self.case.feature}: {self.case.name}: {self.wrong or self.refused or 'as it must'}"


def run(stage: Stage, cases: Iterable[Case]) -> list[Outcome]:
    """Play them one after the other."""
    return [_play(stage, case) for case in cases]


def _play(stage: Stage, case: Case) -> Outcome:
    try:
        stage.begin(case.table)
    except NotCarried as error:
        return Outcome(case=case, refused=str(error))
    try:
        case.play(stage)
    except (AssertionError, Broken, OSError, EngineError, ValueError) as error:
        return Outcome(case=case, wrong=f"{type(error).__name__}: {error}")
    return Outcome(case=case)
