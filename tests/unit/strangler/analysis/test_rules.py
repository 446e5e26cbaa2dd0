"""The other kinds of couplings, each in a file of the shop."""

import pytest

from tests.unit.strangler.analysis.places import SHOP, found, mapped

HERE = "shop/reviews/views.py"


@pytest.mark.parametrize(
    ("code", "line", "expected"),
    [
        ("from shop.catalog.models import Product, Category", 1, "import (Category, Product)"),
        ("import shop.catalog.models", 1, "import"),
        ("from ..catalog import models", 1, "import"),
        ("def f():\n    from shop.catalog import models", 2, "late import"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import shop.catalog.models", 3, "type import"),
        ("import_string('shop.catalog.models.Product')", 1, "string import"),
        ("get_class('catalog.models', 'Product')", 1, "string import (Product)"),
    ],
)
def test_an_import(tmp_path, code, line, expected):
    assert found(tmp_path, HERE, code) == [f"{line}: shop.reviews.views -> shop.catalog.models, {expected}"]


def test_an_import_of_ones_own_app_or_of_another_package_is_no_coupling(tmp_path):
    assert found(tmp_path, HERE, "import json\nfrom django.db import models\nfrom .models import Review") == []


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("models.ForeignKey('catalog.Product', models.CASCADE)", "foreign key (x)"),
        ("models.ForeignKey('catalog.Product', models.CASCADE, db_constraint=False)", "foreign key (x, no constraint)"),
        ("models.OneToOneField(to='catalog.Product', on_delete=models.CASCADE)", "one-to-one (x)"),
        ("models.ManyToManyField('catalog.Product')", "many-to-many (x)"),
    ],
)
def test_a_key_to_another_apps_table(tmp_path, field, expected):
    code = f"from django.db import models\nclass Vote(models.Model):\n    x = {field}"
    assert found(tmp_path, "shop/reviews/models.py", code) == [f"3: reviews.Vote -> catalog.Product, {expected}"]


def test_keys_that_no_database_knows_of(tmp_path):
    code = """
        from django.contrib.contenttypes.fields import GenericForeignKey
        from django.db import models

        class Vote(models.Model):
            product_id = models.IntegerField()
            about = GenericForeignKey()
    """
    assert found(tmp_path, "shop/reviews/models.py", code) == [
        "5: reviews.Vote -> catalog.Product, soft key (product_id)",
        "6: reviews.Vote -> contenttypes.ContentType, generic key (about)",
    ]


def test_what_an_abstract_model_states_is_its_heirs_and_its_own_app_alone_is_coupled_by_the_class(tmp_path):
    code = """
        from django.db import models
        from shop.catalog.bases import Named, Counted

        class Vote(Named):
            pass

        class Score(Counted):
            pass
    """
    shop = {
        **SHOP,
        "shop/catalog/bases.py": """
            from django.db import models

            class Named(models.Model):
                about = models.ForeignKey("people.User", models.CASCADE, related_name="%(class)s_of")

                class Meta:
                    abstract = True

            class Counted(models.Model):
                count = models.IntegerField()
        """,
    }
    made = mapped(tmp_path, {**shop, "shop/reviews/models.py": code})
    lines = [str(coupling) for coupling in made.couplings if coupling.source_app == "reviews"]
    assert "shop/catalog/bases.py:4: reviews.Vote -> people.User, foreign key (about)" in lines
    assert "shop/reviews/models.py:7: reviews.Score -> catalog.Counted, inheritance (table)" in lines
    assert (
        "shop/reviews/models.py:4: shop.reviews.models.Vote -> shop.catalog.bases.Named, inheritance (class)" in lines
    )


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT p.name FROM catalog_product p JOIN reviews_review r ON r.product_id = p.id WHERE p.id = %s",
        'UPDATE "catalog_product" SET name = %(name)s',
        "WITH x AS (SELECT 1) SELECT * FROM x, catalog_product WHERE id IN ({})",
        "DELETE FROM ONLY catalog_product USING (((",  # no parser reads it
    ],
)
def test_sql_that_names_another_apps_table(tmp_path, sql):
    code = f"def report(cursor):\n    cursor.execute({sql!r})"
    assert found(tmp_path, HERE, code, "sql") == [
        "2: shop.reviews.views.report -> catalog.Product, sql (catalog_product)"
    ]


