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
