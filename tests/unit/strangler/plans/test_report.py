import pytest

from strangler.plans import Plan
from strangler.plans.operations import MoveTables, RetireTables
from strangler.plans.recorder import PlanRecorder
from strangler.plans.report import report_plan
from strangler.plans.standing import BACKWARDS, FORWARDS, Event

OPERATIONS = (MoveTables(["a.A"]), MoveTables(["a.B"]), RetireTables(["a.A", "a.B"]))
PLAN = type("Plan", (Plan,), {"service": "a", "operations": OPERATIONS})("0001_a", None)


@pytest.mark.parametrize(
    ("events", "states", "whole"),
    [
        ([], ["open", "open", "open"], "open"),
        ([(0, Event.STARTED)], ["half done", "open", "open"], "half done"),
        ([(0, Event.DONE)], ["applied", "open", "open"], "begun"),
        ([(1, Event.DONE)], ["applied", "applied", "open"], "applied"),
        ([(1, Event.DONE), (2, Event.FAILED)], ["applied", "applied", "open"], "applied"),
        ([(2, Event.DONE)], ["applied", "applied", "applied"], "over"),
        ([(1, Event.DONE), (1, Event.STARTED, BACKWARDS)], ["applied", "half done", "open"], "half done"),
    ],
)
def test_a_plan_and_its_operations_are_told_in_a_word(tmp_path, events, states, whole):
    recorder = PlanRecorder(tmp_path / "record.jsonl", "0001_a")
    for index, event, *direction in events:
        where = direction[0] if direction else FORWARDS
        digest = PLAN.digest(index + 1)
        recorder.append(event, plan_hash=digest, index=index, operation="", direction=where, facts={})
    report = report_plan(PLAN, recorder)
    assert [operation.state for operation in report.operations] == states
    assert report.state == whole
    assert report.applied == states.count("applied")


def test_of_a_damaged_record_nothing_is_believed(tmp_path):
    recorder = PlanRecorder(tmp_path / "record.jsonl", "0001_a")
    recorder.path.write_text("nonsense\n")
    report = report_plan(PLAN, recorder)
    assert {operation.state for operation in report.operations} == {"unknown"}
    assert report.state == "damaged"
    assert str(report).splitlines()[-1].startswith(f' [!] the record "{recorder.path}", line 1, cannot be read')
