from dataclasses import replace

import pytest

from strangler.plans.errors import PlanError
from strangler.plans.operations import CutForeignKey, MoveTables
from strangler.plans.writer import write_cuts
from tests.unit.strangler.plans.fake_world import foreign_key, model, schema

PRODUCT = CutForeignKey("reviews.Review.product", keep="product_id", migration="0002_cut")
AGAIN = CutForeignKey("reviews.Vote.review", keep="review_id", migration="0002_cut")


def test_it_is_described_with_field_and_column():
    assert PRODUCT.describe() == "Cut foreign key reviews.Review.product, keep product_id"


def test_the_state_knows_the_cut(state, key):
    assert PRODUCT.state_forwards(key, state).is_cut("reviews.Review.product")
    assert not state.is_cut("reviews.Review.product")


def test_a_wrong_column_is_refused_with_the_right_one(state, key):
    with pytest.raises(PlanError, match='is stored in column "product_id", not in "product"'):
        CutForeignKey("reviews.Review.product", keep="product", migration="0002_cut").state_forwards(key, state)


def test_cutting_twice_is_refused(state, key):
    with pytest.raises(PlanError, match="is cut already"):
        PRODUCT.state_forwards(key, PRODUCT.state_forwards(key, state))


def test_cutting_after_the_move_is_refused(state, key):
    moved = MoveTables(["reviews.Review", "reviews.Vote"]).state_forwards(key, PRODUCT.state_forwards(key, state))
    with pytest.raises(PlanError, match=r'table of "reviews.Vote" has moved already'):
        AGAIN.state_forwards(key, moved)


def test_a_shared_migration_is_applied_once_and_undone_with_the_first_cut(world, state, key, migrations, events):
    one = PRODUCT.state_forwards(key, state)
    two = AGAIN.state_forwards(key, one)
    PRODUCT.forwards(world, state, one)
    AGAIN.forwards(world, one, two)
    AGAIN.backwards(world, one, two)
    assert migrations.applied == {("reviews", "0002_cut")}
    PRODUCT.backwards(world, state, one)
    PRODUCT.backwards(world, state, one)
    assert [event for event in events if event[0] != "progress"] == [("applied", "0002_cut"), ("unapplied", "0002_cut")]


def test_the_dry_run_shows_the_sql_once(world, state, key, migrations):
    one = PRODUCT.state_forwards(key, state)
    assert "ALTER TABLE reviews DROP;" in list(PRODUCT.effects(world, state, one))
    assert not any("ALTER" in line for line in AGAIN.effects(world, one, AGAIN.state_forwards(key, one)))
    assert migrations.applied == set()


def test_the_dry_run_backwards_shows_the_sql_with_the_first_cut_only(world, state, key):
    one = PRODUCT.state_forwards(key, state)
    two = AGAIN.state_forwards(key, one)
    assert not any("ALTER" in line for line in AGAIN.undo_effects(world, one, two))
    assert "ALTER TABLE reviews ADD;" in list(PRODUCT.undo_effects(world, state, one))


def test_on_deletes_of_the_toolkit_are_owed_by_the_service_and_others_by_nobody(state, key):
    ours = schema(product_on_delete="strangler.deletion.cascade")
    (owed,) = PRODUCT.state_forwards(key, replace(state, schema=ours)).cleanups
    assert (owed.service, owed.field, owed.column, owed.on_delete) == (
        *("reviews", "reviews.Review.product"),
        *("product_id", "cascade"),
    )
    assert PRODUCT.state_forwards(key, state).cleanups == ()
    assert AGAIN.state_forwards(key, state).cleanups == ()


def test_without_a_migration_nothing_is_applied_or_undone(world, state, key, events):
    free = replace(foreign_key("product", "catalog.Product"), constraint=False)
    others = tuple(found for found in state.schema.models if found.label != "reviews.Review")
    state = replace(state, schema=replace(state.schema, models=(*others, model("reviews.Review", free))))
    cut = CutForeignKey("reviews.Review.product", keep="product_id")
    after = cut.state_forwards(key, state)
    cut.forwards(world, state, after)
    cut.backwards(world, state, after)
    assert events == []
    assert "nothing is dropped" in next(cut.effects(world, state, after))
    assert "nothing is put back" in next(cut.undo_effects(world, state, after))
    assert list(write_cuts(after.cuts)) == []
