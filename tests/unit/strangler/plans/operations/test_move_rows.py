from dataclasses import replace

import pytest

from strangler.plans.errors import PlanError
from strangler.plans.fingerprint import fingerprint
from strangler.plans.moves import move_spec
from strangler.plans.operations import CutForeignKey, MoveRoutes, MoveRows, MoveTables, RetireTables
from strangler.plans.plan import Plan
from strangler.plans.source import source_of
from tests.unit.strangler.plans.fake_world import foreign_key, model

ROWS = MoveRows({"reviews.Review": "product_id IN (4, 7)", "reviews.Vote": "shop = 'b'"})
CUT = CutForeignKey("reviews.Review.product", keep="product_id", migration="0002_cut")


@pytest.fixture
def cut(state, key):
    return CUT.state_forwards(key, state)


def test_it_is_described_with_each_condition():
    assert ROWS.describe() == "Move rows of reviews.Review where product_id IN (4, 7); reviews.Vote where shop = 'b'"
    assert MoveRows({"a.A": "x = 1\n  AND y = 2"}).describe() == "Move rows of a.A where x = 1 AND y = 2"


def test_the_move_bears_the_conditions_by_table_parents_first(cut, key):
    after = ROWS.state_forwards(key, cut)
    spec = move_spec(key, after)
    assert spec.moved == ("reviews_review", "reviews_vote")
    assert spec.where == {"reviews_review": "product_id IN (4, 7)", "reviews_vote": "shop = 'b'"}
    assert after.owner_of_table("reviews.Vote") == "reviews"
    whole = MoveTables(["reviews.Review", "reviews.Vote"]).state_forwards(key, cut)
    assert move_spec(key, whole).where == {}


def test_it_stands_for_move_tables_wherever_that_may_stand(cut, key):
    after = MoveRoutes(["/api/tenants/4/"]).state_forwards(key, ROWS.state_forwards(key, cut))
    assert RetireTables(["reviews.Review", "reviews.Vote"]).state_forwards(key, after).retired_tables


def test_the_boundary_is_that_of_whole_tables(state, cut, key):
    with pytest.raises(PlanError, match=r'"reviews.Review.product" points from one service to another; cut it'):
        ROWS.state_forwards(key, state)
    with pytest.raises(PlanError, match=r'"reviews.Vote.review" points from one service'):
        MoveRows({"reviews.Review": "true"}).state_forwards(key, cut)


def test_tables_and_rows_of_one_plan_move_at_once(cut, key):
    moved = ROWS.state_forwards(key, cut)
    with pytest.raises(PlanError, match="name them all in one MoveRows"):
        MoveRows({"orders.Order": "true"}).state_forwards(key, moved)
    with pytest.raises(PlanError, match="name them all in one MoveTables"):
        MoveTables(["orders.Order"]).state_forwards(key, moved)
    with pytest.raises(PlanError, match='has moved already, with plan "0001_reviews"'):
        ROWS.state_forwards(replace(key, name="0002_other"), moved)


def test_an_on_delete_that_asks_the_whole_table_is_refused(state, key):
    """It would leave the rows of those who stay alone as well."""
    ours = foreign_key("author", "reviews.Review", "strangler.deletion.cascade")
    others = tuple(found for found in state.schema.models if found.label != "reviews.Vote")
    state = replace(state, schema=replace(state.schema, models=(*others, model("reviews.Vote", ours))))
    state = CUT.state_forwards(key, state)
    with pytest.raises(
        PlanError, match=r'once rows of "reviews.Vote" have moved, the on_delete of "reviews.Vote.author"'
    ):
        ROWS.state_forwards(key, state)
    assert MoveTables(["reviews.Review", "reviews.Vote"]).state_forwards(key, state).moved


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [({}, "MoveRows names no model"), ({"reviews.Revue": "true"}, 'unknown model "reviews.Revue"')],
)
def test_what_cannot_be_moved_is_refused(cut, key, rows, sentence):
    with pytest.raises(PlanError, match=sentence):
        MoveRows(rows).state_forwards(key, cut)


def test_an_empty_condition_is_refused_when_it_is_written():
    with pytest.raises(ValueError, match=r'condition of "a.A" is empty'):
        MoveRows({"a.A": " "})


def test_the_dry_run_names_the_rows_both_ways_and_does_nothing(world, cut, key, events):
    after = ROWS.state_forwards(key, cut)
    assert "-- copy reviews_review WHERE product_id IN (4, 7)" in list(ROWS.effects(world, cut, after))
    assert "-- reviews: empty reviews_vote WHERE shop = 'b'" in list(ROWS.undo_effects(world, cut, after))
    assert events == []


def test_a_mapping_and_what_is_written_down_of_it_are_the_same():
    pairs = MoveRows([["reviews.Review", "product_id IN (4, 7)"], ["reviews.Vote", "shop = 'b'"]])
    assert pairs == ROWS
    assert fingerprint("reviews", [pairs]) == fingerprint("reviews", [ROWS])
    assert fingerprint("reviews", [ROWS]) != fingerprint("reviews", [MoveRows({"reviews.Review": "true"})])
    plan = type("Plan", (Plan,), {"service": "reviews", "operations": [ROWS]})("0001_reviews", None)
    namespace = {}
    exec(source_of([plan], lambda plan: ()), namespace)
    assert namespace["Plan"].replaces[0].operations == [ROWS]
