import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.plans.chain import seal
from strangler.plans.errors import PlanError
from strangler.plans.recorder import PlanRecorder
from strangler.plans.standing import BACKWARDS, FORWARDS, Event, Position


@pytest.fixture
def recorder(tmp_path):
    return PlanRecorder(tmp_path / "0001_reviews" / "record.jsonl", "0001_reviews", who="ada")


def record(recorder, event, index=0, direction=FORWARDS, **facts):
    return recorder.append(
        event, plan_hash=f"hash{index}", index=index, operation="Move", direction=direction, facts=facts
    )


def test_what_was_appended_is_read_back_in_order(recorder):
    written = [record(recorder, Event.STARTED), record(recorder, Event.PROGRESS, rows=7, where="Zürich")]
    assert list(recorder.entries()) == written
    assert written[1].after == (written[0].hash,)


def test_a_plan_without_a_record_has_nothing_applied(recorder):
    assert (recorder.applied(), recorder.position()) == (0, Position())
    assert not recorder.path.exists()


def test_a_started_operation_is_half_done_until_it_is_done(recorder):
    record(recorder, Event.STARTED, 2)
    assert recorder.position() == Position(lowest=2, highest=3)
    record(recorder, Event.FAILED, 2)
    assert recorder.position().half_done
    record(recorder, Event.DONE, 2)
    assert recorder.position() == Position(lowest=3, highest=3)


def test_an_undone_operation_is_not_applied_any_more_and_stays_in_the_record(recorder):
    for direction in (FORWARDS, BACKWARDS):
        record(recorder, Event.STARTED, 0, direction)
        record(recorder, Event.DONE, 0, direction)
    assert recorder.applied() == 0
    assert len(list(recorder.entries())) == 4


@given(data=st.data())
def test_a_torn_last_line_is_no_event_and_is_cut_by_the_next_one(tmp_path_factory, data):
    recorder = PlanRecorder(tmp_path_factory.mktemp("record") / "record.jsonl", "0001_reviews", who="ada")
    first = record(recorder, Event.STARTED, text="ü{}")
    record(recorder, Event.DONE, nested={"a": {}}, text="é")
    whole = recorder.path.read_bytes()
    start = whole.index(b"\n") + 1
    recorder.path.write_bytes(whole[: data.draw(st.integers(start, len(whole) - 1))])
    assert list(recorder.entries()) == [first]
    last = record(recorder, Event.STARTED, 1)
    assert list(recorder.entries()) == [first, last]


def test_a_broken_line_in_the_middle_is_refused_with_its_number(recorder):
    record(recorder, Event.STARTED)
    recorder.path.write_text("nonsense\n" + recorder.path.read_text())
    with pytest.raises(PlanError, match="line 1, cannot be read"):
        list(recorder.entries())


def test_every_event_is_one_line_of_json_that_says_who_and_when(recorder):
    record(recorder, Event.DONE, text="two\nlines")
    (line,) = recorder.path.read_text().splitlines()
    entry = json.loads(line)
    assert (entry["who"], entry["plan"], entry["event"]) == ("ada", "0001_reviews", "done")
    assert entry["at"].endswith("+00:00")


def test_an_unwritable_record_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    recorder = PlanRecorder(tmp_path / "file" / "record.jsonl", "0001_reviews")
    with pytest.raises(PlanError, match=r"the record .* cannot be written"):
        record(recorder, Event.STARTED)


def test_an_event_prints_as_a_line_under_its_operation(recorder):
    started = record(recorder, Event.STARTED, 2, BACKWARDS)
    step = record(recorder, Event.STEP, 2, BACKWARDS, step="fence", attempt=1)
    assert str(started)[8:] == " 3. Undo: Move"
    assert str(step)[8:] == "    step fence, attempt 1"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda lines: [lines[0].replace('"ada"', '"eve"'), *lines[1:]], "line 1, was changed after it was written"),
        (lambda lines: [lines[0], *lines[2:]], 'line 2, follows a line "[0-9a-f]{32}" that is not there'),
        (lambda lines: [lines[0], lines[2], lines[1]], "line 2, stands before line 3, which it follows"),
        (lambda lines: [*lines, "<<<<<<< HEAD\n"], "line 4, is a mark of a merge"),
    ],
)
def test_a_record_that_was_tampered_with_is_refused_with_the_line_and_what_to_do(recorder, damage, sentence):
    for event in (Event.STARTED, Event.STEP, Event.DONE):
        record(recorder, event)
    recorder.path.write_text("".join(damage(recorder.path.read_text().splitlines(keepends=True))))
    damaged = recorder.path.read_bytes()
    recorder = PlanRecorder(recorder.path, recorder.plan)
    for use in (recorder.entries, recorder.position, lambda: record(recorder, Event.STEP)):
        with pytest.raises(PlanError, match=f'the record ".*record.jsonl", {sentence}.*; (restore|keep) the'):
            use()
    assert recorder.path.read_bytes() == damaged


def test_everything_that_is_wrong_is_told_in_the_order_of_the_lines(recorder):
    for event in (Event.STARTED, Event.STEP, Event.DONE, Event.STARTED):
        record(recorder, event)
    one, two, _, four = recorder.path.read_text().splitlines(keepends=True)
    recorder.path.write_text(one + two.replace("step", "done") + "{}\n" + four)
    assert [fault.split(", line ")[1][:9] for fault in recorder.read().faults] == [
        "2, was ch",
        "3, cannot",
        "4, follow",
    ]
    assert [entry.event for entry in recorder.read().entries] == ["started", "done", "started"]


def test_the_lines_of_another_plans_record_are_refused(recorder):
    record(recorder, Event.STARTED)
    other = PlanRecorder(recorder.path, "0002_orders")
    with pytest.raises(PlanError, match='line 1, speaks of another plan, "0001_reviews"'):
        other.position()


def test_a_line_of_other_fields_is_refused(recorder):
    line, _ = seal({"plan": "0001_reviews", "mood": "good"}, [])
    recorder.path.parent.mkdir()
    recorder.path.write_bytes(line)
    with pytest.raises(PlanError, match="line 1, cannot be read"):
        recorder.entries()


def test_two_writers_that_know_nothing_of_each_other_leave_a_sound_record(recorder):
    other = PlanRecorder(recorder.path, recorder.plan, who="bob")
    for writer in (recorder, other, recorder, other, other, recorder):
        record(writer, Event.STEP)
    assert [entry.who for entry in recorder.entries()] == ["ada", "bob", "ada", "bob", "bob", "ada"]
    assert len(recorder.read().heads) == 1


def test_the_next_event_joins_the_ends_that_a_merge_left(recorder):
    record(recorder, Event.STARTED)
    base = recorder.path.read_text()
    sides = []
    for who in ("ada", "bob"):
        recorder.path.write_text(base)
        record(PlanRecorder(recorder.path, recorder.plan, who=who), Event.STEP)
        sides.append(recorder.path.read_text().removeprefix(base))
    recorder.path.write_text(base + sides[0] + sides[1])
    heads = recorder.read().heads
    joined = record(recorder, Event.DONE)
    assert len(heads) == 2
    assert joined.after == heads
    assert recorder.read().heads == (joined.hash,)
