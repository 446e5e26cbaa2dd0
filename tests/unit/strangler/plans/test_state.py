from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.plans.errors import PlanError
from strangler.plans.operations import CutForeignKey, MoveRoutes, MoveTables, ReplicateTable, RetireCode, RetireTables
from strangler.plans.schema import Schema
from strangler.plans.state import MONOLITH, PlanKey, ProjectState
from tests.unit.strangler.plans.fake_world import foreign_key, model

LETTERS = "abcd"


def project():
    """Four unrelated aggregates, each with a foreign key to the users."""
    aggregates = [model(f"{x}.Thing", foreign_key("user", "accounts.User")) for x in LETTERS]
    return ProjectState(schema=Schema(models=(model("accounts.User"), *aggregates)))


def operations(letter):
    return [
        CutForeignKey(f"{letter}.Thing.user", keep="user_id", migration="0002_cut"),
        MoveTables([f"{letter}.Thing"]),
        MoveRoutes([f"/api/{letter}/"]),
        RetireTables([f"{letter}.Thing"]),
        RetireCode([f"{letter}.services"]),
    ]


def test_what_nobody_moved_is_the_monoliths(state):
    assert state.owner_of_table("reviews.Review") == MONOLITH
    assert state.owner_of_route("/api/reviews/") == MONOLITH


def test_a_state_cannot_be_changed(state):
    with pytest.raises(FrozenInstanceError):
        state.cuts = ()


@given(st.permutations([(letter, step) for letter in LETTERS for step in range(5)]))
def test_any_interleaving_of_plans_ends_with_one_owner_for_each_table_and_route(order):
    state, waiting = project(), {letter: operations(letter) for letter in LETTERS}
    for letter, _ in order:
        before = state
        state = waiting[letter].pop(0).state_forwards(PlanKey(name=f"plan_{letter}", service=letter), state)
        assert before != state
        assert before == ProjectState(**{name: getattr(before, name) for name in before.__dataclass_fields__})
    for letter in LETTERS:
        assert state.owner_of_table(f"{letter}.Thing") == state.owner_of_route(f"/api/{letter}/") == letter
        assert [entry.service for entry in state.moved if entry.model == f"{letter}.Thing"] == [letter]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("cd")), max_size=6))
def test_no_order_of_moves_gives_a_table_two_owners(moves):
    state = project()
    for number, (letter, service) in enumerate(moves):
        key = PlanKey(name=f"plan_{number}", service=service)
        cut = CutForeignKey(f"{letter}.Thing.user", keep="user_id", migration="0002_cut")
        try:
            state = MoveTables([f"{letter}.Thing"]).state_forwards(key, cut.state_forwards(key, state))
        except PlanError:
            assert state.owner_of_table(f"{letter}.Thing") != MONOLITH
    assert len({entry.model for entry in state.moved}) == len(state.moved)


def test_the_state_tells_which_plan_did_what(state, key):
    after = ReplicateTable("catalog.Product", columns=["id"]).state_forwards(key, state)
    assert [entry.model for entry in after.replicated_by("0001_reviews")] == ["catalog.Product"]
    assert after.replicated_by("0002_other") == ()
