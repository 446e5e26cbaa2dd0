"""Ties that classes, keys and texts declare: each case is a file of the shop's app "reviews"."""

from textwrap import dedent

import pytest

from tests.unit.strangler.analysis.places import SHOP, found

IMPORTS = "from shop.catalog.models import Product\nfrom shop.reviews.models import Review\n"
HERE = "shop/reviews/views.py"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("class F(forms.ModelForm):\n    class Meta:\n        model = Product", "write (ModelForm of it)"),
        ("class V(generic.ListView):\n    model = Product", "read (ListView of it)"),
        ("class V(generic.UpdateView):\n    model = Product", "write (UpdateView of it)"),
        ("class S(ModelSerializer):\n    class Meta:\n        model = Product", "read (ModelSerializer of it)"),
        ("F = modelform_factory(Product)", "write (modelform_factory())"),
        ("F = inlineformset_factory(Review, Product)", "write (inlineformset_factory())"),
        (
            "class S(ModelSerializer):\n    name = CharField(source='product.name')\n"
            "    class Meta:\n        model = Review",
            "navigation (source: product.name)",
        ),
        (
            "class P(ModelSerializer):\n    pass\nclass S(ModelSerializer):\n    product = P()\n"
            "    class Meta:\n        model = Review",
            "navigation (source: product)",
        ),
        (
            "class S(ModelSerializer):\n    url = HyperlinkedIdentityField(lookup_field='product__name')\n"
            "    class Meta:\n        model = Review",
            "navigation (lookup_field: product__name)",
        ),
        (
            "class V(viewsets.GenericViewSet):\n    lookup_field = 'product__name'\n    model = Review",
            "join (lookup_field: product__name)",
        ),
        (
            "class F(FilterSet):\n    class Meta:\n        model = Review\n"
            "        fields = {'product__name': ['exact']}",
            "join (fields: product__name)",
        ),
        ("Q = Product._meta.db_table", "sql (_meta.db_table)"),
        ("Review.objects.extra(tables=['catalog_product'])", "sql (catalog_product)"),
        ("ContentType.objects.get_for_model(Product)", "generic key (by its content type)"),
        ("ContentType.objects.get(app_label='catalog', model='product')", "generic key (by its content type)"),
        ("ContentType.objects.get_by_natural_key('catalog', 'product')", "generic key (by its content type)"),
    ],
)
def test_a_model_of_another_app(tmp_path, code, expected):
    (line,) = found(tmp_path, HERE, IMPORTS + code, "read", "write", "navigation", "join", "sql", "generic key")
    assert "catalog.Product" in line
    assert line.endswith(expected)


def test_a_view_set_of_another_apps_rows_reads_and_writes_them(tmp_path):
    code = IMPORTS + "class V(viewsets.ModelViewSet):\n    queryset = Product.objects.all()"
    assert found(tmp_path, HERE, code, "read", "write") == [
        "4: shop.reviews.views.V -> catalog.Product, read (objects)",
        "4: shop.reviews.views.V -> catalog.Product, write (ModelViewSet of it)",
    ]


@pytest.mark.parametrize(
    "code",
    [
        "class Plain:\n    model = Product",
        "class V(generic.ListView):\n    model = Review",
        "class V(generic.ListView):\n    model = None",
        "versions.get_for_model(Product)",
    ],
)
def test_what_only_looks_like_that_ties_nobody(tmp_path, code):
    assert found(tmp_path, HERE, IMPORTS + code, "read", "write", "generic key") == []


MODELS = SHOP["shop/reviews/models.py"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            """
            class Vote(models.Model):
                review = models.ForeignKey(Review, models.CASCADE, limit_choices_to={"product__name": "x"})
            """,
            "reviews.Review -> catalog.Product, join (limit_choices_to: product__name)",
        ),
        (
            """
            class Vote(models.Model):
                review = models.ForeignKey(Review, models.CASCADE, limit_choices_to=models.Q(product__name="x"))
            """,
            "reviews.Review -> catalog.Product, join (limit_choices_to: product__name)",
        ),
        (
            """
            class Vote(models.Model):
                review = models.ForeignKey(Review, models.CASCADE)
                class Meta:
                    ordering = ["-review__product__name"]
            """,
            "reviews.Review -> catalog.Product, join (ordering: -review__product__name)",
        ),
        (
            """
            class Shelf(models.Model):
                class Meta:
                    managed = False
                    db_table = "catalog_product"
            """,
            "reviews.Shelf -> catalog.Product, inheritance (the table catalog_product)",
        ),
        (
            """
            class Vote(models.Model):
                product_uuid = models.UUIDField()
            """,
            "reviews.Vote -> catalog.Product, soft key (product_uuid)",
        ),
    ],
)
def test_a_model_that_leans_on_another_apps_table(tmp_path, more, expected):
    code = dedent(MODELS) + dedent(more)
    lines = found(tmp_path, "shop/reviews/models.py", code, "join", "inheritance", "soft key")
    assert [line.partition(": ")[2] for line in lines] == [expected]