def test_prose_with_sqls_words_is_no_sql(tmp_path):
    assert found(tmp_path, HERE, "TEXT = 'select a product from catalog_products and update it'", "sql") == []


def test_receivers_of_signals_of_other_apps(tmp_path):
    code = """
        from django.db.models.signals import post_save, pre_save
        from django.dispatch import receiver
        from shop.catalog.models import Product
        from shop.catalog.signals import priced

        @receiver([post_save, pre_save], sender=Product)
        def count(sender, **kwargs):
            pass

        @receiver(priced)
        def note(sender, **kwargs):
            priced.send(sender=None)

        post_save.connect(count, sender="people.User")
        post_save.connect(count)
    """
    shop = {**SHOP, "shop/catalog/signals.py": "from django.dispatch import Signal\npriced = Signal()"}
    assert found(tmp_path, "shop/reviews/receivers.py", code, "signal", shop=shop) == [
        "6: shop.reviews.receivers.count -> catalog.Product, signal (receives post_save)",
        "6: shop.reviews.receivers.count -> catalog.Product, signal (receives pre_save)",
        "10: shop.reviews.receivers.note -> shop.catalog.signals.priced, signal (receives priced)",
        "12: shop.reviews.receivers.note -> shop.catalog.signals.priced, signal (priced.send())",
        "14: shop.reviews.receivers -> people.User, signal (receives post_save)",
        "15: shop.reviews.receivers -> (every app), signal (receives post_save of whatever is saved)",
    ]


def test_who_receives_the_changed_links_of_a_relation_is_tied_to_its_model_and_may_be_given_either_side(tmp_path):
    code = """
        from django.contrib.auth import get_user_model
        from django.db.models.signals import m2m_changed
        from django.dispatch import receiver

        @receiver(m2m_changed, sender=get_user_model().groups.through)
        def changed(instance, **kwargs):
            instance.groups.clear()
    """
    assert found(tmp_path, "shop/reviews/receivers.py", code, "signal", "navigation") == [
        "5: shop.reviews.receivers.changed -> people.User, signal (receives m2m_changed)"
    ]


def test_tasks_that_are_enqueued_or_given_to_somebody_who_does(tmp_path):
    code = """
        from shop.catalog import tasks
        from shop.catalog.tasks import index, plain

        def save():
            index.delay(1)
            tasks.index.apply_async()
            on_commit(index)
            plain()
    """
    shop = {
        **SHOP,
        "shop/catalog/tasks.py": "@shared_task\ndef index():\n    pass\n\ndef plain():\n    pass",
    }
    assert found(tmp_path, HERE, code, "task", shop=shop) == [
        f"{line}: shop.reviews.views.save -> shop.catalog.tasks.index, task" for line in (5, 6, 7)
    ]


def test_routes_and_templates_by_their_names(tmp_path):
    shop = {
        **SHOP,
        "shop/catalog/urls.py": """
            from django.urls import path
            from shop.catalog import views
            app_name = "catalog"
            urlpatterns = [path("products/", views.products, name="products")]
        """,
        "shop/catalog/views.py": "def products(request):\n    pass",
        "shop/catalog/templates/catalog/card.html": "{% load prices %}",
        "shop/catalog/templatetags/prices.py": "",
        "shop/templates/reviews/list.html": """
            {% extends "catalog/card.html" %}
            {% load prices i18n %}
            {% url 'catalog:products' %} {% url "nowhere" %}
        """,
    }
    code = """
        def show(request):
            redirect("catalog:products")
            page = render(request, "catalog/card.html")
            return page

        class Page:
            template_name = "catalog/card.html"
    """
    assert found(tmp_path, HERE, code, shop=shop) == [
        "2: shop.reviews.views.show -> catalog:products, url",
        "3: shop.reviews.views.show -> catalog/card.html, template",
        "7: shop.reviews.views.Page -> catalog/card.html, template",
    ]
    lines = [str(c).partition(": ")[2] for c in mapped(tmp_path, shop).couplings if c.path.endswith("list.html")]
    assert lines == [
        "shop/templates/reviews/list.html -> catalog/card.html, template",
        "shop/templates/reviews/list.html -> prices, tag library",
        "shop/templates/reviews/list.html -> catalog:products, url",
    ]


