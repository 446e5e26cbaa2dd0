"""Where a plan stands: after one run after the other, and after branches that were merged."""

from hypothesis import given
from hypothesis import strategies as st

from strangler.plans.standing import BACKWARDS, FORWARDS, Entry, Event, Position, Standing, standing

COUNT = 5


def entry(number, event, index=0, direction=FORWARDS, after=(), plan_hash="p"):
    return Entry(
        at="2026-01-01T00:00:00+00:00",
        who="ada",
        plan="0001_a",
        plan_hash=plan_hash,
        index=index,
        operation="Do",
        direction=direction,
        event=event,
        facts={},
        after=tuple(after),
        hash=str(number),
    )


class Branch:
    """Appends what an executor would on top of what it sees, and knows which operations are applied in truth."""

    def __init__(self, entries=(), heads=()):
        self.entries, self.heads = list(entries), list(heads)

    def append(self, event, index, direction, name):
        self.entries.append(entry(f"{name}{len(self.entries)}", event, index, direction, self.heads))
        self.heads = [self.entries[-1].hash]

    def run(self, to, dies, name):
        position = standing(self.entries).position
        if to >= position.highest:
            steps = [(index, FORWARDS) for index in range(position.lowest, to)]
        else:
            steps = [(index, BACKWARDS) for index in range(position.highest - 1, to - 1, -1)]
            steps += [(index, FORWARDS) for index in range(position.lowest, to)]
        for number, (index, direction) in enumerate(steps):
            self.append(Event.STARTED, index, direction, name)
            if number == dies:
                return
            self.append(Event.STEP, index, direction, name)
            self.append(Event.DONE, index, direction, name)

    def merged_with(self, other, *, first):
        """The lines of both, as a union merge leaves them: ours, then theirs, or the other way round."""
        common = [one for one in self.entries if one in other.entries]
        ours, theirs = ([one for one in side.entries if one not in common] for side in (self, other))
        tail = ours + theirs if first else theirs + ours
        return Branch([*common, *tail], [*self.heads, *other.heads])


RUNS = st.lists(st.tuples(st.integers(0, COUNT), st.integers(0, 2 * COUNT)), max_size=4)


def branches(runs, left, right):
    base = Branch()
    for to, dies in runs:
        base.run(to, dies, "base")
    sides = Branch(base.entries, base.heads), Branch(base.entries, base.heads)
    for side, todo, name in zip(sides, (left, right), ("left", "right"), strict=True):
        for to, dies in todo:
            side.run(to, dies, name)
    return base, *sides


@given(RUNS)
def test_in_one_line_of_runs_the_latest_event_decides(runs):
    branch = Branch()
    for to, dies in runs:
        branch.run(to, dies, "n")
    expected = Position()
    for one in branch.entries:
        if one.event == Event.STARTED:
            expected = Position(lowest=one.index, highest=one.index + 1)
        elif one.event == Event.DONE:
            reached = one.index + (one.direction == FORWARDS)
            expected = Position(lowest=reached, highest=reached)
    assert standing(branch.entries).position == expected


@given(RUNS, RUNS, RUNS)
def test_after_a_merge_the_plan_stands_between_the_sides_that_went_on_whichever_came_first(runs, left, right):
    base, *sides = branches(runs, left, right)
    went_on = [side for side in sides if len(side.entries) > len(base.entries)] or [base]
    positions = [standing(side.entries).position for side in went_on]
    expected = Position(
        lowest=min(position.lowest for position in positions), highest=max(position.highest for position in positions)
    )
    for first in (True, False):
        assert standing(sides[0].merged_with(sides[1], first=first).entries).position == expected


@given(RUNS, RUNS, RUNS, st.integers(0, COUNT))
def test_one_run_after_a_merge_settles_it(runs, left, right, to):
    _, left_side, right_side = branches(runs, left, right)
    merged = left_side.merged_with(right_side, first=True)
    merged.heads = [one for one in dict.fromkeys(merged.heads) if all(one not in e.after for e in merged.entries)]
    merged.run(to, -1, "merged")
    assert standing(merged.entries).position == Position(lowest=to, highest=to)


def test_two_branches_that_applied_two_versions_of_a_plan_are_remembered_both():
    entries = [
        entry(1, Event.STARTED, plan_hash="old"),
        entry(2, Event.STARTED, plan_hash="new"),
    ]
    assert standing(entries).fingerprints == {0: {"old", "new"}}
    joined = [*entries, entry(3, Event.STARTED, plan_hash="new", after=["1", "2"])]
    assert standing(joined).fingerprints == {0: {"new"}}


def test_a_record_of_nothing_says_nothing():
    assert standing([]) == Standing()


def test_a_position_is_a_sentence():
    assert str(Position(lowest=2, highest=2)) == "2 operations applied"
    assert str(Position(lowest=2, highest=3)) == "operation 3 is half done"
    assert str(Position(lowest=2, highest=5)) == "operations 3 to 5 are half done"
