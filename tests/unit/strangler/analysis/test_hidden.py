"""Rows of other apps that are written because one's own are saved or deleted."""

import pytest

from tests.unit.strangler.analysis.places import SHOP, found, mapped

SAVES = (
    SHOP["shop/reviews/models.py"]
    + """
            def save(self, *args, **kwargs):
                super().save(*args, **kwargs)
                self.product.save()
                self.tell()

            def tell(self):
                from shop.catalog.services import count
                count(self.product_id)
    """
)
SERVICES = """
    from shop.catalog.models import Product

    def count(key):
        _count(key)

    def _count(key):
        Product.objects.filter(pk=key).update(name="x")
"""


def test_what_a_save_writes_elsewhere_is_found_also_through_what_it_calls(tmp_path):
    made = mapped(tmp_path, {**SHOP, "shop/reviews/models.py": SAVES, "shop/catalog/services.py": SERVICES})
    assert [str(one) for one in made.couplings if one.kind in ("hidden write", "write")] == [
        "shop/reviews/models.py:11: reviews.Review -> catalog.Product, hidden write (save(): save())",
        "shop/reviews/models.py:12: reviews.Review -> catalog.Product, hidden write "
        "(save(): by shop.reviews.models.Review.tell)",
    ]  # fmt: skip


def test_what_somebody_has_to_call_is_no_hidden_write(tmp_path):
    shop = {**SHOP, "shop/catalog/services.py": SERVICES}
    code = "from shop.catalog.services import count\ndef note(review):\n    count(1)"
    assert found(tmp_path, "shop/reviews/services.py", code, "hidden write", "write", shop=shop) == []


@pytest.mark.parametrize(
    "connected",
    [
        "@receiver(post_save, sender=Review)\ndef f(sender, instance, **kwargs):\n    instance.product.save()",
        "def f(sender, instance, **kwargs):\n    instance.product.save()\npost_save.connect(f, Review)",
    ],
)
def test_a_receiver_writes_for_the_model_that_was_saved(tmp_path, connected):
    code = "from django.db.models.signals import post_save\nfrom shop.reviews.models import Review\n" + connected
    (line,) = found(tmp_path, "shop/reviews/receivers.py", code, "hidden write", "write")
    assert line.endswith("reviews.Review -> catalog.Product, hidden write (post_save: save())")


def test_a_receiver_of_another_apps_model_has_that_ones_saving_write_its_own_rows(tmp_path):
    code = """
        from django.db.models.signals import post_delete
        from django.dispatch import receiver
        from shop.catalog.models import Product
        from shop.reviews.models import Review

        @receiver(post_delete, sender=Product)
        def forget(sender, instance, **kwargs):
            Review.objects.filter(product=instance).delete()
    """
    assert found(tmp_path, "shop/reviews/receivers.py", code, "hidden write", "signal") == [
        "6: shop.reviews.receivers.forget -> catalog.Product, signal (receives post_delete)",
        "8: catalog.Product -> reviews.Review, hidden write (post_delete: delete())",
    ]


@pytest.mark.parametrize(
    "code",
    [
        "from django.db.models.signals import post_save\n@receiver(post_save)\ndef log(sender, **kwargs):\n    pass",
        "from django.db.models import signals\n@receiver(signals.post_save)\ndef log(sender, **kwargs):\n    pass",
    ],
)
def test_a_receiver_without_a_sender_is_tied_to_every_app(tmp_path, code):
    assert found(tmp_path, "shop/reviews/receivers.py", code, "signal") == [
        "2: shop.reviews.receivers.log -> (every app), signal (receives post_save of whatever is saved)"
    ]


def test_a_signal_of_ones_own_that_is_called_like_djangos_is_none_of_them(tmp_path):
    code = """
        from shop.reviews.signals import post_save

        @receiver(post_save)
        def log(sender, **kwargs):
            pass
    """
    shop = {**SHOP, "shop/reviews/signals.py": "from django.dispatch import Signal\npost_save = Signal()"}
    assert found(tmp_path, "shop/reviews/receivers.py", code, "signal", shop=shop) == []


def test_a_delete_takes_rows_of_other_apps_along_as_far_as_keys_say_so(tmp_path):
    shop = {
        **SHOP,
        "shop/votes/__init__.py": "",
        "shop/votes/models.py": """
            from django.db import models

            class Vote(models.Model):
                review = models.ForeignKey("reviews.Review", models.CASCADE)
                voter = models.ForeignKey("people.User", models.PROTECT)

            class Draft(models.Model):
                category = models.ForeignKey("catalog.Category", models.SET_NULL, null=True)
        """,
    }
    code = """
        from shop.catalog.models import Category, Product

        def forget(user: "User"):
            Product.objects.all().delete()
            Category.objects.get(pk=1).delete()
    """
    assert found(tmp_path, "shop/catalog/services.py", code, "hidden write", shop=shop) == [
        "4: shop.catalog.services.forget -> reviews.Review, hidden write "
        "(delete() of catalog.Product, which takes reviews.Review along)",
        "4: shop.catalog.services.forget -> votes.Vote, hidden write "
        "(delete() of catalog.Product, which takes votes.Vote along)",
        "5: shop.catalog.services.forget -> reviews.Review, hidden write "
        "(delete() of catalog.Category, which takes reviews.Review along)",
        "5: shop.catalog.services.forget -> votes.Draft, hidden write "
        "(delete() of catalog.Category, which takes votes.Draft, votes.Vote along)",
    ]
