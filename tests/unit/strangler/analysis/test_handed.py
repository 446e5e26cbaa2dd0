"""Parameters without an annotation, by what those who call the function hand over."""

import pytest

from tests.unit.strangler.analysis.places import found

HERE = "shop/reviews/views.py"
IMPORTS = "from django import forms\nfrom shop.catalog.models import Product\nfrom shop.reviews.models import Review\n"


@pytest.mark.parametrize(
    "code",
    [
        "def shown(one):\n    return one.product\ndef f():\n    shown(Review.objects.get())",
        "def shown(number, one=None):\n    return one.product\ndef f():\n    shown(1, one=Review.objects.get())",
        "class V:\n    def data(self, one):\n        return one.product\n"
        "    def get(self):\n        return [self.data(one) for one in Review.objects.all()]",
        "class Part:\n    def __init__(self, one):\n        self.one = one\n    def shown(self):\n"
        "        return self.one.product\ndef f():\n    Part(Review.objects.get())",
        "def shown(one):\n    return one.product\ndef f():\n    shown(Review.objects.get())\n    shown(Product())",
        # What a view puts into the keywords of its form.
        "class F(forms.Form):\n    def __init__(self, one, *args):\n        self.one = one\n    def clean(self):\n"
        "        self.one.product\nclass V:\n    form_class = F\n    def get_form_kwargs(self):\n"
        "        kwargs = super().get_form_kwargs()\n        kwargs['one'] = Review.objects.get()\n"
        "        return kwargs",
        "class F(forms.Form):\n    def __init__(self, one, *args):\n        one.product\nclass Heir(F):\n    pass\n"
        "class V:\n    form_class = Heir\n    def get_form_kwargs(self):\n"
        "        return {**super().get_form_kwargs(), 'one': Review.objects.get()}",
        # A name fits several models, what is handed over is one.
        "def shown(product):\n    return product.product\ndef f():\n    shown(Review.objects.get())",
    ],
)
def test_a_parameter_is_what_all_calls_hand_over(tmp_path, code):
    lines = found(tmp_path, HERE, IMPORTS + code, "navigation")
    assert len(lines) == 1, lines
    assert "reviews.Review -> catalog.Product, navigation (.product)" in lines[0]


@pytest.mark.parametrize(
    "code",
    [
        "class F(forms.Form):\n    def __init__(self, one):\n        one.product\nclass V:\n    form_class = F\n"
        "    def get_context_data(self):\n        kwargs['one'] = Review.objects.get()",
        "def shown(one):\n    return one.product\ndef shown_too(one):\n    shown(one)",
        "class V:\n    def data(self, one):\n        return one.product\n"
        "class W:\n    def data(self, one): ...\n    def get(self):\n        self.data(Review.objects.get())",
    ],
)
def test_a_parameter_is_unknown_where_nobody_hands_it_over_or_to_something_else(tmp_path, code):
    assert found(tmp_path, HERE, IMPORTS + code, "navigation") == []


def test_what_a_function_is_given_it_may_give_back(tmp_path):
    code = (
        "def counted(rows):\n    every = list(rows)\n    return every if every else rows\n"
        "def f():\n    for one in counted(Review.objects.all()):\n        one.product\n"
        "def g():\n    counted(Product.objects.all())"
    )
    lines = found(tmp_path, HERE, IMPORTS + code, "navigation")
    assert [line.partition(":")[0] for line in lines] == ["9"], lines
