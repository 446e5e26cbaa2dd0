"""Walks that are a query for each row of a loop, and those that are not."""

import pytest

from tests.unit.strangler.analysis.places import SHOP, found

IMPORTS = "from shop.catalog.models import Product\nfrom shop.reviews.models import Review\n"
HERE = "shop/reviews/views.py"
PEOPLE = {
    **SHOP,
    "shop/catalog/models.py": SHOP["shop/catalog/models.py"].replace(
        "models.ForeignKey(Category", 'models.ForeignKey("people.Category"'
    ),
    "shop/people/models.py": SHOP["shop/people/models.py"]
    + """
        from django.db import models

        class Category(models.Model):
            name = models.CharField(max_length=20)
    """,
}


@pytest.mark.parametrize(
    "code",
    [
        "for review in Review.objects.all():\n    review.product.name",
        "[review.product for review in Review.objects.filter(rating=1)]",
        "for review in sorted(Review.objects.all()):\n    review.product",
        "for number, review in enumerate(list(Review.objects.all())):\n    review.product",
        "reviews = Review.objects.order_by('rating')\nfor review in reviews:\n    review.product",
        "for review in Review.objects.all()[:10]:\n    review.product",
        "for review in Review.objects.select_related('author'):\n    review.product",
        "for review in Review.objects.select_related('product'):\n    review.product.category.name",
        "user = get_user_model().objects.get()\nfor review in user.review_set.all():\n    review.product",
        "for product in Product.objects.all():\n    product.reviews.count()",
    ],
)
def test_a_walk_for_each_row_is_found(tmp_path, code):
    code = IMPORTS + "def run():\n" + "\n".join(f"    {line}" for line in code.splitlines())
    lines = found(tmp_path, HERE, code, "n+1", shop=PEOPLE)
    assert len(lines) == 1, lines


@pytest.mark.parametrize(
    "code",
    [
        "for review in Review.objects.select_related('product'):\n    review.product.name",
        "for review in Review.objects.select_related('product__category'):\n    review.product.category",
        "for review in Review.objects.select_related():\n    review.product",
        "for review in Review.objects.prefetch_related(Prefetch('product')):\n    review.product",
        "for review in Review.objects.with_all_that_is_needed():\n    review.product",
        "review = Review.objects.get()\nreview.product",
        "def each(reviews):\n    for review in reviews:\n        review.product",
        "for review in Review.objects.all():\n    review.product_id",
    ],
)
def test_what_was_fetched_before_or_is_no_loop_is_none(tmp_path, code):
    code = IMPORTS + "def run():\n" + "\n".join(f"    {line}" for line in code.splitlines())
    assert found(tmp_path, HERE, code, "n+1") == []


def test_a_manager_that_always_fetches_makes_no_walk_a_query(tmp_path):
    shop = {
        **SHOP,
        "shop/reviews/models.py": SHOP["shop/reviews/models.py"].replace(
            "class Review(models.Model):",
            "class Reviews(models.Manager):\n            def get_queryset(self):\n"
            "                return super().get_queryset().select_related('product')\n\n"
            "        class Review(models.Model):\n            objects = Reviews()",
        ),
    }
    code = IMPORTS + "def run():\n    for review in Review.objects.all():\n        review.product"
    assert found(tmp_path, HERE, code, "n+1", shop=shop) == []
    assert len(found(tmp_path, HERE, code, "navigation", shop=shop)) == 1
