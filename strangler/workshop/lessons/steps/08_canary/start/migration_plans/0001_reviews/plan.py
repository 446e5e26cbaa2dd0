"""Reviews and their votes leave Orchard for a service of their own."""

from strangler import plans
from strangler.plans.operations import (
    CutForeignKey,
    Limits,
    MoveRoutes,
    MoveTables,
    ReplicateTable,
    RetireCode,
    RetireTables,
)

CUT = "0002_cut_foreign_keys"


class Plan(plans.Plan):
    service = "reviews"
    dependencies = []
    operations = [
        CutForeignKey("reviews.Review.product", keep="product_id", migration=CUT),
        CutForeignKey("reviews.Review.author", keep="author_id", migration=CUT),
        CutForeignKey("reviews.Vote.voter", keep="voter_id", migration=CUT),
        ReplicateTable("catalog.Product", columns=["id", "name"]),
        ReplicateTable("accounts.User", columns=["id", "username"]),
        MoveTables(["reviews.Review", "reviews.Vote"]),
        # A few visitors are sparse traffic: large shares, and wide limits.
        MoveRoutes(
            ["/api/reviews/", "/api/products/<pk>/reviews/"],
            canary=[5_000],
            hold=1,
            patience=120,
            limits=Limits(
                minimum=10,
                failures=0.1,
                refusals=0.4,
                quantile=0.5,
                slowdown=4,
                slack=0.25,
                differences=0.3,
                alpha=0.2,
            ),
        ),
        RetireTables(["reviews.Review", "reviews.Vote"]),
        # The models stay while the tombstones do; what must go is everything that reads or writes through them.
        RetireCode(["monolith.reviews.local"]),
    ]
