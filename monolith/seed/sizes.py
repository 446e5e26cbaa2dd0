from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BASE = datetime(2026, 1, 1, tzinfo=UTC)
"""The moment at which every seeded shop stands; all its history lies in the two years before."""
HISTORY = timedelta(days=730)


@dataclass(frozen=True, kw_only=True)
class Size:
    products: int
    reviews: int
    users: int
    votes: int
    orders: int

    @property
    def reviews_a_product(self):
        return self.reviews // self.products


SIZES = {
    "XS": Size(products=50, reviews=500, users=40, votes=600, orders=30),
    "S": Size(products=1_000, reviews=20_000, users=2_000, votes=30_000, orders=2_000),
    "M": Size(products=100_000, reviews=2_000_000, users=200_000, votes=2_000_000, orders=100_000),
}
