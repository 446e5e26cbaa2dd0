"""The executor over a world in memory: what is applied, what is refused, what a crash at any event leaves."""

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.errors import StranglerError
from strangler.plans import Operation, Plan
from strangler.plans.errors import PlanError
from strangler.plans.executor import PlanExecutor
from strangler.plans.project import Project
from strangler.plans.recorder import PlanRecorder
from strangler.plans.standing import Position
from strangler.plans.world import World
from tests.unit.strangler.plans.fake_world import FakeMigrations, FakeMove, FakeTraffic, schema


@dataclass(frozen=True)
class Put(Operation):
    """Puts a letter into the set that stands for the world, and takes it out again."""

    letter: str
    final: bool = False
    reversible: bool = True

    def describe(self):
        return f"Put {self.letter}"

    def state_forwards(self, plan, state):
        if self.letter == "?":
            raise PlanError("there is no such letter")
        return replace(state, retired_code=(*state.retired_code, self.letter))

    def effects(self, world, before, after):
        yield f"PUT {self.letter};"

    def undo_effects(self, world, before, after):
        yield f"TAKE {self.letter};"

    def forwards(self, world, before, after):
        world.emit("step", step="putting")
        world.migrations.applied.add(self.letter)
        world.emit("step", step="put")

    def backwards(self, world, before, after):
        world.emit("step", step="taking")
        world.migrations.applied.discard(self.letter)
        world.emit("step", step="taken")


class Killed(BaseException):
    """As good as kill -9: nobody catches it, nothing is tidied up."""


class MortalRecorder(PlanRecorder):
    """Dies right before or after it has written its nth event."""

    def __init__(self, path, plan, life):
        super().__init__(path, plan, who="ada")
        self.life = life

    def append(self, event, **entry):
        self.life.pop() if self.life else self._die()
        return super().append(event, **entry)

    def _die(self):
        raise Killed


@dataclass
class System:
    directory: object
    plans: tuple
    migrations: FakeMigrations = field(default_factory=lambda: FakeMigrations([]))
    locked: set = field(default_factory=set)

    @property
    def letters(self):
        return "".join(sorted(self.migrations.applied))

    def recorder(self, plan, life=None):
        path = self.directory / plan.name / "record.jsonl"
        return PlanRecorder(path, plan.name, who="ada") if life is None else MortalRecorder(path, plan.name, life)

    def executor(self, life=None):
        return PlanExecutor(
            project=Project(self.plans, schema()),
            recorder=lambda plan: self.recorder(plan, life),
            world=self.world,
            lock=self.lock,
        )

    def world(self, plan, emit):
        return World(
            plan=plan.key,
            root=self.directory,
            migrations=self.migrations,
            move=lambda state: FakeMove([]),
            traffic=FakeTraffic([]),
            publish_routes=lambda: None,
            gate=lambda: None,
            emit=emit,
        )

    @contextmanager
    def lock(self, name):
        if name in self.locked:
            raise PlanError(f'plan "{name}" is already running elsewhere')
        self.locked.add(name)
        try:
            yield lambda: self.hold(name)
        finally:
            self.locked.discard(name)

    def hold(self, name):
        if name not in self.locked:
            raise PlanError(f'the lock of plan "{name}" is lost')


def plan(name, *operations, dependencies=()):
    return type("Plan", (Plan,), {"service": "s", "operations": operations, "dependencies": dependencies})(name, None)


ABC = plan("0001_abc", Put("a"), Put("b"), Put("c"))


@pytest.fixture
def system(tmp_path):
    return System(tmp_path, (ABC,))


def test_forwards_applies_everything_once(system):
    assert system.executor().run(ABC) == 3
    assert system.executor().run(ABC) == 0
    assert system.letters == "abc"


def test_a_plan_goes_to_any_position_in_either_direction(system):
    for to, letters in ((2, "ab"), (1, "a"), (3, "abc"), (0, ""), (0, "")):
        system.executor().run(ABC, to)
        assert system.letters == letters
        assert system.recorder(ABC).applied() == to


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 14)), max_size=6))
def test_whatever_crashes_happen_the_last_run_decides(tmp_path_factory, runs):
    system = System(tmp_path_factory.mktemp("plans"), (ABC,))
    for to, life in runs:
        try:
            system.executor([None] * life).run(ABC, to)
        except Killed:
            position = system.recorder(ABC).position()
            assert set("abc"[: position.lowest]) <= set(system.letters) <= set("abc"[: position.highest])
    for to in (3, 1, 0):
        system.executor().run(ABC, to)
        assert system.letters == "abc"[:to]


def test_a_failure_is_recorded_and_the_same_call_goes_on(system):
    class Fails(Put):
        def forwards(self, world, before, after):
            if not (system.directory / "repaired").exists():
                raise StranglerError("the wire is cut")
            super().forwards(world, before, after)

    system.plans = (plan("0001_abc", Put("a"), Fails("b"), Put("c")),)
    with pytest.raises(StranglerError, match="the wire is cut"):
        system.executor().run(system.plans[0])
    *_, last = system.recorder(ABC).entries()
    assert (last.event, last.facts, last.operation) == ("failed", {"error": "the wire is cut"}, "Put b")
    assert system.letters == "a"
    (system.directory / "repaired").touch()
    assert system.executor().run(system.plans[0]) == 2
    assert system.letters == "abc"


