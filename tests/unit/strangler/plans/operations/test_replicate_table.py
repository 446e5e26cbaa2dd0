from dataclasses import replace

import pytest

from strangler.plans.errors import PlanError
from strangler.plans.operations import CutForeignKey, MoveTables, ReplicateTable

PRODUCT = ReplicateTable("catalog.Product", columns=["id", "name"])


def test_the_state_knows_service_and_columns(state, key):
    (entry,) = PRODUCT.state_forwards(key, state).replicated
    assert (entry.service, entry.model, entry.columns) == ("reviews", "catalog.Product", ("id", "name"))


@pytest.mark.parametrize(
    ("operation", "sentence"),
    [
        (ReplicateTable("catalog.Produkt", columns=["id"]), 'unknown model "catalog.Produkt"'),
        (ReplicateTable("catalog.Product", columns=["id", "price"]), 'has no column "price"; it has id, name'),
        (ReplicateTable("catalog.Product", columns=["name"]), 'needs the key "id"'),
    ],
)
def test_what_cannot_be_replicated_is_refused(state, key, operation, sentence):
    with pytest.raises(PlanError, match=sentence):
        operation.state_forwards(key, state)


def test_a_table_is_replicated_once_to_a_service(state, key):
    with pytest.raises(PlanError, match='replicated to "reviews" already'):
        PRODUCT.state_forwards(key, PRODUCT.state_forwards(key, state))


def test_it_comes_before_the_move_that_copies_it(state, key):
    cut = CutForeignKey("reviews.Review.product", keep="product_id", migration="0002_cut").state_forwards(key, state)
    moved = MoveTables(["reviews.Review", "reviews.Vote"]).state_forwards(key, cut)
    with pytest.raises(PlanError, match="before MoveTables"):
        PRODUCT.state_forwards(key, moved)
    with pytest.raises(PlanError, match="cannot be replicated"):
        ReplicateTable("reviews.Review", columns=["id"]).state_forwards(key, moved)


USER = ReplicateTable("accounts.User", columns=["id"])


@pytest.fixture
def alone(world, key, state):
    """The world and the states of a plan of two copies, which moves nothing."""
    key = replace(key, copies_alone=2)
    one = PRODUCT.state_forwards(key, state)
    return replace(world, plan=key), (state, one, USER.state_forwards(key, one))


def test_where_nothing_is_moved_the_last_copy_brings_all_and_takes_them_back(alone, events):
    world, (before, one, both) = alone
    PRODUCT.forwards(world, before, one)
    assert events == []
    USER.forwards(world, one, both)
    assert [e[0] for e in events if e[0] not in ("progress", "step")] == ["create", "copy", "catch up"]
    events.clear()
    USER.backwards(world, one, both)
    assert [e[0] for e in events] == ["cancel", "step"]
    PRODUCT.backwards(world, before, one)
    assert len(events) == 2


def test_its_dry_run_says_who_does_it(alone):
    world, (before, one, both) = alone
    assert list(PRODUCT.effects(world, before, one)) == [
        "-- catalog_product (id, name): declared here, copied and followed by the plan's last ReplicateTable"
    ]
    assert "CREATE SCHEMA strangler;" in list(USER.effects(world, one, both))
    assert list(USER.undo_effects(world, one, both))[1:] == [
        "-- reviews: empty catalog_product",
        "-- reviews: empty accounts_user",
    ]


def test_a_copy_beside_tables_that_move_is_theirs_to_bring(world, key, state, events):
    after = PRODUCT.state_forwards(key, state)
    PRODUCT.forwards(world, state, after)
    PRODUCT.backwards(world, state, after)
    assert events == []
    assert list(PRODUCT.effects(world, state, after)) == [
        "-- catalog_product (id, name): declared here, copied and followed by MoveTables"
    ]
    assert list(PRODUCT.undo_effects(world, state, after)) == ["-- catalog_product: emptied by undoing MoveTables"]
