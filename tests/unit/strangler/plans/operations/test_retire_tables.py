from dataclasses import replace

import pytest

from strangler.errors import StranglerError
from strangler.plans.errors import PlanError
from strangler.plans.operations import CutForeignKey, MoveRoutes, MoveTables, RetireTables

RETIRE = RetireTables(["reviews.Review", "reviews.Vote"])


@pytest.fixture
def moved(state, key):
    cut = CutForeignKey("reviews.Review.product", keep="product_id", migration="0002_cut").state_forwards(key, state)
    return MoveTables(["reviews.Review", "reviews.Vote"]).state_forwards(key, cut)


@pytest.fixture
def routed(moved, key):
    return MoveRoutes(["/api/reviews/"]).state_forwards(key, moved)


def test_it_is_final_and_irreversible(world, routed, key):
    assert (RETIRE.final, RETIRE.reversible) == (True, False)
    with pytest.raises(PlanError, match="cannot be undone"):
        RETIRE.backwards(world, routed, routed)


def test_the_state_knows_what_is_retired(routed, key):
    assert RETIRE.state_forwards(key, routed).retired_tables == ("reviews.Review", "reviews.Vote")


def test_nothing_is_retired_while_a_proxy_does_not_know_the_routes(world, routed, key, move):
    def fail():
        raise StranglerError("a proxy does not answer")

    with pytest.raises(StranglerError, match="a proxy does not answer"):
        RETIRE.forwards(replace(world, publish_routes=fail), routed, RETIRE.state_forwards(key, routed))
    assert not move.done


def test_retiring_before_moving_is_refused(state, moved, key):
    with pytest.raises(PlanError, match=r'"reviews.Review" is retired before it is moved'):
        RETIRE.state_forwards(key, state)
    with pytest.raises(PlanError, match="put MoveRoutes before RetireTables"):
        RETIRE.state_forwards(key, moved)


def test_a_part_of_a_move_cannot_be_retired(routed, key):
    with pytest.raises(PlanError, match=r'must name "reviews.Vote" too'):
        RetireTables(["reviews.Review"]).state_forwards(key, routed)


def test_what_is_no_model_of_the_move_is_refused(routed, key):
    with pytest.raises(PlanError, match="RetireTables names no model; name those of the plan's MoveTables"):
        RetireTables([]).state_forwards(replace(key, name="0002_other"), routed)
    with pytest.raises(PlanError, match=r'a move is completed as a whole; RetireTables must name "reviews.Vote" too'):
        RetireTables(["reviews.Review"]).state_forwards(key, routed)
