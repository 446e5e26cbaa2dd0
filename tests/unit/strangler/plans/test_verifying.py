"""Verification and repair outside of a plan's run: what is recorded, and in which order."""

from contextlib import contextmanager

import pytest

from strangler.plans import Plan
from strangler.plans.errors import PlanError
from strangler.plans.history import history
from strangler.plans.operations import RetireCode
from strangler.plans.recorder import PlanRecorder
from strangler.plans.standing import Event, Position
from strangler.plans.verifying import PlanVerifier
from strangler.split.verification import Difference, Verification


class Wrong:
    """A move whose rows differ until they are repaired."""

    def __init__(self, differences):
        self.differences = tuple(differences)
        self.lines_before = None
        self.recorder = None

    def verify(self):
        return Verification(rows=3_000, differences=self.differences)

    def repair(self, differences):
        self.lines_before = len(self.recorder.entries())
        assert differences == self.differences
        self.differences = ()


@pytest.fixture
def recorder(tmp_path):
    recorder = PlanRecorder(tmp_path / "record.jsonl", "0001_reviews", who="ada")
    for event in (Event.STARTED, Event.DONE):
        recorder.append(event, plan_hash="", index=0, operation="Copy", direction="forwards", facts={})
    return recorder


def verifier(recorder, move, lock):
    class Reviews(Plan):
        service = "reviews"
        operations = [RetireCode(["shop.reviews"])]

    move.recorder = recorder
    return PlanVerifier(plan=Reviews("0001_reviews", recorder.path.parent), move=move, recorder=recorder, lock=lock)


@contextmanager
def free():
    yield lambda: None


def differing(count):
    found = [Difference(table="review", key=(str(n),), what="differs in body") for n in range(count)]
    return [*found, Difference(table="vote", key=("7", "de"), what="missing at the target")]


def test_every_key_is_recorded_before_its_row_is_touched(recorder):
    move = Wrong(differing(700))
    found = verifier(recorder, move, free).verify()
    assert verifier(recorder, move, free).repair(found).equal
    lines = [entry.facts for entry in recorder.entries() if entry.event == Event.REPAIR]
    assert [(line["table"], len(line["keys"])) for line in lines[:-1]] == [
        ("review", 500),
        ("review", 200),
        ("vote", 1),
    ]
    assert lines[2]["keys"] == [["7", "de"]]
    assert move.lines_before == 5
    assert lines[-1] == {
        "step": "verified",
        "equal": True,
        "rows": 3_000,
        "verdict": "3,000 rows are equal on both sides",
    }


def test_a_repair_moves_no_plan_and_is_no_part_of_the_runs_time(recorder):
    before = history(recorder.entries())[0]
    verifier(recorder, Wrong(differing(1)), free).repair(Wrong(differing(1)).verify())
    assert recorder.position() == Position(lowest=1, highest=1)
    (run,) = history(recorder.entries())
    assert (run.outcome, run.ended) == ("done", before.ended)
    assert run.steps[0].what == "repair: table review, keys ['0']"


def test_nothing_is_repaired_while_the_plan_runs(recorder):
    @contextmanager
    def taken():
        raise PlanError("somebody else runs it")
        yield

    move = Wrong(differing(1))
    with pytest.raises(PlanError, match="somebody else"):
        verifier(recorder, move, taken).repair(move.verify())
    assert move.differences
    assert len(recorder.entries()) == 2
