"""Templates and routes of a whole project, by all the names that they may be asked for."""

import pytest

from strangler.analysis.routes import whole_routes
from tests.unit.strangler.analysis.places import SHOP, found, mapped

HERE = "shop/reviews/views.py"
CENTRAL = {
    **SHOP,
    "shop/templates/shop/catalog/list.html": "{% extends 'shop/base.html' %}",
    "shop/templates/shop/base.html": "",
    "shop/templates/shop/reviews/form.html": "{% include 'shop/catalog/list.html' %}",
    "shop/models.py": """
        from django.db import models

        class Setting(models.Model):
            pass
    """,
}


def of(tmp_path, shop, kind):
    return [str(one) for one in mapped(tmp_path, shop).couplings if one.kind == kind]


def test_a_template_in_the_projects_own_folder_is_of_the_app_that_its_folders_name(tmp_path):
    assert of(tmp_path, CENTRAL, "template") == [
        "shop/templates/shop/catalog/list.html:1: shop/templates/shop/catalog/list.html -> shop/base.html, template",
        "shop/templates/shop/reviews/form.html:1: shop/templates/shop/reviews/form.html -> shop/catalog/list.html, "
        "template",
    ]


def test_a_template_of_no_app_is_the_projects_own(tmp_path):
    shop = {
        **SHOP,
        "shop/templates/all.html": "{% include 'catalog/one.html' %}",
        "shop/templates/catalog/one.html": "",
    }
    (coupling,) = (one for one in mapped(tmp_path, shop).couplings if one.kind == "template")
    assert (coupling.source_app, coupling.target_app) == ("(shop)", "catalog")


@pytest.mark.parametrize(
    "text", ["{# {% include 'a.html' %} #}", "{% comment %}{% include 'a.html' %}{% endcomment %}"]
)
def test_what_is_commented_out_in_a_template_is_no_coupling(tmp_path, text):
    shop = {**SHOP, "shop/catalog/templates/a.html": "", "shop/reviews/templates/b.html": text}
    assert of(tmp_path, shop, "template") == []


ROUTES = {
    **SHOP,
    "shop/urls.py": """
        from django.urls import include, path
        import shop.catalog.urls

        urlpatterns = [path("c/", include((shop.catalog.urls, "shop.catalog"), namespace="goods"))]
    """,
    "shop/catalog/urls.py": """
        from django.urls import path
        from shop.catalog import views

        urlpatterns = [path("", views.listed, name="list")]
    """,
    "shop/catalog/views.py": "def listed(request):\n    pass",
}


def test_a_route_in_the_namespace_of_what_includes_it(tmp_path):
    assert found(tmp_path, HERE, "reverse('goods:list')\nreverse('other:list')", "url", shop=ROUTES) == [
        "1: shop.reviews.views -> goods:list, url"
    ]


def test_a_route_that_a_jinja_template_asks_for(tmp_path):
    shop = {
        **ROUTES,
        "shop/reviews/templates/a.jinja": '<a href="{{ url("goods:list", x=1) }}">{{ x.url("list") }}</a>',
    }
    assert of(tmp_path, shop, "url") == [
        "shop/reviews/templates/a.jinja:1: shop/reviews/templates/a.jinja -> goods:list, url"
    ]


CONFIGS = {
    **SHOP,
    "shop/apps.py": """
        from django.apps import AppConfig, apps
        from django.urls import include, path

        class Shop(AppConfig):
            name = "shop"
            def ready(self):
                self.catalog_app = apps.get_app_config("catalog")
            def get_urls(self):
                return [path("goods/", include(self.catalog_app.urls[0]))]
    """,
    "shop/catalog/apps.py": """
        from django.apps import AppConfig
        from django.urls import path

        class CatalogConfig(AppConfig):
            name = "shop.catalog"
            label = "catalog"
            namespace = "goods"
            def ready(self):
                self.list_view = get_class("catalog.views", "List")
            def get_urls(self):
                return [path("all/", self.list_view.as_view(), name="list")]
    """,
    "shop/catalog/views.py": "class List:\n    pass",
}


def test_routes_that_the_configurations_of_apps_make(tmp_path):
    made = mapped(tmp_path, {**CONFIGS, HERE: "reverse('goods:list')"})
    assert [(route.pattern, route.view) for route in whole_routes(made.summary.routes)] == [
        ("/goods/all/", "shop.catalog.views.List")
    ]
    assert [one.target_app for one in made.couplings if one.kind == "url"] == ["catalog"]


def test_an_app_that_is_called_after_its_module(tmp_path):
    shop = {**SHOP, "shop/catalog/__init__.py": "class AppConfig(django.apps.AppConfig):\n    name = __name__\n"}
    shop["shop/catalog/__init__.py"] = (
        "import django.apps\n" + shop["shop/catalog/__init__.py"] + "    label = 'goods'\n"
    )
    shop["shop/reviews/models.py"] = shop["shop/reviews/models.py"].replace("catalog.Product", "goods.Product")
    assert "goods" in {app.label for app in mapped(tmp_path, shop).summary.apps}
