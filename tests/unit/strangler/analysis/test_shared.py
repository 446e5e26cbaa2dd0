"""What apps share by convention: prefixes of routes, settings."""

from django.conf import global_settings

from strangler.analysis.rules.settings import DJANGOS
from tests.unit.strangler.analysis.places import SHOP, found, mapped

VIEWS = "def show(request):\n    pass"


def prefixes(root, *routes):
    """What the routes, as (pattern, app), are coupled by."""
    apps = ("catalog", "people", "reviews")
    imports = [f"from shop.{app} import views as {app}" for app in apps]
    lines = [f"    path('{pattern}', {app}.show)," for pattern, app in routes]
    urls = "\n".join(["from django.urls import path", *imports, "urlpatterns = [", *lines, "]"])
    files = {**SHOP, **{f"shop/{app}/views.py": VIEWS for app in apps}, "shop/urls.py": urls}
    return [
        (one.source_app, one.target_app, one.target, one.line)
        for one in mapped(root, files).couplings
        if one.kind == "prefix"
    ]


def test_a_route_between_those_of_another_app_is_found_with_the_prefix_that_cannot_be_handed_over(tmp_path):
    routes = [("products/", "catalog"), ("products/<int:pk>/reviews/", "reviews"), ("products/<int:pk>/", "catalog")]
    assert prefixes(tmp_path, *routes) == [("reviews", "catalog", "/products/<>/", 7)]


def test_of_two_apps_below_a_prefix_that_is_no_route_the_one_with_more_routes_has_it(tmp_path):
    routes = [("shop/a/", "catalog"), ("shop/b/", "catalog"), ("shop/rate/", "reviews"), ("other/", "reviews")]
    assert prefixes(tmp_path, *routes) == [("reviews", "catalog", "/shop/", 8)]


def test_what_three_apps_share_is_nobodys_and_the_root_is_nobodys(tmp_path):
    routes = [("api/a/", "catalog"), ("api/b/", "catalog"), ("api/c/", "reviews"), ("api/d/", "people"), ("", "people")]
    assert prefixes(tmp_path, *routes) == []


def settings_of(root, stated, catalog, reviews):
    files = {**SHOP, "shop/settings.py": stated, "shop/catalog/views.py": catalog}
    return found(root, "shop/reviews/views.py", reviews, "setting", shop=files)


READ = "from django.conf import settings\n"


def test_a_setting_is_the_apps_that_it_is_called_after(tmp_path):
    reviews = READ + "def show():\n    return settings.CATALOG_PAGE, settings.REVIEWS_PAGE"
    assert settings_of(tmp_path, "CATALOG_PAGE = 3", "", reviews) == [
        "3: shop.reviews.views.show -> shop.settings.CATALOG_PAGE, setting (CATALOG_PAGE, by its name)"
    ]


def test_a_setting_is_the_apps_that_alone_has_a_default_for_it(tmp_path):
    catalog = READ + "PAGE = getattr(settings, 'PAGE', 20)"
    assert settings_of(tmp_path, "", catalog, READ + "PAGE = settings.PAGE") == [
        "2: shop.reviews.views -> settings.PAGE, setting (PAGE, by its default; read by catalog, reviews)"
    ]


def test_another_setting_is_the_projects_and_ties_those_that_share_it(tmp_path):
    line = READ + "NAME = settings.NAME"
    assert settings_of(tmp_path, "NAME = 'shop'", line, line) == [
        "2: shop.reviews.views -> shop.settings.NAME, setting (NAME, of the project; read by catalog, reviews)"
    ]
    assert settings_of(tmp_path, "NAME = 'shop'", "", line) == []


def test_a_helper_is_given_a_settings_name_as_a_text(tmp_path):
    code = "def show():\n    return loaded('CATALOG_FORM'), loaded('CATALOG_OTHER'), other(name='CATALOG_FORM')"
    assert settings_of(tmp_path, "import os\nCATALOG_FORM = os.getenv('CATALOG_FORM')", "", code) == [
        "2: shop.reviews.views.show -> shop.settings.CATALOG_FORM, setting (CATALOG_FORM, by its name)"
    ]


def test_djangos_own_settings_tie_nobody(tmp_path):
    line = READ + "X = settings.MEDIA_ROOT, settings.TIME_ZONE"
    assert settings_of(tmp_path, "MEDIA_ROOT = 'x'", line, line) == []
    assert {name for name in dir(global_settings) if name.isupper()} <= DJANGOS


def keys_of(root, catalog, reviews):
    return found(
        root, "shop/reviews/views.py", reviews, "cache", "session", shop={**SHOP, "shop/catalog/views.py": catalog}
    )


CACHE = "from django.core.cache import cache, caches\n"


def test_a_key_of_the_cache_that_two_apps_use_is_the_ones_that_puts_something_there(tmp_path):
    catalog = CACHE + "def put(key):\n    caches['default'].set('front-page', 1)"
    assert keys_of(tmp_path, catalog, CACHE + "def show():\n    return cache.get('front-page')") == [
        "3: shop.reviews.views.show -> front-page, cache"
    ]


def test_keys_that_begin_alike_are_one_whatever_is_put_into_them(tmp_path):
    catalog = CACHE + "def put(key):\n    cache.set('product:%s' % key, 1)"
    reviews = CACHE + "def show(key):\n    cache.delete(f'product:{key}')\n    cache.get('review:' + key)"
    assert keys_of(tmp_path, catalog, reviews) == ["3: shop.reviews.views.show -> product:*, cache"]


def test_a_key_is_the_apps_that_it_is_called_after_and_a_constant_is_its_value(tmp_path):
    catalog = CACHE + "KEY = 'catalog.front'\ndef show(request):\n    return cache.get(KEY), request.session[KEY]"
    reviews = CACHE + "from shop.catalog import views\ndef put(request):\n    cache.set(views.KEY, 1)\n"
    assert keys_of(tmp_path, catalog, reviews + "    request.session[views.KEY] = 1") == [
        "4: shop.reviews.views.put -> catalog.front, cache",
        "5: shop.reviews.views.put -> catalog.front, session",
    ]


def test_a_dictionary_that_is_called_cache_is_none(tmp_path):
    line = "def show(cache):\n    return cache.get('front-page')"
    assert keys_of(tmp_path, line, line) == []
