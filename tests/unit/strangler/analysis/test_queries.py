"""What code asks of other apps' tables: each case is a file of the shop's app "reviews", and its couplings."""

import pytest

from tests.unit.strangler.analysis.places import SHOP, found

IMPORTS = "from shop.catalog.models import Category, Product\nfrom shop.reviews.models import Review\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Product.objects.all()", ["3: shop.reviews.views -> catalog.Product, read (objects)"]),
        ("Review.objects.all()", []),
        ("Product.objects.filter(name='x').update(name='y')", ["read (objects)", "write (update())"]),
        ("Product(name='x').save()", ["write (save())"]),
        # A join is between the two models' apps, wherever it stands.
        (
            "Review.objects.filter(product__name='x')",
            ["3: reviews.Review -> catalog.Product, join (filter: product__name)"],
        ),
        ("Review.objects.filter(product=1, product__in=[], product__isnull=True)", []),
        ("Review.objects.select_related('product')", ["join (select_related: product)"]),
        (
            "Review.objects.order_by('-product__name').values('author__email')",
            ["catalog.Product, join", "people.User, join"],
        ),
        ("Product.objects.filter(reviews__rating=1)", ["catalog.Product -> reviews.Review, join", "read"]),
        ("Product.objects.prefetch_related('reviews')", ["catalog.Product -> reviews.Review, join", "read"]),
        (
            "from django.db.models import Q, F, Count\nReview.objects.filter(Q(product__name=1) | ~Q(product__id=2))",
            ["4: reviews.Review -> catalog.Product, join (filter: product__name)"],
        ),
        (
            "def by(name):\n    found = Q(rating=1)\n    found &= Q(product__name=name)\n    return found\n"
            "def f():\n    Review.objects.filter(by(1))",
            ["8: reviews.Review -> catalog.Product, join (filter: product__name)"],
        ),
        (
            "class V:\n    def by(self):\n        return Q(product__name=1)\n"
            "    def get(self):\n        return Review.objects.exclude(self.by())",
            ["7: reviews.Review -> catalog.Product, join (exclude: product__name)"],
        ),
        (
            "from django.db.models import Count\nReview.objects.annotate(n=Count('product__category'))",
            ["join (annotate: product__category)"],
        ),
        # Queries in a query are over both tables.
        (
            "Review.objects.filter(product__in=Product.objects.filter(name='x'))",
            ["reviews.Review -> catalog.Product, join (filter: a query of catalog.Product)", "read (objects)"],
        ),
        (
            "Review.objects.filter(Exists(Product.objects.filter(pk=OuterRef('product_id'))))",
            ["reviews.Review -> catalog.Product, join (filter: a query of catalog.Product)", "read (objects)"],
        ),
        (
            "def f():\n    names = Product.objects.values_list('name').distinct()[:9]\n"
            "    Review.objects.exclude(rating__in=names)",
            ["read (objects)", "reviews.Review -> catalog.Product, join (exclude: a query of catalog.Product)"],
        ),
        (
            "Review.objects.annotate(n=Subquery(Product.objects.filter(pk=OuterRef('product')).values('name')[:1]))",
            ["reviews.Review -> catalog.Product, join (annotate: a query of catalog.Product)", "read (objects)"],
        ),
        ("Review.objects.filter(product=Product.objects.get(pk=1))", ["read (objects)"]),
        ("Review.objects.create(product=Product.objects.first())", ["read (objects)"]),
    ],
)
def test_a_query(tmp_path, code, expected):
    lines = found(tmp_path, "shop/reviews/views.py", IMPORTS + code, "read", "write", "join", "navigation")
    assert len(lines) == len(expected), lines
    assert all(wanted in line for line, wanted in zip(lines, expected, strict=True)), lines


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        # Rows are followed through variables, loops, parameters and what views have by convention.
        ("for review in Review.objects.all():\n    review.product.name", ".product"),
        ("review = Review.objects.get(pk=1)\nreview.product", ".product"),
        ("def show(review: Review):\n    return review.product.name", ".product"),
        ("def show(review):\n    return review.product.name", ".product"),
        ("def show(request):\n    return request.user.review_set.all()", ".review_set"),
        ("[review.product for review in Review.objects.all()]", ".product"),
        ("class V:\n    model = Review\n    def get(self):\n        return self.get_object().product", ".product"),
        (
            "class V:\n    queryset = Review.objects.all()\n    def get(self):\n        self.get_queryset()[0].product",
            ".product",
        ),
        (
            "class F:\n    class Meta:\n        model = Review\n    def clean(self):\n        self.instance.product",
            ".product",
        ),
    ],
)
def test_a_walk_from_a_row_to_rows_of_another_app(tmp_path, code, expected):
    lines = found(tmp_path, "shop/reviews/views.py", IMPORTS + code, "navigation", "n+1")
    assert len(lines) == 1, lines
    assert f"({expected})" in lines[0]