def test_a_final_operation_runs_only_when_asked_for(system):
    final = plan("0001_abc", Put("a"), Put("b", final=True, reversible=False))
    system.plans = (final,)
    system.executor().run(final)
    assert system.letters == "a"
    with pytest.raises(PlanError, match=r"operation 2 .* is final; add --final"):
        system.executor().run(final, 2)
    system.executor().run(final, final=True)
    assert system.letters == "ab"
    assert system.executor().run(final) == 0


def test_nothing_is_undone_where_one_operation_cannot_be(system):
    stuck = plan("0001_abc", Put("a"), Put("b", reversible=False), Put("c"))
    system.plans = (stuck,)
    system.executor().run(stuck)
    with pytest.raises(PlanError, match=r"operation 2 of plan .* cannot be undone"):
        system.executor().run(stuck, 0)
    assert system.letters == "abc"


def test_plans_are_applied_and_undone_in_their_order(system):
    later = plan("0002_d", Put("d"), dependencies=["0001_abc"])
    system.plans = (ABC, later)
    with pytest.raises(PlanError, match='needs plan "0001_abc" to be applied before'):
        system.executor().run(later)
    system.executor().run(ABC)
    system.executor().run(later)
    with pytest.raises(PlanError, match='plan "0002_d" needs plan "0001_abc" and is applied'):
        system.executor().run(ABC, 0)
    assert system.letters == "abcd"


def test_a_plan_that_is_running_is_refused(system):
    with system.lock("0001_abc"), pytest.raises(PlanError, match="already running"):
        system.executor().run(ABC)
    assert system.letters == ""


def test_a_plan_that_does_not_fit_is_refused_before_the_first_effect(system):
    system.plans = (plan("0001_abc", Put("a"), Put("?")),)
    with pytest.raises(PlanError, match="operation 2: there is no such letter"):
        system.executor().run(system.plans[0])
    assert system.letters == ""
    assert not (system.directory / "0001_abc").exists()


def test_an_applied_operation_must_not_be_edited_and_an_open_one_may(system):
    system.executor().run(ABC, 1)
    system.plans = (plan("0001_abc", Put("x"), Put("b")),)
    with pytest.raises(PlanError, match="was changed at or before operation 1"):
        system.executor().run(system.plans[0])
    system.plans = (plan("0001_abc", Put("a"), Put("y"), Put("z")),)
    system.executor().run(system.plans[0])
    assert system.letters == "ayz"


@pytest.mark.parametrize("to", [-1, 4])
def test_a_position_that_does_not_exist_is_refused(system, to):
    with pytest.raises(PlanError, match=f"has 3 operations; {to} is none of them"):
        system.executor().run(ABC, to)


def test_a_dry_run_shows_every_effect_and_has_none(system):
    lines = list(system.executor().effects(ABC, 2))
    assert lines == ["-- 1. Put a", "PUT a;", "-- 2. Put b", "PUT b;"]
    system.executor().run(ABC, 2)
    assert list(system.executor().effects(ABC, 1)) == ["-- 2. Undo: Put b", "TAKE b;"]
    assert system.letters == "ab"


def test_a_dry_run_of_a_new_plan_leaves_no_record(system):
    list(system.executor().effects(ABC))
    assert system.letters == ""
    assert not (system.directory / "0001_abc").exists()


@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 14), st.integers(0, 3))
def test_after_branches_of_a_record_were_merged_one_run_settles_what_they_do_not_agree_on(
    tmp_path_factory, base, ours, life, to
):
    """Two checkouts ran the plan in one world, each with its own copy of the record; then both were merged."""
    system = System(tmp_path_factory.mktemp("plans"), (ABC,))
    system.executor().run(ABC, base)
    path = system.recorder(ABC).path
    before = path.read_bytes() if path.exists() else b""
    with suppress(Killed):
        system.executor([None] * life).run(ABC, ours)
    left = path.read_bytes().removeprefix(before) if path.exists() else b""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(before)
    system.executor().run(ABC, 3)
    path.write_bytes(before + left + path.read_bytes().removeprefix(before))
    system.executor().run(ABC, to)
    assert system.letters == "abc"[:to]
    assert system.recorder(ABC).position() == Position(lowest=to, highest=to)


def test_a_run_that_lost_its_lock_records_nothing_more(system):
    class Loses(Put):
        def forwards(self, world, before, after):
            system.locked.clear()
            super().forwards(world, before, after)

    system.plans = (plan("0001_abc", Put("a"), Loses("b"), Put("c")),)
    with pytest.raises(PlanError, match=r"the lock .* is lost"):
        system.executor().run(system.plans[0])
    assert [entry.event for entry in system.recorder(ABC).entries()][-1] == "started"
    assert system.letters == "a"


def test_a_damaged_record_is_refused_before_the_first_effect(system):
    system.executor().run(ABC, 2)
    path = system.recorder(ABC).path
    path.write_text(path.read_text().replace("ada", "eve", 1))
    with pytest.raises(PlanError, match="line 1, was changed after it was written"):
        system.executor().run(ABC)
    assert system.letters == "ab"
