"""Rows that come out of functions, attributes and managers undeclared, and names that suggest what they are."""

from textwrap import dedent

import pytest

from tests.unit.strangler.analysis.places import SHOP, found

HERE = "shop/reviews/views.py"
IMPORTS = (
    "from django.apps import apps\nfrom shop.catalog.models import Product\nfrom shop.reviews.models import Review\n"
)


@pytest.mark.parametrize(
    "code",
    [
        # What a function gives: by its annotation, or by what it returns.
        "def last() -> Review: ...\ndef f():\n    last().product",
        "def best() -> models.QuerySet[Review]: ...\ndef f():\n    best().first().product",
        "def last():\n    return Review.objects.last()\ndef f():\n    last().product",
        "class V:\n    def one(self):\n        return Review.objects.get()\n"
        "    def get(self):\n        self.one().product",
        "class V:\n    @property\n    def one(self):\n        return Review.objects.get()\n"
        "    def get(self):\n        self.one.product",
        # A class is about the model that its queries give, and holds what its methods assign.
        "class V:\n    def get_queryset(self):\n        return Review.objects.all()\n"
        "    def get(self):\n        self.get_object().product",
        "class V:\n    def setup(self):\n        self.one = Review.objects.get()\n"
        "    def get(self):\n        self.one.product",
        # Inherited code means the heir's own attributes.
        "class Base:\n    rows = None\n    def one(self):\n        return self.rows.first()\n"
        "class V(Base):\n    rows = Review.objects.all()\n    def get(self):\n        self.one().product",
        # A helper that is given a set gives it back in part.
        "def f():\n    rows = allowed(queryset=Review.objects.all())\n    rows.first().product",
        "def f():\n    get_object_or_404(klass=Review, pk=1).product",
        # What isinstance() says, and what a tuple holds.
        "def f(one):\n    if isinstance(one, Review) and x:\n        one.product",
        "def f(one):\n    if not isinstance(one, Review):\n        return\n    one.product",
        "def f(one):\n    assert isinstance(one, Review)\n    one.product",
        "def both():\n    if x:\n        return Review.objects.get(), 1\n    return Review.objects.get(), None\n"
        "def f():\n    one, number = both()\n    one.product",
        "def both():\n    return 1, Review.objects.get()\ndef f():\n    number, one = both()\n    one.product",
        "def f(x):\n    one = x and Review.objects.get()\n    one.product",
        "def f(rows: list[Review] | None):\n    rows[0].product",
        "def f(rows: Optional[models.QuerySet[Review]]):\n    rows.first().product",
        # A helper is given the class, or those that it may be, and one of these has what comes next.
        "def f(request):\n    one = parsed(request, (Product, Review))\n    one.product",
        "def f(request):\n    parsed(Review, 1).product",
        # An attribute that is asked for by a text.
        "def f():\n    getattr(Review.objects.get(), 'product', None)",
        "def f(review):\n    getattr(review, 'product')",
        # What comes with whether it was made.
        "def f():\n    one, made = Review.objects.get_or_create()\n    one.product",
        "def f():\n    Review.objects.update_or_create(rating=1)[0].product",
        # A row of one model or another, of which one has what comes next.
        "def last():\n    if x:\n        return Review.objects.last()\n    return Product.objects.last()\n"
        "def f():\n    last().product",
        # What a view or form is called with.
        "class V:\n    model = Review\n    def get_form_kwargs(self):\n        kwargs = super().get_form_kwargs()\n"
        "        return {'one': kwargs.pop('instance').product}",
        "class F:\n    model = Review\n    def __init__(self, *args, **kwargs):\n        kwargs['instance'].product",
        # A name that a model is called by, where the next name is one of its relations.
        "class V:\n    def get(self):\n        self.request.review.product",
        "def f():\n    review = somewhere()\n    review.product",
        "def f(sender):\n    sender.review.product",
        # Models by their names, as keywords too, and an app's own by its configuration.
        "def f():\n    model = apps.get_model(app_label='reviews', model_name='Review')\n"
        "    model.objects.get().product",
        "from django.apps import AppConfig\nclass C(AppConfig):\n    def ready(self):\n"
        "        self.get_model(model_name='Review').objects.get().product",
    ],
)
def test_a_row_is_followed_that_nobody_declared(tmp_path, code):
    lines = found(tmp_path, HERE, IMPORTS + code, "navigation")
    assert len(lines) == 1, lines
    assert "reviews.Review -> catalog.Product, navigation (.product)" in lines[0]