@pytest.mark.parametrize(
    "code",
    [
        "def show(review):\n    return review.rating",  # a column of its own
        "def show(review):\n    return review.product_id",  # the key is in the row
        "def show(review, product):\n    review.product = product",  # and so it is changed
        "def show(thing):\n    return thing.product",  # nobody knows what a thing is
        "def show(review):\n    review = Draft()\n    return review.product",
        "review = make()\nreview.product",
    ],
)
def test_what_is_no_walk_to_another_app(tmp_path, code):
    assert found(tmp_path, "shop/reviews/views.py", IMPORTS + code, "navigation") == []


def test_a_manager_of_its_own_is_a_set_of_its_model_and_its_methods_go_on_as_sets(tmp_path):
    shop = {
        **SHOP,
        "shop/catalog/models.py": """
            from django.db import models

            class Products(models.QuerySet):
                def cheap(self):
                    return self.filter(reviews__rating=1)

            class Product(models.Model):
                shown = Products.as_manager()
        """,
    }
    assert found(tmp_path, "shop/reviews/views.py", IMPORTS + "Product.shown.cheap().delete()", "write", shop=shop) == [
        "3: shop.reviews.views -> catalog.Product, write (delete())"
    ]
    lines = found(tmp_path, "shop/catalog/other.py", "", shop=shop)
    assert lines == []


def test_models_that_are_loaded_by_their_names_are_the_same_models(tmp_path):
    code = """
        from django.apps import apps
        from django.contrib.auth import get_user_model

        User = get_user_model()
        Product = apps.get_model("catalog", "Product")

        def run():
            User.objects.create()
            return Product.objects.count()
    """
    assert found(tmp_path, "shop/reviews/tasks.py", code) == [
        "5: shop.reviews.tasks -> catalog.Product, string import",
        "8: shop.reviews.tasks.run -> people.User, write (create())",
        "9: shop.reviews.tasks.run -> catalog.Product, read (objects)",
    ]


def test_the_paths_of_an_admin_are_joins(tmp_path):
    code = """
        from django.contrib import admin
        from shop.reviews.models import Review

        @admin.register(Review)
        class ReviewAdmin(admin.ModelAdmin):
            model = Review
            list_display = ["rating", "product"]
            search_fields = ["product__name"]
    """
    assert found(tmp_path, "shop/reviews/admin.py", code) == [
        "8: reviews.Review -> catalog.Product, join (search_fields: product__name)"
    ]


def test_links_of_a_many_to_many_field_are_written_where_the_field_is(tmp_path):
    shop = {**SHOP, "shop/people/models.py": SHOP["shop/people/models.py"].replace("pass", "")}
    shop["shop/people/models.py"] = shop["shop/people/models.py"].rstrip() + (
        "\n            likes = models.ManyToManyField('catalog.Product', related_name='fans')\n"
    )
    shop["shop/people/models.py"] = shop["shop/people/models.py"].replace(
        "import AbstractUser", "import AbstractUser\n        from django.db import models"
    )
    code = "from shop.people.models import User\nfrom shop.catalog.models import Product\n"
    code += "def f(user: User, product: Product):\n    user.likes.add(product)\n    product.fans.clear()\n"
    assert found(tmp_path, "shop/reviews/views.py", code, "write", shop=shop) == [
        "4: shop.reviews.views.f -> people.User, write (add())",
        "5: shop.reviews.views.f -> people.User, write (clear())",
    ]


def test_where_rows_are_only_made_nothing_is_read(tmp_path):
    code = "from shop.catalog.models import Product\nProduct.objects.create()\nProduct.objects.get_or_create(name='x')"
    assert found(tmp_path, "shop/reviews/views.py", code, "read", "write") == [
        "2: shop.reviews.views -> catalog.Product, write (create())",
        "3: shop.reviews.views -> catalog.Product, read (objects)",
        "3: shop.reviews.views -> catalog.Product, write (get_or_create())",
    ]
