from dataclasses import replace

from strangler.plans.state import Cut, Moved, Replicated
from strangler.plans.touched import NOTHING, Touched, touched


def test_a_plan_changes_what_it_cuts_and_moves_and_reads_what_it_copies(state):
    after = replace(
        state,
        cuts=(
            Cut(plan="0001_a", field="reviews.Review.product", migration="0002_cut"),
            Cut(plan="0002_b", field="orders.Order.user", migration="0002_cut"),
        ),
        moved=(Moved(plan="0001_a", service="a", model="reviews.Vote"),),
        replicated=(
            Replicated(plan="0001_a", service="a", model="catalog.Product", columns=("id",)),
            Replicated(plan="0001_a", service="a", model="reviews.Review", columns=("id",)),
        ),
    )
    changed = frozenset({"reviews_review", "reviews_vote"})
    assert touched("0001_a", after) == Touched(changed=changed, read=frozenset({"catalog_product"}))
    assert touched("0002_b", after) == Touched(changed=frozenset({"orders_order"}))
    assert touched("0003_c", after) == NOTHING
