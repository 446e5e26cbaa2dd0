from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.plans.errors import PlanError
from strangler.plans.moves import move_spec, parents_first
from strangler.plans.schema import Schema
from strangler.plans.state import Moved, Replicated
from tests.unit.strangler.plans.fake_world import foreign_key, model


def moved(*models):
    return tuple(Moved(plan="0001_reviews", service="reviews", model=label) for label in models)


@pytest.mark.parametrize("order", [("reviews.Review", "reviews.Vote"), ("reviews.Vote", "reviews.Review")])
def test_parents_come_before_children_however_they_are_named(state, key, order):
    assert move_spec(key, replace(state, moved=moved(*order))).moved == ("reviews_review", "reviews_vote")


def test_the_replicated_tables_of_the_plan_go_with_it(state, key):
    mine = Replicated(plan=key.name, service="reviews", model="catalog.Product", columns=("id", "name"))
    other = replace(mine, plan="0002_other", model="accounts.User")
    spec = move_spec(key, replace(state, moved=moved("reviews.Review"), replicated=(mine, other)))
    assert [(r.table, r.columns) for r in spec.replicated] == [("catalog_product", ("id", "name"))]


def test_a_model_may_point_at_itself_but_not_two_at_each_other(state, key):
    tree = model("shop.Tree", foreign_key("parent", "shop.Tree"))
    egg, hen = model("shop.Egg", foreign_key("hen", "shop.Hen")), model("shop.Hen", foreign_key("egg", "shop.Egg"))
    state = replace(state, schema=replace(state.schema, models=(tree, egg, hen)))
    assert move_spec(key, replace(state, moved=moved("shop.Tree"))).moved == ("shop_tree",)
    with pytest.raises(PlanError, match="in a cycle, shop"):
        move_spec(key, replace(state, moved=moved("shop.Egg", "shop.Hen")))


def test_a_plan_without_tables_has_no_move(state, key):
    with pytest.raises(PlanError, match='plan "0001_reviews" moves and replicates no tables; there is nothing of it'):
        move_spec(key, state)


def test_copies_alone_are_a_move_too(state, key):
    copy = Replicated(plan=key.name, service="reviews", model="catalog.Product", columns=("id", "name"))
    spec = move_spec(key, replace(state, replicated=(copy,)))
    assert (spec.moved, [replica.table for replica in spec.replicated]) == ((), ["catalog_product"])


@given(st.integers(1, 8), st.data())
def test_any_models_without_a_cycle_are_ordered_and_any_with_one_are_refused(count, data):
    labels = [f"shop.M{n}" for n in range(count)]
    pairs = st.tuples(st.sampled_from(labels), st.sampled_from(labels))
    edges = data.draw(st.lists(pairs, max_size=12, unique=True))
    models = [
        model(label, *(foreign_key(f"to_{parent[5:].lower()}", parent) for child, parent in edges if child == label))
        for label in labels
    ]
    try:
        order = parents_first(data.draw(st.permutations(labels)), Schema(models=tuple(models)))
    except PlanError as error:
        assert "in a cycle" in str(error)
        assert any(reaches(edges, parent, child) for child, parent in edges if parent != child)
    else:
        assert sorted(order) == labels
        assert all(order.index(parent) < order.index(child) for child, parent in edges if parent != child)


def reaches(edges, start, end):
    """Whether one comes from start to end along foreign keys, those to the own table left out."""
    seen, ahead = set(), {start}
    while ahead:
        seen |= ahead
        ahead = {parent for child, parent in edges if child in ahead and parent != child} - seen
    return end in seen
