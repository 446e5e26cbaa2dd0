"""The rows of a seeded shop, table by table, as generators: nothing is held in memory."""

import hashlib
from datetime import timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from monolith.seed import words
from monolith.seed.pictures import TINTS, picture
from monolith.seed.sizes import BASE, HISTORY, Size

STAFF, SHOP, FIRST_SHOPPER = 1, 2, 3
_CATEGORIES = list(words.CATEGORIES)


class Rows:
    """Each method yields one table's rows in the order of its columns; `TABLES` names both.

    Every table draws from a random source of its own, so that one can be read without the others.
    """

    def __init__(self, size: Size, seed, password_hash):
        self._size = size
        self._seed = seed
        self._password_hash = password_hash

    def users(self):
        yield self._user(STAFF, "admin", "Orchard's manager", staff=True, superuser=True)
        yield self._user(SHOP, "orchard", "Orchard", staff=True, superuser=False, usable=False)
        for key in range(FIRST_SHOPPER, FIRST_SHOPPER + self._size.users):
            name = words.FIRST[key % len(words.FIRST)]
            yield self._user(key, f"{name}{key}", name.capitalize(), staff=False, superuser=False)

    def preferences(self):
        # Nobody who was made up gets mails.
        for key in range(STAFF, FIRST_SHOPPER + self._size.users):
            yield key, False

    def categories(self):
        for key, name in enumerate(_CATEGORIES, 1):
            yield key, name, name.lower()

    def blobs(self):
        for key, (category, tint) in enumerate(_pictures(), 1):
            data = picture(category, tint)
            digest = hashlib.sha256(data).hexdigest()
            yield key, f"{category.lower()}-{tint}.png", "image/png", digest, data, BASE - HISTORY

    def products(self):
        random = self._random("products")
        for key in range(1, self._size.products + 1):
            category = (key - 1) % len(_CATEGORIES)
            things = words.CATEGORIES[_CATEGORIES[category]]
            variant = (key - 1) // len(_CATEGORIES)
            thing = things[variant % len(things)]
            style = words.STYLES[variant // len(things) % len(words.STYLES)]
            edition = variant // (len(things) * len(words.STYLES))
            name = f"{style} {thing}" + (f" No. {edition + 1}" if edition else "")
            text = f"{name}, {random.choice(words.USES)}. {random.choice(words.CARE)}"
            price = Decimal(random.randrange(4, 180)) + Decimal(random.choice(["0.00", "0.50", "0.90", "0.95"]))
            image = 1 + category * len(TINTS) + random.randrange(len(TINTS))
            yield (
                key, name, f"{name.lower().replace(' ', '-').replace('.', '')}-{key}", text, price, category + 1,
                image, 0, 0, BASE, self._moment(random, key, self._size.products),
            )  # fmt: skip

    def stock(self):
        random = self._random("stock")
        for key in range(1, self._size.products + 1):
            yield key, key, random.randrange(200, 2_000)

    def reviews(self):
        random = self._random("reviews")
        for key in range(1, self._size.reviews + 1):
            rating = random.choices((5, 4, 3, 2, 1), (45, 28, 13, 8, 6))[0]
            body = " ".join(random.sample(words.REMARKS, random.randrange(1, 5)))
            at = self._moment(random, key, self._size.reviews)
            yield (
                key, _uuid(random), self._product_of(key), self._author_of(key), rating,
                random.choice(words.PRAISE[rating]), body, "published", at, at,
            )  # fmt: skip

    def votes(self):
        random = self._random("votes")
        for key in range(1, self._size.votes + 1):
            review = 1 + (key - 1) % self._size.reviews
            nth = (key - 1) // self._size.reviews
            voter = self._shopper(self._author_of(review) + 1 + nth)
            yield (
                key, _uuid(random), review, voter, random.random() < 0.7,
                self._moment(random, key, self._size.votes),
            )  # fmt: skip

    def orders(self):
        for order, *_ in self._orders():
            yield order

    def lines(self):
        key = 0
        for _, lines, _ in self._orders():
            for line in lines:
                key += 1
                yield key, *line

    def payments(self):
        for _, _, payment in self._orders():
            yield payment

    def cursors(self):
        # Everything seeded is moderated and counted already.
        for key, name in enumerate(["refresh_ratings", "sweep"], 1):
            yield key, name, BASE + timedelta(hours=1)

    def _orders(self):
        random = self._random("orders")
        prices = [(row[1], row[4]) for row in self.products()] if self._size.orders else []
        for key in range(1, self._size.orders + 1):
            chosen = random.sample(range(1, self._size.products + 1), random.randrange(1, 4))
            lines = [(key, product, *prices[product - 1], random.randrange(1, 3)) for product in chosen]
            total = sum(price * quantity for _, _, _, price, quantity in lines)
            at = self._moment(random, key, self._size.orders)
            customer = self._shopper(random.randrange(FIRST_SHOPPER, FIRST_SHOPPER + self._size.users))
            order = (key, _uuid(random), customer, "shipped", total, f"{key} Mill Lane\nAppleton", at)
            yield order, lines, (key, key, f"seed-{key}", total, at)

    def _user(self, key, username, display_name, *, staff, superuser, usable=True):
        return (
            key, self._password_hash if usable else "!seeded", None, superuser, username, "", "",
            f"{username}@orchard.example", staff, True, BASE - HISTORY, display_name, "{}",
        )  # fmt: skip

    def _product_of(self, review):
        # Round and round over the products: the newest reviews are spread over all of them.
        return 1 + (review - 1) % self._size.products

    def _author_of(self, review):
        # A product's reviews are one round apart, and so are their authors: nobody reviews a product twice.
        product, nth = self._product_of(review), (review - 1) // self._size.products
        return self._shopper(FIRST_SHOPPER + product * 7 + nth)

    def _shopper(self, number):
        return FIRST_SHOPPER + (number - FIRST_SHOPPER) % self._size.users

    def _random(self, table):
        return Random(f"{self._seed}:{table}")  # noqa: S311  (must repeat itself)

    def _moment(self, random, nth, of):
        """A time that grows with `nth`, all of them within the shop's history."""
        return BASE - HISTORY + HISTORY * ((nth - 1 + random.random() * 0.9) / of)


TABLES = {
    "accounts_user": (
        Rows.users,
        "id password last_login is_superuser username first_name last_name email is_staff is_active date_joined "
        "display_name preferences",
    ),
    "notifications_preference": (Rows.preferences, "user_id mail"),
    "media_blob": (Rows.blobs, "id name content_type sha256 data created_at"),
    "catalog_category": (Rows.categories, "id name slug"),
    "catalog_product": (
        Rows.products,
        "id name slug description price category_id image_id rating_average rating_count rating_changed_at created_at",
    ),
    "orders_stock": (Rows.stock, "id product_id on_hand"),
    "reviews_review": (
        Rows.reviews,
        "id reference product_id author_id rating title body status created_at updated_at",
    ),
    "reviews_vote": (Rows.votes, "id reference review_id voter_id helpful created_at"),
    "reviews_cursor": (Rows.cursors, "id name position"),
    "orders_order": (Rows.orders, "id number customer_id status total address placed_at"),
    "orders_line": (Rows.lines, "id order_id product_id name price quantity"),
    "orders_payment": (Rows.payments, "id order_id provider_reference amount paid_at"),
}


def _pictures():
    return [(category, tint) for category in _CATEGORIES for tint in range(len(TINTS))]


def _uuid(random):
    return UUID(int=random.getrandbits(128), version=4)
