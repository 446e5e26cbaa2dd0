"""Whose route a name means: by what its module, an include() or an app's configuration calls it, or by convention."""

import pytest

from tests.unit.strangler.analysis.places import SHOP, found

URLS = {
    **SHOP,
    "shop/catalog/apps.py": """
        from django.apps import AppConfig

        class CatalogConfig(AppConfig):
            name = "shop.catalog"
            app_namespace = "goods"
    """,
    "shop/catalog/views.py": "def show(request): ...",
    "shop/catalog/urls.py": """
        from django.urls import path
        from shop.catalog import views

        urlpatterns = [path("<pk>/", views.show, name="show")]
    """,
    "shop/urls.py": """
        from django.urls import include, path

        urlpatterns = [path("shop/", include(("shop.catalog.urls", "wares"), namespace="sale"))]
    """,
}
HERE = "shop/reviews/views.py"


@pytest.mark.parametrize(
    "code",
    [
        "reverse('wares:show')",
        "reverse('sale:show')",
        "reverse(viewname='goods:show')",
        "reverse('catalog:show')",
        "reverse('catalog:made-by-a-router')",  # its namespace is enough, where it is surely a route's name
        "reverse('outer:catalog:show')",
        "reverse('show') + '?x=1'",
        "url_of(shop, 'catalog:show')",
        "Link(view='catalog:show')",
        "menu(sources=[1, {'view': 'catalog:show'}])",
        "class Entry:\n    view_name = 'catalog:show'",
    ],
)
def test_a_routes_name_is_known_by_its_namespace(tmp_path, code):
    lines = found(tmp_path, HERE, code, "url", shop=URLS)
    assert len(lines) == 1, lines
    assert "url (" not in lines[0]
    assert "show" in lines[0] or "made-by-a-router" in lines[0]


@pytest.mark.parametrize("code", ["log('catalog:shown')", "log('show')", "log('other:show')", "reverse('other:show')"])
def test_what_only_looks_like_a_routes_name_is_none(tmp_path, code):
    assert found(tmp_path, HERE, code, "url", shop=URLS) == []


def test_tags_of_ones_own_are_given_routes_and_dotted_names(tmp_path):
    path = "shop/reviews/templates/reviews/one.html"
    text = "{% trans 'catalog:shown' %}\n{% shop_url x 'catalog:show' %}\n{% icon 'shop.catalog.views.show' %}"
    assert found(tmp_path, path, text, shop=URLS) == [
        f"2: {path} -> catalog:show, url",
        f"3: {path} -> shop.catalog.views.show, string import",
    ]


def test_who_includes_anothers_routes_by_a_text_imports_it(tmp_path):
    lines = found(tmp_path, "shop/more.py", "urlpatterns = [path('x/', include('shop.catalog.urls'))]", shop=URLS)
    assert lines == ["1: shop.more -> shop.catalog.urls, string import"]


def test_routes_in_the_namespace_of_whoever_collects_them_are_of_the_app_that_has_them(tmp_path):
    shop = {
        **URLS,
        "shop/api/__init__.py": "",
        "shop/api/apps.py": "from django.apps import AppConfig\nclass C(AppConfig):\n    name = 'shop.api'",
        "shop/reviews/views.py": "def best(request): ...",
        "shop/reviews/urls.py": "from django.urls import path\nfrom shop.reviews import views\n"
        "urlpatterns = [path('best/', views.best, name='review-best')]",
    }
    path = "shop/reviews/links.py"
    assert found(tmp_path, path, "reverse('api:review-best')", "url", shop=shop) == []
    assert found(tmp_path, path, "reverse('api:made')", "url", shop=shop) == ["1: shop.reviews.links -> api:made, url"]
