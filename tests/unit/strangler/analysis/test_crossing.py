"""Transactions that come apart at a border, and requests that walk over it in loops."""

from pathlib import Path

import pytest

from strangler.analysis.graph import graph_of
from strangler.analysis.kept import Kept
from strangler.analysis.mapping import make_map
from strangler.analysis.seams import seam
from tests.unit.strangler.analysis.places import SHOP, mapped

ROOT = Path(__file__).parents[4]
IMPORTS = "from shop.catalog.models import Product\nfrom shop.reviews.models import Review\n"
URLS = """
    from django.urls import path
    from shop.reviews import services

    urlpatterns = [path("rate/", services.rate), path("show/", services.show)]
"""
SERVICES = """
    from shop.catalog.models import Product

    def rename(key):
        Product.objects.filter(pk=key).update(name="x")
"""


def reviews_of(root, code, **files):
    """The seam of the reviews with one more file."""
    given = {name.replace("__", "/") + ".py": text for name, text in files.items()}
    found = mapped(root, {**SHOP, "shop/catalog/services.py": SERVICES, "shop/reviews/services.py": code, **given})
    graph = graph_of(found)
    return seam(graph, "reviews", frozenset(node for node, app in graph.apps.items() if app == "reviews"))


@pytest.mark.parametrize(
    "code",
    [
        "@transaction.atomic\ndef rate():\n    Review.objects.create()\n    rename(1)",
        "@atomic\ndef rate():\n    Review.objects.create()\n    rename(1)",
        "def rate():\n    with transaction.atomic():\n        Review.objects.create()\n        rename(1)",
        "@transaction.atomic\ndef rate():\n    _rate()\n    rename(1)\n\ndef _rate():\n    Review.objects.create()",
    ],
)
def test_a_transaction_is_followed_through_what_it_calls(tmp_path, code):
    found = reviews_of(tmp_path, IMPORTS + "from shop.catalog.services import rename\n" + code)
    assert found.transactions == found.atomic == ("shop.reviews.services.rate",)


def test_where_nothing_says_that_it_is_one_transaction_only_its_own_writes_count(tmp_path):
    code = IMPORTS + "from shop.catalog.services import rename\n"
    assert reviews_of(tmp_path, code + "def rate():\n    Review.objects.create()\n    rename(1)").transactions == ()
    found = reviews_of(tmp_path, code + "def rate():\n    Review.objects.create()\n    Product.objects.create()")
    assert (found.transactions, found.atomic) == (("shop.reviews.services.rate",), ())


@pytest.mark.parametrize(
    ("settings", "decorator", "expected"),
    [
        ("DATABASES = {'default': {'ATOMIC_REQUESTS': True}}", "", ("shop.reviews.services.rate",)),
        ("DATABASES['default']['ATOMIC_REQUESTS'] = True", "", ("shop.reviews.services.rate",)),
        ("DATABASES = {'default': {'ATOMIC_REQUESTS': False}}", "", ()),
        ("DATABASES = {'default': {'ATOMIC_REQUESTS': True}}", "@transaction.non_atomic_requests\n", ()),
    ],
)
def test_a_request_is_a_transaction_where_the_settings_say_so(tmp_path, settings, decorator, expected):
    code = f"{IMPORTS}from shop.catalog.services import rename\n{decorator}def rate(request):\n"
    found = reviews_of(
        tmp_path, code + "    Review.objects.create()\n    rename(1)", shop__base=settings, shop__urls=URLS
    )
    assert found.atomic == expected


def test_of_two_that_call_each_other_the_inner_one_is_where_it_comes_apart(tmp_path):
    code = "@atomic\ndef outer():\n    inner()\n\n@atomic\ndef inner():\n    Review.objects.create()\n    rename(1)"
    found = reviews_of(tmp_path, IMPORTS + "from shop.catalog.services import rename\n" + code)
    assert found.transactions == ("shop.reviews.services.inner",)


@pytest.mark.parametrize(
    ("write", "cut"),
    [("Review.objects.create()", True), ("Review.objects.update(rating=1)", False), ("Review().delete()", False)],
)
def test_what_is_saved_along_is_in_the_same_transaction_unless_no_signal_is_sent(tmp_path, write, cut):
    receivers = IMPORTS + (
        "from django.db.models.signals import post_save\n@receiver(post_save, sender=Review)\n"
        "def count(sender, instance, **kwargs):\n    Product.objects.update(name='x')"
    )
    found = reviews_of(tmp_path, IMPORTS + f"def rate():\n    {write}", shop__reviews__receivers=receivers)
    assert found.transactions == (("shop.reviews.services.rate",) if cut else ())
    assert found.saves == ("reviews.Review",)


def test_loops_that_a_request_reaches_are_counted_by_view(tmp_path):
    code = """
        from shop.reviews.models import Review

        def show(request):
            return [line(review) for review in rows()], both()

        def both():
            return [(review.product, review.author) for review in Review.objects.all()]

        def line(review):
            return review.product.name

        def rows():
            return Review.objects.select_related("product")
    """
    found = reviews_of(tmp_path, code, shop__urls=URLS)
    assert found.loops == {"shop.reviews.services.show": 2}


def test_orchards_checkout_and_its_reviews_come_apart_where_the_docs_say():
    graph = graph_of(make_map(ROOT / "monolith", Kept(None)))
    apps = {app: frozenset(node for node, own in graph.apps.items() if own == app) for app in ("orders", "reviews")}
    orders, reviews = (seam(graph, app, nodes) for app, nodes in apps.items())
    assert orders.atomic == ("monolith.orders.services.order_place",)
    assert "monolith.reviews.services.review_create" in reviews.atomic
    assert "reviews.Review" in reviews.saves  # a receiver writes the product's rating
    assert reviews.risk[0] < reviews.risk[1]
