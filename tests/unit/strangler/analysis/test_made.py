"""Models that a function makes, and conditions that a variable gathers."""

import pytest

from tests.unit.strangler.analysis.places import SHOP, found, mapped

MADE = {
    **SHOP,
    "shop/logs.py": """
        from django.conf import settings
        from django.db import models

        class BaseEntry(models.Model):
            user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)

            class Meta:
                abstract = True

        def entries_of(model):
            return type(model.__name__ + "Entry", (BaseEntry,), {"__module__": model.__module__})

        def named(model):
            return type(model.__name__, (object,), {})
    """,
    "shop/catalog/models.py": SHOP["shop/catalog/models.py"]
    + """
        from shop.logs import entries_of, named

        ProductEntry = entries_of(Product)
        ProductName = named(Product)
    """,
}
HERE = "shop/reviews/views.py"
IMPORTS = "from django.db.models import Q\nfrom shop.catalog.models import ProductEntry, ProductName\n"


def test_what_a_function_makes_of_an_abstract_model_is_a_model_of_who_calls_it(tmp_path):
    made = mapped(tmp_path, MADE)
    (entry,) = [model for model in made.summary.models if model.label == "catalog.ProductEntry"]
    assert entry.table == "catalog_productentry"
    assert [relation.target for relation in entry.relations] == ["people.User"]
    assert "catalog.ProductName" not in {model.label for model in made.summary.models}


def test_its_rows_are_written_and_walked_from_like_others(tmp_path):
    code = "def f():\n    entry = ProductEntry.objects.create(user=None)\n    entry.user.email\n"
    code += "    ProductName.objects.all()"
    lines = found(tmp_path, HERE, IMPORTS + code, "read", "write", "navigation", shop=MADE)
    assert [line.partition(":")[0] for line in lines] == ["4", "5"], lines


@pytest.mark.parametrize(
    "code",
    [
        "def f(rows):\n    query = Q(rating=1)\n    query |= Q(product__name='x')\n"
        "    return Review.objects.filter(query)",
        "def f(rows):\n    query = Q(product__name='x')\n    if rows:\n        query &= ~Q(rating=1)\n"
        "    return Review.objects.filter(query)",
        "def f(rows):\n    query = Q(rating=1) | ~Q(product__name='x')\n    return Review.objects.filter(query)",
    ],
)
def test_conditions_are_followed_that_a_variable_gathers(tmp_path, code):
    text = "from django.db.models import Q\nfrom shop.reviews.models import Review\n" + code
    lines = found(tmp_path, HERE, text, "join")
    assert [line.partition(" (")[2] for line in lines] == ["filter: product__name)"], lines


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n    q = Q()\n" + "    q |= Q(product__name='x')\n" * 3000 + "    Review.objects.filter(q)\n",
        "def f(one):\n" + "    assert isinstance(one, Review)\n" * 3000 + "    one.product.name\n",
    ],
)
def test_very_many_conditions_are_read_like_few(tmp_path, code):
    text = "from django.db.models import Q\nfrom shop.reviews.models import Review\n" + code
    lines = found(tmp_path, HERE, text, "join", "navigation")
    assert [line.partition(":")[0] for line in lines] == [str(text.count("\n"))], lines


def test_links_that_are_set_are_written_where_the_field_is_and_nobody_walks(tmp_path):
    more = "\n            wanted = models.ManyToManyField('catalog.Product', related_name='+')\n"
    more += "\n            def want(self, products):\n                self.wanted = products\n"
    shop = {**SHOP, "shop/reviews/models.py": SHOP["shop/reviews/models.py"].rstrip() + more}
    made = mapped(tmp_path, shop)
    assert [c for c in made.couplings if c.kind.value in ("navigation", "write")] == []


def test_djangos_own_user_has_groups(tmp_path):
    shop = {path: text for path, text in SHOP.items() if "people" not in path and path != "shop/settings.py"}
    code = "from django.contrib.auth import get_user_model\ndef f():\n    get_user_model().objects.get().groups.all()\n"
    (line,) = found(tmp_path, HERE, code, "navigation", shop=shop)
    assert "auth.Group, navigation (.groups)" in line


def test_texts_that_locals_hold_name_templates_values_and_routes(tmp_path):
    shop = {
        **SHOP,
        "shop/catalog/templates/catalog/list.html": "",
        "shop/catalog/hooks.py": "from hooks import Hook\nchanged = Hook()\n",
        "shop/catalog/urls.py": "from django.urls import path\nfrom shop.catalog import views\napp_name = 'catalog'\n"
        "urlpatterns = [path('', views.every, name='list')]\n",
        "shop/catalog/views.py": "def every(request):\n    pass\n",
    }
    code = "def f():\n    name = 'catalog/list.html'\n    where = 'catalog:list'\n"
    code += "    hook = 'shop.catalog.hooks.changed'\n    other = 'catalog/none.html'\n    wrong = 'nothing:list'\n"
    lines = found(tmp_path, HERE, code, "template", "url", "string import", shop=shop)
    assert [line.partition(":")[0] for line in lines] == ["2", "3", "4"], lines
