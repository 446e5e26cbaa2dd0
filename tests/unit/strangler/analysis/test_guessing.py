"""Rows that nobody declared: by the name of a local, the class it is in, or the signal it comes with."""

import pytest

from tests.unit.strangler.analysis.places import SHOP, found

HERE = "shop/reviews/views.py"
MODELS = "from shop.reviews.models import Review\nfrom shop.catalog.models import Product, Category\n"


def walks(tmp_path, code, *kinds):
    return found(tmp_path, HERE, MODELS + code, *(kinds or ("navigation",)))


def test_what_another_method_assigned_to_self(tmp_path):
    code = "class View:\n    def get(self):\n        self.one = Review.objects.get(pk=1)\n"
    code += "    def name(self):\n        return self.one.product.name"
    assert walks(tmp_path, code) == ["7: reviews.Review -> catalog.Product, navigation (.product)"]


@pytest.mark.parametrize(
    "code",
    [
        "def f(self):\n    return self.anything.review.product.name",
        "def f(given):\n    review = given['review']\n    return review.product.name",
        "def f(given):\n    return given['review'].product.name",
    ],
)
def test_an_attribute_or_key_that_is_called_like_a_model_and_used_like_its_rows(tmp_path, code):
    assert [one.partition(": ")[2] for one in walks(tmp_path, code)] == [
        "reviews.Review -> catalog.Product, navigation (.product)"
    ]


@pytest.mark.parametrize(
    "code",
    ["def f(given):\n    return given['review'].produce", "def f(given):\n    return given.get_review().product.name"],
)
def test_what_is_used_in_another_way_or_called_is_not_guessed(tmp_path, code):
    assert walks(tmp_path, code) == []


@pytest.mark.parametrize(
    "head",
    [
        "class ReviewAdmin(admin.ModelAdmin):\n    model = Review",
        "@admin.register(Review)\nclass ReviewAdmin(admin.ModelAdmin):\n    pass",
        "class ReviewForm(forms.ModelForm):\n    class Meta:\n        model = Review",
    ],
)
def test_the_row_that_a_method_of_a_class_about_a_model_is_given(tmp_path, head):
    code = f"from django import forms\nfrom django.contrib import admin\n{head}\n"
    code += "    def product_name(self, obj):\n        return obj.product.name"
    assert [one.partition(": ")[2] for one in walks(tmp_path, code)] == [
        "reviews.Review -> catalog.Product, navigation (.product)"
    ]


@pytest.mark.parametrize(
    "how", ["@receiver(post_save, sender=Review)\n", "post_save.connect(changed, sender=Review)\n"]
)
def test_the_row_that_a_signals_receiver_is_given(tmp_path, how):
    function = "def changed(sender, instance, **kwargs):\n    instance.product.name\n"
    code = how + function if how.startswith("@") else function + how
    assert [one.partition(": ")[2] for one in walks(tmp_path, code)] == [
        "reviews.Review -> catalog.Product, navigation (.product)"
    ]


FORM = "from django import forms\nclass ProductForm(forms.ModelForm):\n    class Meta:\n        model = Product\n"


def test_a_form_that_is_saved_writes_its_row(tmp_path):
    code = FORM + "class View:\n    form_class = ProductForm\n    def form_valid(self, form):\n        form.save()"
    assert walks(tmp_path, code, "write") == [
        "6: shop.reviews.views.ProductForm -> catalog.Product, write (ModelForm of it)",
        "10: shop.reviews.views.View.form_valid -> catalog.Product, write (save())",
    ]


def test_a_form_that_leaves_the_saving_to_others_gives_the_row(tmp_path):
    code = FORM + "    def save(self):\n        product = super().save(commit=False)\n        product.save()"
    assert walks(tmp_path, code, "write")[1:] == [
        "9: shop.reviews.views.ProductForm.save -> catalog.Product, write (save())"
    ]


def test_two_models_of_one_name_are_not_guessed(tmp_path):
    shop = {**SHOP, "shop/polls/models.py": SHOP["shop/reviews/models.py"], "shop/polls/__init__.py": ""}
    assert found(tmp_path, HERE, "def f(review):\n    review.product.name", "navigation", shop=shop) == []
