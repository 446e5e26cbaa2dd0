import hashlib

import pytest
from django.core.management import CommandError, call_command

from monolith.catalog.models import Product
from monolith.reviews import services
from monolith.reviews.models import Review
from monolith.reviews.selectors import ratings
from monolith.seed.rows import TABLES, Rows
from monolith.seed.sizes import SIZES


def digest(seed):
    rows = Rows(SIZES["XS"], seed, "hash")
    content = hashlib.sha256()
    for make, _ in TABLES.values():
        for row in make(rows):
            content.update(repr(row).encode())
    return content.hexdigest()


def test_same_seed_gives_the_same_bytes_and_another_does_not():
    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


@pytest.fixture
def seeded(db):
    call_command("seed", "--size", "XS", "--password", "in-tests-only")


def test_seeded_ratings_are_those_of_the_reviews(seeded):
    assert (Product.objects.count(), Review.objects.count()) == (50, 500)
    for rating in ratings(products=list(Product.objects.values_list("id", flat=True))):
        product = Product.objects.get(pk=rating.product)
        assert (float(product.rating_average), product.rating_count) == (rating.average, rating.count)


def test_seeded_people_can_log_in_and_keys_go_on(seeded, client, ada):
    username = Review.objects.first().author.username
    assert client.login(username=username, password="in-tests-only")
    services.review_create(author=ada, product_id=1, rating=5, title="Good")
    assert Review.objects.count() == 501


def test_seeding_twice_is_refused_with_the_table_that_has_rows(seeded):
    with pytest.raises(CommandError, match='Table "accounts_user" has rows already'):
        call_command("seed", "--size", "XS")
