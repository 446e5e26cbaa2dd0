from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from strangler.plans.history import Copied, Step, history
from strangler.plans.standing import BACKWARDS, FORWARDS, Entry, Event


def entry(number, event, *, after=None, second=None, who="ada", index=6, direction=FORWARDS, **facts):
    return Entry(
        at=f"2026-01-01T12:00:{number if second is None else second:02}+00:00",
        who=who,
        plan="0001_reviews",
        plan_hash="",
        index=index,
        operation="Move routes",
        direction=direction,
        event=event,
        facts=facts,
        after=((str(number - 1),) if number else ()) if after is None else tuple(after),
        hash=str(number),
    )


def test_a_run_has_its_steps_its_rows_its_pause_and_its_end():
    (run,) = history(
        [
            entry(0, Event.STARTED),
            entry(1, Event.PROGRESS, table="review", rows=10, total=30),
            entry(2, Event.PROGRESS, table="vote", rows=5, total=5),
            entry(3, Event.PROGRESS, table="review", rows=30, total=30),
            entry(4, Event.STEP, step="catch_up", position="7/9"),
            entry(5, Event.STEP, step="switched", pause_ms=12.5, equal=True, epochs=[2, 0]),
            entry(6, Event.DONE),
        ]
    )
    assert (run.number, run.who, run.outcome, run.seconds, run.pause_ms) == (7, "ada", "done", 6, 12.5)
    assert run.copied == (Copied(table="vote", rows=5), Copied(table="review", rows=30))
    assert run.rows == 35
    assert run.steps == (
        Step(after=4, what="catch up: position 7/9"),
        Step(after=5, what="switched: pause ms 12.5, equal yes, epochs 2 and 0"),
    )
    assert run.started == datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_run_that_failed_says_why_and_one_that_was_cut_off_is_not_finished():
    runs = history(
        [
            entry(0, Event.STARTED),
            entry(1, Event.FAILED, error="the wire is cut"),
            entry(2, Event.STARTED, direction=BACKWARDS),
            entry(3, Event.STEP, step="fence"),
        ]
    )
    assert [(run.outcome, run.error, run.backwards) for run in runs] == [
        ("failed", "the wire is cut", False),
        ("not finished", "", True),
    ]


def test_progress_that_is_no_copy_is_a_step():
    (run,) = history([entry(0, Event.STARTED), entry(1, Event.PROGRESS, migration="reviews.0002_cut")])
    assert run.steps == (Step(after=1, what="migration reviews.0002_cut"),)


def test_runs_of_two_branches_keep_their_lines_and_come_by_time():
    runs = history(
        [
            entry(0, Event.STARTED, who="bob", second=20),
            entry(1, Event.STEP, after="0", second=21, step="bob's"),
            entry(2, Event.STARTED, after=[], who="ada", second=5),
            entry(3, Event.STEP, after="2", second=6, step="ada's"),
            entry(4, Event.DONE, after="1", second=22),
            entry(5, Event.DONE, after="3", second=7),
        ]
    )
    assert [(run.who, run.steps[0].what, run.outcome) for run in runs] == [
        ("ada", "ada's", "done"),
        ("bob", "bob's", "done"),
    ]


@given(st.lists(st.sampled_from([Event.STARTED, Event.STEP, Event.DONE, Event.FAILED]), max_size=12), st.data())
def test_of_a_damaged_record_the_rest_is_told(events, data):
    entries = [entry(number, event) for number, event in enumerate(events)]
    left = [one for one in entries if data.draw(st.booleans())]
    assert len(history(left)) == sum(one.event == Event.STARTED for one in left)