def test_the_table_of_a_model_that_only_looks_at_it_stays_its_makers(tmp_path):
    shop = {
        **SHOP,
        "shop/reviews/models.py": """
            from django.db import models

            class Shelf(models.Model):
                class Meta:
                    managed = False
                    db_table = "catalog_product"
        """,
    }
    code = "def show(cursor):\n    cursor.execute('SELECT * FROM catalog_product')"
    assert found(tmp_path, "shop/people/views.py", code, "sql", shop=shop) == [
        "2: shop.people.views.show -> catalog.Product, sql (catalog_product)"
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "'SELECT * FROM ' + TABLE",
        "'SELECT * FROM %s WHERE id = %%s' % TABLE",
        "f'SELECT * FROM {TABLE} WHERE id = {key}'",
        "'SELECT name' + ' FROM ' + 'catalog_product ' + where",
    ],
)
def test_a_statement_that_is_put_together_from_what_is_known(tmp_path, sql):
    code = f"TABLE = 'catalog_product'\ndef show(cursor, key, where):\n    cursor.execute({sql})"
    assert found(tmp_path, HERE, code, "sql") == [
        "3: shop.reviews.views.show -> catalog.Product, sql (catalog_product)"
    ]


def test_permissions_of_another_app(tmp_path):
    code = """
        from django.contrib.auth.decorators import permission_required

        @permission_required("catalog.add_product")
        def show(user):
            user.has_perm("catalog.change_product")
            user.has_perm("reviews.change_review")
            user.has_perm("nowhere.change_it")

        class V:
            permission_required = ["catalog.view_product"]
    """
    assert found(tmp_path, HERE, code, "permission") == [
        "3: shop.reviews.views -> catalog.add_product, permission",
        "5: shop.reviews.views.show -> catalog.change_product, permission",
        "10: shop.reviews.views.V -> catalog.view_product, permission",
    ]


def test_classes_functions_and_tasks_by_their_whole_names(tmp_path):
    shop = {
        **SHOP,
        "shop/catalog/apps.py": "from django.apps import AppConfig\nclass C(AppConfig):\n    name = 'shop.catalog'",
        "shop/catalog/menu.py": "def menu(request):\n    pass",
        "shop/catalog/tasks.py": "@shared_task(name='catalog.index')\ndef index():\n    pass",
    }
    code = """
        INSTALLED_APPS = ["shop.catalog.apps.C", "shop.catalog"]
        TEMPLATES = [{"OPTIONS": {"context_processors": ["shop.catalog.menu.menu"]}}]
        BEAT = {"index": {"task": "catalog.index"}}
        SAME = "shop.catalog.tasks.index"
        NOT = ["shop.catalog.menu.none", "catalog.Product", "shop.catalog.menu"]
    """
    assert found(tmp_path, "shop/settings/base.py", code, shop=shop) == [
        "2: shop.settings.base -> shop.catalog.menu, string import (menu)",
        "3: shop.settings.base -> shop.catalog.tasks.index, task (catalog.index)",
        "4: shop.settings.base -> shop.catalog.tasks.index, task",
    ]


def test_what_a_migration_does_with_other_apps_is_a_migrations_tie(tmp_path):
    code = """
        from django.db import migrations
        from shop.catalog.models import Product

        def fill(apps, schema_editor):
            model = apps.get_model("catalog", "Category")
            model.objects.update(name="x")

        class Migration(migrations.Migration):
            run_before = [("people", "0003_x")]
            operations = [migrations.RunPython(fill), migrations.RunSQL("DELETE FROM people_user WHERE id = 1")]
    """
    lines = found(tmp_path, "shop/reviews/migrations/0002_x.py", code)
    assert [line.partition(" -> ")[2] for line in lines] == [
        "shop.catalog.models, migration (its code)",
        "catalog.Category, migration (its rows)",
        "people.0003_x, migration",
        "people.User, migration (its table people_user)",
    ]