def test_a_key_of_the_session_that_two_apps_use(tmp_path):
    shop = {**SHOP, "shop/catalog/views.py": "def put(request):\n    request.session['cart'] = 1"}
    code = "def show(request):\n    return request.session.get('cart'), request.session['mine']"
    assert found(tmp_path, HERE, code, shop=shop) == ["2: shop.reviews.views.show -> cart, session"]


def test_the_admin_of_another_apps_model(tmp_path):
    code = """
        from django.contrib import admin
        from shop.catalog.models import Product

        class Inline(admin.TabularInline):
            model = Product

        admin.site.register(Product)
    """
    assert found(tmp_path, "shop/reviews/admin.py", code, "admin") == [
        "4: shop.reviews.admin.Inline -> catalog.Product, admin",
        "7: shop.reviews.admin -> catalog.Product, admin",
    ]


def test_a_migration_that_waits_for_another_apps(tmp_path):
    code = "class Migration:\n    dependencies = [('catalog', '0001_initial'), ('reviews', '0001_initial')]"
    assert found(tmp_path, "shop/reviews/migrations/0002_x.py", code) == [
        "2: shop.reviews.migrations.0002_x -> catalog.0001_initial, migration"
    ]


def test_a_receiver_that_is_called_like_its_signal_receives_it(tmp_path):
    shop = {**SHOP, "shop/catalog/signals.py": "from django.dispatch import Signal\nsold = Signal()"}
    code = """
        from django.dispatch import receiver
        from shop.catalog.signals import sold

        @receiver(sold)
        def sold(sender, **kwargs): ...
    """
    assert found(tmp_path, HERE, code, "signal", shop=shop) == [
        "4: shop.reviews.views.sold -> shop.catalog.signals.sold, signal (receives sold)"
    ]


def test_what_is_added_to_another_apps_class_ties_to_it(tmp_path):
    code = "from shop.catalog.models import Product\nProduct.add_to_class(name='stars', value=1)"
    assert found(tmp_path, HERE, code, "inheritance") == [
        "2: shop.reviews.views -> catalog.Product, inheritance (adds stars)"
    ]


def test_a_statement_names_its_tables_also_where_format_puts_them_in(tmp_path):
    code = "x = 'SELECT {a}.{id} FROM {catalog_product} AS {a} WHERE {a}.{id} = %s'.format(catalog_product=quoted)"
    assert found(tmp_path, HERE, code, "sql") == ["1: shop.reviews.views -> catalog.Product, sql (catalog_product)"]


def test_a_class_that_is_only_called_like_an_admin_page_is_none(tmp_path):
    code = "from shop.catalog.models import Product\nclass AdminSelector:\n    pass\n"
    code += "class ProductAdminSelector(AdminSelector):\n    model = Product"
    assert found(tmp_path, HERE, code, "admin", "read", "write") == []


def test_a_path_that_a_column_or_filter_of_a_class_is_given(tmp_path):
    code = "from django.views import generic; from shop.reviews.models import Review\nclass V(generic.ListView):\n"
    code += "    model = Review\n    columns = [Column('x', filter_config=Filter(filter_field='product__name')),\n"
    code += "        Column('y', accessor='product.name'), Column('z', filter_field='rating')]"
    assert found(tmp_path, HERE, code, "join", "navigation") == [
        "4: reviews.Review -> catalog.Product, join (filter_field: product__name)",
        "5: reviews.Review -> catalog.Product, navigation (accessor: product.name)",
    ]