@pytest.mark.parametrize(
    "code",
    [
        "class V:\n    def one(self):\n        return Review.objects.get()\n"
        "    def get(self):\n        self.one.product",
        "def f():\n    review = Draft()\n    review.product",  # nobody knows that it is a model
        "def one():\n    return other()\ndef other():\n    return one()\ndef f():\n    other().product",
        "def f():\n    rows = Review.objects.all()\n    rows.product()",
        "def f(one):\n    if isinstance(one, Review):\n        pass\n    one.product",
        "def f(one):\n    if isinstance(one, Review):\n        one = 1\n        one.product",
        "def f(one):\n    if not isinstance(one, Review):\n        one.product",
        "def both():\n    return 1, Review.objects.get()\ndef f():\n    one, number = both()\n    one.product",
        "def f():\n    Draft(Review).product",
        "class V:\n    model = Review\n    def get(self):\n        self.kwargs['object'].product",
        "def f():\n    kwargs['instance'].product",
    ],
)
def test_a_row_is_not_followed_where_that_would_be_a_guess(tmp_path, code):
    assert found(tmp_path, HERE, IMPORTS + code, "navigation") == []


MANAGED = {
    **SHOP,
    "shop/reviews/models.py": """
        from django.db import models

        class Reviews(models.Manager):
            def of_code(self, code):
                return self.get(code=code)

            def allowed(self, queryset):
                return queryset.filter(open=True)

        class Review(models.Model):
            product = models.ForeignKey("catalog.Product", models.CASCADE)
            objects = Reviews()
    """,
}


def test_a_method_of_a_manager_gives_what_it_returns_and_passes_on_what_it_is_given(tmp_path):
    code = """
        from shop.catalog.models import Product
        from shop.reviews.models import Review

        def f():
            Review.objects.of_code(1).product
            Review.objects.allowed(queryset=Product.objects.all()).delete()
    """
    assert found(tmp_path, HERE, code, "navigation", "write", shop=MANAGED) == [
        "5: reviews.Review -> catalog.Product, navigation (.product)",
        "6: shop.reviews.views.f -> catalog.Product, write (delete())",
    ]


def test_the_table_between_two_is_read_through_the_relation(tmp_path):
    code = IMPORTS + "def f():\n    Product.category.through.objects.all()"
    assert found(tmp_path, HERE, code, "read") == ["5: shop.reviews.views.f -> catalog.Product, read (objects)"]


def test_a_row_of_one_model_or_another_is_written_as_either(tmp_path):
    code = """
        from shop.catalog.models import Category, Product
        from shop.people.models import User
        from shop.reviews.models import Review

        def one(kind):
            if kind == "review":
                return Review.objects.get()
            if kind == "product":
                return Product.objects.get()
            return Category.objects.get()

        def f():
            one(1).save()

        def many(kind):
            if kind == "user":
                return User.objects.get()
            return one(kind)

        def g():
            many(1).save()
    """
    assert found(tmp_path, HERE, code, "write") == [
        "13: shop.reviews.views.f -> catalog.Category, write (save())",
        "13: shop.reviews.views.f -> catalog.Product, write (save())",
    ]


def test_what_an_object_keeps_for_itself_is_not_written(tmp_path):
    code = "class V:\n    model = Product\n    def get(self):\n        self.queryset = Product.objects.all()"
    assert found(tmp_path, HERE, IMPORTS + code, "write") == []


HEIRS = {
    **SHOP,
    "shop/catalog/models.py": """
        from django.db import models

        class Product(models.Model):
            name = models.CharField(max_length=20)

        class Book(Product):
            author = models.ForeignKey("people.User", models.CASCADE)

        class Film(Product):
            pass
    """,
    "shop/catalog/tests/models.py": """
        from django.db import models
        from shop.catalog.models import Film

        class Short(Film):
            review = models.ForeignKey("reviews.Review", models.CASCADE)
    """,
}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def f():\n    Product.objects.get().author", "catalog.Book -> people.User, navigation (.author)"),
        ("def f(product):\n    product.author", "catalog.Book -> people.User, navigation (.author)"),
        (
            "def f():\n    Product.objects.filter(Book___author__email='x')",
            "catalog.Book -> people.User, join (filter: Book___author__email)",
        ),
        ("from shop.catalog.models import Film\ndef f():\n    Film.objects.get().review", ""),
    ],
)
def test_a_row_of_a_model_is_the_heirs_whose_relation_is_asked_for(tmp_path, code, expected):
    lines = found(tmp_path, HERE, IMPORTS + code, "navigation", "join", shop=HEIRS)
    assert lines == ([f"5: {expected}"] if expected else [])


def test_a_serializer_without_a_model_is_about_what_the_field_leads_to_that_it_is(tmp_path):
    code = """
        from rest_framework import serializers
        from shop.reviews.models import Review

        class Named(serializers.Serializer):
            by = serializers.CharField(source="author.username")

        class Shown(serializers.Serializer):
            by = serializers.CharField(source="author.username")

        class Products(serializers.ModelSerializer):
            reviews = Named(many=True)

            class Meta:
                model = Product
    """
    lines = found(tmp_path, HERE, f"from shop.catalog.models import Product\n{dedent(code)}", "navigation")
    assert [line for line in lines if "author" in line] == [
        "7: reviews.Review -> people.User, navigation (source: author.username)"
    ]
